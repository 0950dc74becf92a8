/**
 * `turns`: one row for each message that was admitted. The rows also show which ids are known. `message` and
 * `state` are JSON of `InboundMessage` and `TurnState`. Old rows lose their `message`.
 * `outbox`: everything that was sent or will be sent. `ord` is the row's place in the order if it replaced
 * another row. Otherwise `seq` is.
 * `runs`: each time that a turn was given to the agent.
 * `quarantine`: answers whose turn is not certain.
 * `cursors`: how far the inbox at a remote hub was read.
 * `chats`, `gaps`: which parts of the chats' histories were read after an outage.
 * `calls`: requests to Lark by month (`2026-01`) and class.
 * `daemon`: the latest status of the running process, for `status` and for what happened while it was away.
 * `events`: which events that are not messages took effect, on which turn or row.
 * `orders`: what an operator asked the daemon to do. An order without an outcome is still to be done.
 */
export const BRIDGE_SCHEMA = `
CREATE TABLE turns (
  seq INTEGER PRIMARY KEY,
  app_id TEXT NOT NULL,
  message_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  phase TEXT NOT NULL,
  state TEXT NOT NULL,
  run INTEGER NOT NULL DEFAULT 1,
  message TEXT NOT NULL,
  received_at_ms INTEGER NOT NULL,
  admitted_at_ms INTEGER NOT NULL,
  ended_at_ms INTEGER,
  UNIQUE (app_id, message_id)
) STRICT;
CREATE INDEX turns_open ON turns (seq) WHERE phase NOT IN ('answered', 'failed', 'dropped');
CREATE INDEX turns_askable ON turns (chat_id, seq) WHERE phase IN ('held', 'failed', 'overdue');

CREATE TABLE runs (
  seq INTEGER PRIMARY KEY,
  app_id TEXT NOT NULL,
  turn TEXT NOT NULL,
  run INTEGER NOT NULL,
  tries INTEGER NOT NULL DEFAULT 1,
  started_at_ms INTEGER NOT NULL,
  accepted_at_ms INTEGER,
  ended_at_ms INTEGER,
  ended_as TEXT,
  reason TEXT,
  UNIQUE (app_id, turn, run)
) STRICT;

CREATE TABLE outbox (
  seq INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  app_id TEXT NOT NULL,
  ord REAL,
  lane TEXT NOT NULL,
  turn TEXT,
  chat_id TEXT NOT NULL,
  reply_to TEXT,
  placement TEXT NOT NULL,
  priority TEXT NOT NULL,
  body TEXT NOT NULL,
  phase TEXT NOT NULL,
  due_at_ms INTEGER NOT NULL,
  created_at_ms INTEGER NOT NULL,
  tried_at_ms INTEGER,
  replayed_at_ms INTEGER,
  attempts INTEGER NOT NULL DEFAULT 0,
  ended_at_ms INTEGER,
  lark_id TEXT,
  last_error TEXT
) STRICT;
CREATE INDEX outbox_pending ON outbox (seq) WHERE phase = 'pending';
CREATE INDEX outbox_dead ON outbox (seq) WHERE phase = 'dead';
CREATE INDEX outbox_turn ON outbox (turn);

CREATE TABLE events (
  app_id TEXT NOT NULL,
  event_id TEXT NOT NULL,
  subject TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (app_id, event_id, subject)
) STRICT, WITHOUT ROWID;
CREATE INDEX events_age ON events (at_ms);

CREATE TABLE quarantine (
  app_id TEXT NOT NULL,
  id TEXT NOT NULL,
  text TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  turn TEXT,
  PRIMARY KEY (app_id, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE cursors (workspace TEXT PRIMARY KEY, row_id TEXT NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE chats (
  app_id TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  read_until_ms INTEGER NOT NULL,
  PRIMARY KEY (app_id, chat_id)
) STRICT, WITHOUT ROWID;

CREATE TABLE gaps (app_id TEXT PRIMARY KEY, from_ms INTEGER NOT NULL) STRICT, WITHOUT ROWID;

CREATE TABLE calls (
  app_id TEXT NOT NULL,
  month TEXT NOT NULL,
  class TEXT NOT NULL,
  count INTEGER NOT NULL,
  PRIMARY KEY (app_id, month, class)
) STRICT, WITHOUT ROWID;

CREATE TABLE orders (
  id INTEGER PRIMARY KEY AUTOINCREMENT,
  app_id TEXT NOT NULL,
  kind TEXT NOT NULL,
  subject TEXT NOT NULL,
  placed_at_ms INTEGER NOT NULL,
  outcome TEXT,
  phase TEXT
) STRICT;
CREATE INDEX orders_open ON orders (id) WHERE outcome IS NULL;

CREATE TABLE daemon (
  id INTEGER PRIMARY KEY CHECK (id = 1),
  pid INTEGER NOT NULL,
  alive_at_ms INTEGER NOT NULL,
  status TEXT NOT NULL
) STRICT;
`;

/** Version 2: the token with which an agent can mark its answer as the answer to a turn. */
export const REPLY_TOKENS = `
ALTER TABLE turns ADD COLUMN reply_token TEXT;
CREATE INDEX turns_reply_token ON turns (reply_token) WHERE reply_token IS NOT NULL;
`;

/** Rows of the outbox contain their meaning. Before, they contained the form in which Lark shows them. */
export const CONTENT_BY_MEANING = `
UPDATE outbox SET body = CASE json_extract(body, '$.kind')
  WHEN 'text' THEN json_patch(
    json_object('kind', 'message', 'content', json_object(
      'kind', CASE priority WHEN 'answer' THEN 'answer' ELSE 'notice' END,
      'text', json_extract(body, '$.text'))),
    CASE WHEN json_extract(body, '$.isLastWord') THEN json('{"tellsOfFailure":true}') ELSE '{}' END)
  ELSE json_object('kind', 'message', 'content', json(body))
END
WHERE json_extract(body, '$.kind') IN ('text', 'choice');
`;
