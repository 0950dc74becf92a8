/** `restores`: each time that this database was put in place from a backup, and when that backup was made. */
export const RESTORES_SCHEMA = `
CREATE TABLE restores (
  at_ms INTEGER PRIMARY KEY,
  backup_at_ms INTEGER NOT NULL
) STRICT;
`;
