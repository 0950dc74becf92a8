/**
 * The table `approvals`: what people have allowed agents from now on. A folder or chat that does not matter is empty,
 * so that no approval is there twice. The agents are rows of the hub, which may be removed by another process.
 */
export const APPROVALS_SCHEMA = `
CREATE TABLE approvals (
  number INTEGER PRIMARY KEY AUTOINCREMENT,
  app_id TEXT NOT NULL,
  agent TEXT NOT NULL,
  agent_name TEXT,
  folder TEXT NOT NULL,
  tool TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  given_by TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  UNIQUE (app_id, agent, folder, tool, chat_id)
) STRICT;
CREATE TRIGGER approvals_of_removed_agents AFTER DELETE ON hub_agents BEGIN
  DELETE FROM approvals WHERE agent = OLD.workspace_id;
END;
`;
