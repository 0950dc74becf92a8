/** The table `owner_notices`: what the owner was told about an agent. `agent` is its name or its workspace. */
export const OWNER_NOTICES_SCHEMA = `
CREATE TABLE owner_notices (
  app_id TEXT NOT NULL,
  agent TEXT NOT NULL,
  kind TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  PRIMARY KEY (app_id, agent, kind)
) STRICT, WITHOUT ROWID;
CREATE TRIGGER owner_notices_of_removed_agents AFTER DELETE ON hub_agents BEGIN
  DELETE FROM owner_notices WHERE agent IN (OLD.name, OLD.workspace_id);
END;
`;
