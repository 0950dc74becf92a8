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

/** `is_shared`: somebody else than its owner has written in it. */
export const SHARED_SESSIONS =
  'ALTER TABLE sessions ADD COLUMN is_shared INTEGER NOT NULL DEFAULT 0';

/**
 * `sessions`: the agents' memories. One of a place, agent and folder is current: its turns have it. An empty agent is
 * whoever gets the turns, an empty folder the agent's own. `owner`: who began it. `title_of`: the message whose words
 * the title has.
 * `places`: what was chosen in a chat, or in a thread of it.
 */
export const SESSIONS_OF_PEOPLE = `
ALTER TABLE sessions RENAME TO sessions_of_places;
CREATE TABLE sessions (
  seq INTEGER PRIMARY KEY,
  id TEXT NOT NULL UNIQUE,
  app_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  thread_id TEXT NOT NULL,
  agent TEXT NOT NULL DEFAULT '',
  folder TEXT NOT NULL DEFAULT '',
  owner TEXT NOT NULL DEFAULT '',
  title TEXT NOT NULL DEFAULT '',
  title_of TEXT,
  since_ms INTEGER NOT NULL,
  used_at_ms INTEGER NOT NULL,
  turns INTEGER NOT NULL DEFAULT 0,
  is_current INTEGER NOT NULL DEFAULT 1
) STRICT;
CREATE UNIQUE INDEX sessions_current ON sessions (chat_id, thread_id, agent, folder, app_id)
  WHERE is_current = 1;
CREATE INDEX sessions_chat ON sessions (chat_id);
CREATE INDEX sessions_owner ON sessions (owner);
CREATE INDEX sessions_title ON sessions (title_of) WHERE title_of IS NOT NULL;
INSERT INTO sessions (id, app_id, chat_id, thread_id, since_ms, used_at_ms, turns)
  SELECT id, app_id, chat_id, thread_id, since_ms, since_ms, is_used FROM sessions_of_places;
DROP TABLE sessions_of_places;

CREATE TABLE places (
  app_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  thread_id TEXT NOT NULL,
  agent TEXT NOT NULL,
  folder TEXT NOT NULL,
  PRIMARY KEY (app_id, chat_id, thread_id)
) STRICT, WITHOUT ROWID;
`;
