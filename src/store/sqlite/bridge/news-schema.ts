/**
 * `follows`: which chat is told of what happens elsewhere. `told_in`: the row of the outbox that told it last.
 * `follow_news`: what a chat has not been told yet. `item` is JSON of a `NewsItem`.
 */
export const NEWS_SCHEMA = `
CREATE TABLE follows (
  app_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  kind TEXT NOT NULL CHECK (kind IN ('turns', 'errors', 'questions', 'tools')),
  open_id TEXT NOT NULL,
  since_ms INTEGER NOT NULL,
  told_at_ms INTEGER,
  told_in TEXT,
  left_out INTEGER NOT NULL DEFAULT 0,
  PRIMARY KEY (app_id, chat_id, kind)
) STRICT, WITHOUT ROWID;
CREATE TABLE follow_news (
  seq INTEGER PRIMARY KEY,
  app_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  item TEXT NOT NULL
) STRICT;
CREATE INDEX follow_news_chat ON follow_news (app_id, chat_id, kind);
`;
