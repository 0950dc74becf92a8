/** A database of the version before is taken over with all that it holds. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { connect } from '../../../src/store/sqlite/driver.ts';
import { MIGRATIONS } from '../../../src/store/sqlite/migrations.ts';
import { VirtualClock } from '../../sim/virtual-clock.ts';
import { message, turnIn } from '../bridge/samples.ts';

const SILENT = { debug() {}, info() {}, warn() {}, error() {} };

test('version 1: its turns are there, and get a reply token when they are given to an agent', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'migrations-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  const path = join(folder, 'bridge.db');
  const old = connect(path);
  old.exec(MIGRATIONS[0] ?? '');
  old.exec('PRAGMA user_version = 1');
  const waiting = { phase: 'waiting', attempt: 0, notBeforeMs: 0 };
  old
    .prepare(
      `INSERT INTO turns (app_id, message_id, chat_id, phase, state, message, received_at_ms, admitted_at_ms)
       VALUES (?, ?, ?, 'waiting', ?, ?, 1000, 1000)`,
    )
    .run(
      message.appId,
      message.messageId,
      message.chatId,
      JSON.stringify(waiting),
      JSON.stringify(message),
    );
  old.close();
  const db = Db.open(path, SILENT);
  onTestFinished(() => db.close());
  const journal = new SqliteJournal({ db, app: message.appId, clock: new VirtualClock(1_000) });
  const { id } = turnIn({ phase: 'answered' });
  expect((await journal.turn(id))?.replyToken).toBeUndefined();
  const replyToken = 'k3m9x2p7';
  await journal.changeTurn(id, ({ state }) => ({ state, replyToken, out: [] }));
  expect(await journal.turnOfToken(replyToken)).toMatchObject({ id, replyToken });
  // One that has a token keeps it.
  await journal.changeTurn(id, ({ state }) => ({ state, replyToken: 'bcdfghjk', out: [] }));
  expect((await journal.turn(id))?.replyToken).toBe(replyToken);
});
