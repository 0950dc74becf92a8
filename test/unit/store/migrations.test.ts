/** A database of the version before is taken over. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { queueId } from '../../../src/hub/ports.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { connect } from '../../../src/store/sqlite/driver.ts';
import { itemsTable, programOutputOf } from '../../../src/store/sqlite/hub/items.ts';
import { MIGRATIONS } from '../../../src/store/sqlite/migrations.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'migrations-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

test('an item from before the last words of programs were kept is settled with them', async () => {
  const path = join(folder, 'bridge.db');
  const before = connect(path);
  before.exec(MIGRATIONS[0] ?? '');
  before.exec(`INSERT INTO hub_items (queue_id, target_id, source_id, message_id, lane, run_by_hub,
    status, enqueued_at_ms, request_body) VALUES ('q', 't', 's', 'm', 'l', 1, 'dispatched', 1, '{}')`);
  before.exec('PRAGMA user_version = 1');
  before.close();
  const db = Db.open(path, SILENT);
  try {
    expect(programOutputOf(db, 'm')).toBeUndefined();
    const output = { stdout: 'no credit left', stderr: '' };
    const ending = { status: 'failed', responseBody: '{}', lastError: 'it broke', output } as const;
    await db.write(() => itemsTable(db).settle(queueId('q'), { ...ending, atMs: 2 }));
    expect(programOutputOf(db, 'm')).toEqual(output);
  } finally {
    db.close();
  }
});
