/**
 * `usage`: what a run of a turn has used, as its agent said. `cost` is what the run added to the cost of the session,
 * and `session_cost` what the session had cost by then.
 */
export const USAGE_SCHEMA = `
CREATE TABLE usage (
  seq INTEGER PRIMARY KEY,
  app_id TEXT NOT NULL,
  turn TEXT NOT NULL,
  run INTEGER NOT NULL,
  session TEXT NOT NULL,
  at_ms INTEGER NOT NULL,
  input_tokens INTEGER,
  output_tokens INTEGER,
  cost REAL,
  session_cost REAL,
  currency TEXT,
  UNIQUE (app_id, turn, run)
) STRICT;
CREATE INDEX usage_session ON usage (app_id, session, seq);
CREATE INDEX usage_time ON usage (app_id, at_ms);
`;
