/**
 * `webhooks`: addresses elsewhere that are told what happens. Their secrets are not here, so a copy of the database
 * tells none. `kinds`: words with commas. `webhook_deliveries`: what they have still to be told, as JSON of a `NewsItem`.
 */
export const WEBHOOKS_SCHEMA = `
CREATE TABLE webhooks (
  id TEXT PRIMARY KEY,
  url TEXT NOT NULL UNIQUE,
  kinds TEXT NOT NULL,
  is_private INTEGER NOT NULL,
  with_text INTEGER NOT NULL,
  added_at_ms INTEGER NOT NULL,
  left_out INTEGER NOT NULL DEFAULT 0
) STRICT, WITHOUT ROWID;
CREATE TABLE webhook_deliveries (
  seq INTEGER PRIMARY KEY,
  webhook TEXT NOT NULL,
  item TEXT NOT NULL,
  created_at_ms INTEGER NOT NULL,
  due_at_ms INTEGER NOT NULL,
  attempts INTEGER NOT NULL DEFAULT 0
) STRICT;
CREATE INDEX webhook_deliveries_order ON webhook_deliveries (webhook, seq);
`;
