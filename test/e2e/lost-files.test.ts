/** A database, its log or its folder that changes under the daemon is noticed, and nothing is lost in silence. */
import {
  existsSync,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { connect } from '../../src/store/sqlite/driver.ts';
import { Rig } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});
afterEach(() => rig.close());

const path = (name = 'bridge.db') => join(rig.stateDir, name);

/** The daemon, after it has answered one message. */
async function startAnswering() {
  const bridge = await rig.run();
  const { user, chat } = rig.direct('Mia');
  const asked = rig.cloud.say({ chat, from: user, text: 'before' });
  await rig.repliesIn(chat, 1);
  return { bridge, user, chat, asked };
}

function turnsIn(file: string): string[] {
  const database = connect(file);
  try {
    return database
      .prepare('SELECT message_id AS id FROM turns')
      .all()
      .map(({ id }) => String(id));
  } finally {
    database.close();
  }
}

async function endedIn(bridge: Awaited<ReturnType<typeof rig.run>>) {
  expect(await bridge.exited).toBe(1);
  expect(bridge.logged('database_lost')).toBe(true);
  expect(bridge.stderr).toMatch(/^error: .*\nnext: .*start lark-bridge again/m);
  expect(bridge.stderr).not.toMatch(/this is a bug/);
  return bridge.stderr;
}

describe('F25: under the running daemon', () => {
  test('a database that is renamed ends it with 1, names its new name, and holds everything', async () => {
    const { bridge, asked } = await startAnswering();
    renameSync(path(), path('bridge.db.old'));
    expect(await endedIn(bridge)).toContain(`the database is now ${path('bridge.db.old')}`);
    expect(turnsIn(path('bridge.db.old'))).toEqual([asked.messageId]);
  });

  test('a database that is removed is kept under another name', async () => {
    const { bridge, user, chat, asked } = await startAnswering();
    rmSync(path());
    const said = await endedIn(bridge);
    const kept = readdirSync(rig.stateDir).find((name) => name.includes('.kept-')) ?? 'none';
    expect(said).toContain(`mv ${path(kept)} ${path()}`);
    expect(statSync(path(kept)).mode & 0o777).toBe(0o600);
    expect(turnsIn(path(kept))).toEqual([asked.messageId]);
    renameSync(path(kept), path());
    await rig.runHere();
    rig.cloud.say({ chat, from: user, text: 'after' });
    await rig.repliesIn(chat, 2);
  });

  test('a database that is replaced, with a log of its own: both are left as they are', async () => {
    const { bridge, asked } = await startAnswering();
    const [database, log] = [path('new.db'), path('new.log')];
    writeFileSync(database, 'a backup', { mode: 0o600 });
    writeFileSync(log, 'its log', { mode: 0o600 });
    renameSync(log, path('bridge.db-wal'));
    renameSync(database, path());
    await endedIn(bridge);
    expect(readFileSync(path(), 'utf8')).toBe('a backup');
    expect(readFileSync(path('bridge.db-wal'), 'utf8')).toBe('its log');
    const kept = readdirSync(rig.stateDir).find((name) => name.includes('.kept-')) ?? 'none';
    expect(turnsIn(path(kept))).toEqual([asked.messageId]);
  });

  test('a log that is removed ends it with 1, and the next start has everything', async () => {
    const { bridge, user, chat, asked } = await startAnswering();
    rmSync(path('bridge.db-wal'));
    expect(await endedIn(bridge)).toContain('bridge.db-wal was renamed or removed');
    expect(turnsIn(path())).toEqual([asked.messageId]);
    const next = await rig.runHere();
    rig.cloud.say({ chat, from: user, text: 'after' });
    await rig.repliesIn(chat, 2);
    expect(next.logged('database_lost_writes')).toBe(false);
  });

  test('a folder that is renamed ends it with 1, and holds everything', async () => {
    const { bridge, asked } = await startAnswering();
    const moved = join(rig.home, 'moved');
    renameSync(rig.stateDir, moved);
    expect(await endedIn(bridge)).toContain(`the database is now ${join(moved, 'bridge.db')}`);
    expect(turnsIn(join(moved, 'bridge.db'))).toEqual([asked.messageId]);
    expect(existsSync(rig.stateDir)).toBe(false);
  });

  test('a folder that is removed ends it with 1, and says that what was stored is lost', async () => {
    const { bridge } = await startAnswering();
    rmSync(rig.stateDir, { recursive: true });
    expect(await endedIn(bridge)).toContain('is lost, as its folder is gone too');
    mkdirSync(rig.stateDir, { mode: 0o700 });
  });

  test('the hub alone, too', async () => {
    const hub = rig.spawn({ words: ['hub', '--json', '--log-format', 'json'] });
    await hub.ready();
    renameSync(path(), path('bridge.db.old'));
    expect(await endedIn(hub)).toContain('bridge.db.old');
  });

  test('a database that is overwritten in its place ends it with 1; the next start sets it aside', async () => {
    const { bridge, user, chat } = await startAnswering();
    // What is in the log hides the pages below it.
    const other = connect(path());
    other.exec('PRAGMA wal_checkpoint(TRUNCATE)');
    other.close();
    const file = openSync(path(), 'r+');
    const bytes = statSync(path()).size;
    writeSync(file, Buffer.alloc(bytes - 100, 0x55), 0, bytes - 100, 100);
    rig.cloud.say({ chat, from: user, text: 'during' });
    const said = await bridge.exited.then(() => bridge.stderr);
    expect(said).toMatch(/^error: the database is damaged.*\nnext: /m);
    expect(said).not.toMatch(/this is a bug/);
    const next = await rig.runHere();
    expect(next.logged('database_set_aside')).toBe(true);
    await expect
      .poll(() => rig.replies(chat).some(({ text }) => text.includes('during')))
      .toBe(true);
  });
});
