/**
 * `hub_usage`: what each workspace has in the database. `stored_rows` and `stored_bytes` count what it wrote: what it
 * sent, its answers and reports, its card. The answer of an agent that the hub runs counts for who asked. `waiting`
 * counts the turns that it sent and that are not settled, `asked` those that it was sent.
 * `hub_ready`: the turns that the hub may begin: the first one of each lane that waits. With it the look for the next
 * turns costs as much as there are senders, however much waits.
 * Triggers keep both. So they agree with what they are about in every commit, whoever wrote it.
 */
const isOpen = (row: string) => `${row}status IN ('queued', 'dispatched')`;

const lengths = (row: string, columns: readonly string[]) =>
  columns.map((column) => `COALESCE(octet_length(${row}${column}), 0)`).join(' + ');

const sentBytes = (row: string) => lengths(row, ['content', 'request_id', 'message_id', 'lane']);
const endBytes = (row: string) => lengths(row, ['outcome', 'last_error', 'program_output']);
const rowBytes = (row: string) =>
  lengths(row, [
    'request_body',
    'response_body',
    'tool_trace',
    'attachments',
    'summary',
    'error_detail',
    'request_id',
    'message_id',
    'target_id',
    'method',
    'status',
  ]);

/** Who wrote how an item ended. */
const endWriter = (row: string) =>
  `CASE WHEN ${row}run_by_hub = 0 AND ${row}status = 'completed' THEN ${row}target_id ELSE ${row}source_id END`;
const rowWriter = (row: string) => `COALESCE(${row}sender_id, ${row}workspace_id)`;

interface Counts {
  readonly rows?: number;
  readonly bytes?: string;
  readonly waiting?: string;
  readonly asked?: string;
}

const count = (workspace: string, counts: Counts) => {
  const { rows = 0, bytes = '0', waiting = '0', asked = '0' } = counts;
  return `INSERT INTO hub_usage (workspace_id, stored_rows, stored_bytes, waiting, asked)
    VALUES (${workspace}, ${rows}, ${bytes}, ${waiting}, ${asked})
    ON CONFLICT (workspace_id) DO UPDATE SET stored_rows = stored_rows + excluded.stored_rows,
      stored_bytes = stored_bytes + excluded.stored_bytes, waiting = waiting + excluded.waiting,
      asked = asked + excluded.asked;`;
};

const FIRST_THAT_WAITS = `SELECT source_id, seq, queue_id, expires_at_ms FROM hub_items
    WHERE seq = (SELECT MIN(seq) FROM hub_items WHERE target_id = NEW.target_id
        AND source_id = NEW.source_id AND lane = NEW.lane AND ${isOpen('')})
      AND status = 'queued' AND run_by_hub = 1`;

/** The same counts, summed from what is there. */
export const USAGE_SUM = `SELECT workspace_id, SUM(stored_rows) AS stored_rows,
    SUM(stored_bytes) AS stored_bytes, SUM(waiting) AS waiting, SUM(asked) AS asked
  FROM (
    SELECT source_id AS workspace_id, 1 AS stored_rows, ${sentBytes('')} AS stored_bytes,
      ${isOpen('')} AS waiting, 0 AS asked FROM hub_items
    UNION ALL SELECT ${endWriter('')}, 0, ${endBytes('')}, 0, 0 FROM hub_items
    UNION ALL SELECT target_id, 0, 0, 0, ${isOpen('')} FROM hub_items
    UNION ALL SELECT ${rowWriter('')}, 1, ${rowBytes('')}, 0, 0 FROM hub_activity
    UNION ALL SELECT id, 0, ${lengths('', ['agent_card'])}, 0, 0 FROM hub_workspaces)
  GROUP BY workspace_id`;

export const HUB_USAGE = `
ALTER TABLE hub_activity ADD COLUMN attachments TEXT;
ALTER TABLE hub_workspaces ADD COLUMN card_name TEXT;
UPDATE hub_workspaces SET card_name = CASE WHEN json_valid(agent_card) THEN
    CASE WHEN json_type(agent_card, '$.name') = 'text' AND agent_card ->> '$.name' <> ''
      THEN agent_card ->> '$.name' END
  END;
CREATE TABLE hub_usage (
  workspace_id TEXT PRIMARY KEY,
  stored_rows INTEGER NOT NULL,
  stored_bytes INTEGER NOT NULL,
  waiting INTEGER NOT NULL,
  asked INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
INSERT INTO hub_usage (workspace_id, stored_rows, stored_bytes, waiting, asked) ${USAGE_SUM};

CREATE TABLE hub_ready (
  source_id TEXT NOT NULL,
  seq INTEGER NOT NULL,
  queue_id TEXT NOT NULL,
  expires_at_ms INTEGER,
  PRIMARY KEY (source_id, seq)
) STRICT, WITHOUT ROWID;
INSERT INTO hub_ready (source_id, seq, queue_id, expires_at_ms)
  SELECT source_id, seq, queue_id, expires_at_ms FROM hub_items
  WHERE seq IN (SELECT MIN(seq) FROM hub_items WHERE ${isOpen('')}
      GROUP BY target_id, source_id, lane)
    AND status = 'queued' AND run_by_hub = 1;

CREATE INDEX hub_items_queued ON hub_items (seq) WHERE status = 'queued' AND run_by_hub = 1;
CREATE INDEX hub_workspaces_registered ON hub_workspaces (id) WHERE origin = 'registered';

CREATE TRIGGER hub_items_added AFTER INSERT ON hub_items BEGIN
  ${count('NEW.source_id', { rows: 1, bytes: sentBytes('NEW.'), waiting: isOpen('NEW.') })}
  ${count('NEW.target_id', { asked: isOpen('NEW.') })}
END;
CREATE TRIGGER hub_items_waiting AFTER INSERT ON hub_items
  WHEN NEW.status = 'queued' AND NEW.run_by_hub = 1 BEGIN
  INSERT OR IGNORE INTO hub_ready (source_id, seq, queue_id, expires_at_ms) ${FIRST_THAT_WAITS};
END;
CREATE TRIGGER hub_items_moved AFTER UPDATE OF status ON hub_items WHEN NEW.run_by_hub = 1 BEGIN
  DELETE FROM hub_ready WHERE source_id = NEW.source_id AND seq = NEW.seq;
  INSERT OR IGNORE INTO hub_ready (source_id, seq, queue_id, expires_at_ms) ${FIRST_THAT_WAITS};
END;
CREATE TRIGGER hub_items_settled_once AFTER UPDATE OF status ON hub_items
  WHEN ${isOpen('OLD.')} AND NOT ${isOpen('NEW.')} BEGIN
  ${count('NEW.source_id', { waiting: '-1' })}
  ${count('NEW.target_id', { asked: '-1' })}
  ${count(endWriter('NEW.'), { bytes: endBytes('NEW.') })}
END;
CREATE TRIGGER hub_items_deleted AFTER DELETE ON hub_items BEGIN
  ${count('OLD.source_id', { rows: -1, bytes: `-(${sentBytes('OLD.')})`, waiting: `-(${isOpen('OLD.')})` })}
  ${count('OLD.target_id', { asked: `-(${isOpen('OLD.')})` })}
  ${count(endWriter('OLD.'), { bytes: `-(${endBytes('OLD.')})` })}
  DELETE FROM hub_ready WHERE source_id = OLD.source_id AND seq = OLD.seq;
END;
CREATE TRIGGER hub_activity_added AFTER INSERT ON hub_activity BEGIN
  ${count(rowWriter('NEW.'), { rows: 1, bytes: rowBytes('NEW.') })}
END;
CREATE TRIGGER hub_activity_deleted AFTER DELETE ON hub_activity BEGIN
  ${count(rowWriter('OLD.'), { rows: -1, bytes: `-(${rowBytes('OLD.')})` })}
END;
CREATE TRIGGER hub_workspaces_added AFTER INSERT ON hub_workspaces BEGIN
  ${count('NEW.id', { bytes: lengths('NEW.', ['agent_card']) })}
END;
CREATE TRIGGER hub_workspaces_described AFTER UPDATE OF agent_card ON hub_workspaces BEGIN
  ${count('NEW.id', { bytes: `${lengths('NEW.', ['agent_card'])} - ${lengths('OLD.', ['agent_card'])}` })}
END;
`;
