/**
 * `live_cards`: one row for each card that showed a turn at work. `sequence` is the highest number that was set aside
 * for a call about it. A row of the outbox names the card that it ends.
 */
export const LIVE_CARDS = `
CREATE TABLE live_cards (
  key TEXT PRIMARY KEY,
  app_id TEXT NOT NULL,
  turn TEXT NOT NULL,
  run INTEGER NOT NULL,
  chat_id TEXT NOT NULL,
  reply_to TEXT NOT NULL,
  in_thread INTEGER NOT NULL,
  card_id TEXT,
  message_id TEXT,
  sequence INTEGER NOT NULL DEFAULT 0,
  opened_at_ms INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX live_cards_age ON live_cards (app_id, opened_at_ms);
ALTER TABLE outbox ADD COLUMN live_card TEXT;
CREATE INDEX outbox_live_card ON outbox (live_card) WHERE live_card IS NOT NULL;
`;

/** JSON of a `DoneSoFar`. */
export const DONE_SO_FAR = `
ALTER TABLE live_cards ADD COLUMN done TEXT;
CREATE INDEX live_cards_done ON live_cards (turn) WHERE done IS NOT NULL;
`;
