/** The table `questions`: what agents asked during their turns. `question` and `state` are JSON of a `Question`. */
export const QUESTIONS_SCHEMA = `
CREATE TABLE questions (
  seq INTEGER PRIMARY KEY,
  key TEXT NOT NULL UNIQUE,
  app_id TEXT NOT NULL,
  turn TEXT NOT NULL,
  chat_id TEXT NOT NULL,
  question TEXT NOT NULL,
  phase TEXT NOT NULL CHECK (phase IN ('open', 'answered', 'expired', 'over')),
  state TEXT NOT NULL,
  asked_at_ms INTEGER NOT NULL,
  is_settled INTEGER NOT NULL
) STRICT;
CREATE INDEX questions_turn ON questions (turn);
CREATE INDEX questions_unsettled ON questions (chat_id, seq) WHERE is_settled = 0;
`;
