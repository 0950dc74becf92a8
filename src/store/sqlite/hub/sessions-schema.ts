/** One row for each memory of an agent that has an id of its own, or choices. */
export const AGENT_SESSIONS = `
CREATE TABLE hub_sessions (
  workspace_id TEXT NOT NULL,
  session TEXT NOT NULL,
  native_id TEXT,
  choices TEXT NOT NULL DEFAULT '{}',
  PRIMARY KEY (workspace_id, session)
) STRICT, WITHOUT ROWID;
`;
