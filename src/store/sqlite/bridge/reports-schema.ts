/** `reports`: which chat gets the report of each day. `last_day`, such as `2026-03-29`, needs none any more. */
export const REPORTS_SCHEMA = `
CREATE TABLE reports (
  app_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  open_id TEXT NOT NULL,
  minute_of_day INTEGER,
  is_setting INTEGER NOT NULL,
  last_day TEXT NOT NULL,
  PRIMARY KEY (app_id, chat_id)
) STRICT, WITHOUT ROWID;
`;
