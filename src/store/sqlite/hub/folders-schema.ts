/** The folders that agents may work in, and all below them. */
export const FOLDERS_SCHEMA = `
CREATE TABLE folders (
  path TEXT PRIMARY KEY,
  added_at_ms INTEGER NOT NULL
) STRICT;
`;
