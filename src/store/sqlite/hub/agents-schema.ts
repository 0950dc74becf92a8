/** Agents that speak a protocol. SQLite can't change a check, so the table is written anew. */
export const AGENTS_WITH_PROTOCOLS = `
CREATE TABLE hub_agents_new (
  name TEXT PRIMARY KEY,
  workspace_id TEXT NOT NULL UNIQUE REFERENCES hub_workspaces (id),
  kind TEXT NOT NULL CHECK (kind IN ('echo', 'exec', 'acp', 'a2a', 'external')),
  config TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  built_in INTEGER NOT NULL DEFAULT 0 CHECK (built_in IN (0, 1))
) STRICT;
INSERT INTO hub_agents_new (name, workspace_id, kind, config, created_at_ms, built_in)
  SELECT name, workspace_id, kind, config, created_at_ms, built_in FROM hub_agents ORDER BY rowid;
DROP TABLE hub_agents;
ALTER TABLE hub_agents_new RENAME TO hub_agents;
`;

/** When a person chose the agent that gets the turns, the last time. */
export const CHOSEN_AGENTS = 'ALTER TABLE hub_agents ADD COLUMN chosen_at_ms INTEGER';
