/**
 * `hub_workspaces`: accounts. `token_hash` is SHA-256 of the only token.
 * `hub_agents`: the agent of a workspace. `config` is JSON.
 * `hub_items`: turns. `lane` keeps their order. `run_by_hub` 0 means that the target polls for them.
 * `hub_activity`: the inboxes. `sender_id` is the owner of the token, also if `source_id` is NULL.
 * Large columns come last, so that reading the others skips their pages.
 * The agent `echo` always exists. Its time of creation is 0, so that it never counts as the newest.
 */
export const HUB_SCHEMA = `
CREATE TABLE hub_workspaces (
  id TEXT PRIMARY KEY,
  name TEXT NOT NULL,
  origin TEXT NOT NULL CHECK (origin IN ('agent', 'provisioned', 'registered')),
  run_by_hub INTEGER NOT NULL CHECK (run_by_hub IN (0, 1)),
  token_hash TEXT UNIQUE,
  agent_card TEXT,
  heartbeat_at_ms INTEGER,
  acked_seq INTEGER NOT NULL DEFAULT 0,
  created_at_ms INTEGER NOT NULL,
  removed_at_ms INTEGER
) STRICT;
CREATE UNIQUE INDEX hub_workspaces_provisioned ON hub_workspaces (name)
  WHERE origin = 'provisioned';

CREATE TABLE hub_agents (
  name TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL UNIQUE REFERENCES hub_workspaces (id),
  kind TEXT NOT NULL CHECK (kind IN ('echo', 'exec', 'external')),
  config TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  built_in INTEGER NOT NULL DEFAULT 0 CHECK (built_in IN (0, 1))
) STRICT;

CREATE TABLE hub_items (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  queue_id TEXT NOT NULL UNIQUE,
  target_id TEXT NOT NULL,
  source_id TEXT NOT NULL,
  message_id TEXT NOT NULL,
  lane TEXT NOT NULL,
  run_by_hub INTEGER NOT NULL CHECK (run_by_hub IN (0, 1)),
  status TEXT NOT NULL
    CHECK (status IN ('queued', 'dispatched', 'completed', 'failed', 'dropped')),
  attempts INTEGER NOT NULL DEFAULT 0,
  last_error TEXT,
  enqueued_at_ms INTEGER NOT NULL,
  dispatched_at_ms INTEGER,
  completed_at_ms INTEGER,
  expires_at_ms INTEGER,
  request_body TEXT NOT NULL,
  response_body TEXT,
  UNIQUE (source_id, target_id, message_id)
) STRICT;
CREATE INDEX hub_items_lane ON hub_items (target_id, source_id, lane, seq, status)
  WHERE status IN ('queued', 'dispatched');
CREATE INDEX hub_items_expiring ON hub_items (expires_at_ms)
  WHERE status = 'queued' AND expires_at_ms IS NOT NULL;
CREATE INDEX hub_items_unanswered ON hub_items (enqueued_at_ms)
  WHERE status = 'queued' AND run_by_hub = 0;
CREATE INDEX hub_items_dispatched ON hub_items (seq) WHERE status = 'dispatched';
CREATE INDEX hub_items_settled ON hub_items (completed_at_ms) WHERE completed_at_ms IS NOT NULL;

CREATE TABLE hub_activity (
  seq INTEGER PRIMARY KEY AUTOINCREMENT,
  id TEXT NOT NULL UNIQUE,
  workspace_id TEXT NOT NULL,
  activity_type TEXT NOT NULL,
  source_id TEXT,
  target_id TEXT,
  method TEXT,
  summary TEXT,
  sender_id TEXT,
  message_id TEXT,
  status TEXT NOT NULL,
  error_detail TEXT,
  duration_ms INTEGER,
  created_at_ms INTEGER NOT NULL,
  request_body TEXT,
  response_body TEXT,
  tool_trace TEXT
) STRICT;
CREATE INDEX hub_activity_inbox ON hub_activity (workspace_id, seq);
CREATE INDEX hub_activity_age ON hub_activity (created_at_ms);
CREATE UNIQUE INDEX hub_activity_once ON hub_activity (workspace_id, sender_id, message_id)
  WHERE message_id IS NOT NULL;

INSERT INTO hub_workspaces (id, name, origin, run_by_hub, created_at_ms)
  VALUES ('ec400000-0000-4000-8000-000000000001', 'echo', 'agent', 1, 0);
INSERT INTO hub_agents (name, workspace_id, kind, config, created_at_ms, built_in)
  VALUES ('echo', 'ec400000-0000-4000-8000-000000000001', 'echo', '{}', 0, 1);
`;

/**
 * Turns are stored as content, no longer as JSON-RPC texts: `content` is the message with its metadata,
 * `request_id` the sender's id of the request (both JSON), `outcome` how the turn ended. In an inbox, rows
 * with a `request_id` have such a content in `request_body`.
 */
export const HUB_CONTENT = `
ALTER TABLE hub_items RENAME COLUMN request_body TO content;
ALTER TABLE hub_items RENAME COLUMN response_body TO outcome;
ALTER TABLE hub_items ADD COLUMN request_id TEXT NOT NULL DEFAULT 'null';
UPDATE hub_items SET
  request_id = coalesce(content -> '$.id', 'null'),
  content = content -> '$.params',
  outcome = CASE
    WHEN outcome IS NULL THEN NULL
    WHEN json_type(outcome, '$.result') IS NOT NULL
      THEN json_object('kind', 'answered', 'message', json(outcome -> '$.result'))
    ELSE json_object('kind', 'failed',
      'reason', coalesce(outcome ->> '$.error.data.reason', 'failed'),
      'detail', coalesce(outcome ->> '$.error.message', ''))
  END;
ALTER TABLE hub_activity ADD COLUMN request_id TEXT;
UPDATE hub_activity SET
  request_id = coalesce(request_body -> '$.id', 'null'),
  request_body = request_body -> '$.params'
  WHERE sender_id IS NOT NULL;
`;
