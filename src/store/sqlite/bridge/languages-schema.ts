/** The table `languages`: which language each person chose. */
export const LANGUAGES_SCHEMA = `
CREATE TABLE languages (
  app_id TEXT NOT NULL,
  open_id TEXT NOT NULL,
  lang TEXT NOT NULL CHECK (lang IN ('en', 'zh')),
  PRIMARY KEY (app_id, open_id)
) STRICT, WITHOUT ROWID;
`;
