/** One small row for each chat and each thread in which somebody wrote. `is_used`: a turn has it already. */
export const SESSIONS_SCHEMA = `
CREATE TABLE sessions (
  app_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  thread_id TEXT NOT NULL,
  id TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  is_used INTEGER NOT NULL,
  PRIMARY KEY (app_id, chat_id, thread_id)
) STRICT, WITHOUT ROWID;
`;
