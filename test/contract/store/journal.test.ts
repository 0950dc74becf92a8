/** What every implementation of the journal promises; run here for SQLite. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { messageId, turnId } from '../../../src/core/ids.ts';
import type { InboundMessage } from '../../../src/core/message.ts';
import type { TurnState } from '../../../src/core/turn.ts';
import type { OutboxDraft } from '../../../src/bridge/ports/outbox.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { draftOf, message } from '../../unit/bridge/samples.ts';
import { silentLog } from '../../kit/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { clockWithoutTimers } from '../../kit/clock.ts';

const WAITING: TurnState = { phase: 'waiting', attempt: 0, notBeforeMs: 0 };
const ANSWERED: TurnState = { phase: 'answered' };
const DAY_MS = 24 * 3_600_000;
let folder: string;
let db: Db;
let journal: SqliteJournal;
let nowMs = 1_000;

beforeEach(() => {
  folder = temporaryFolder();
  nowMs = 1_000;
  reopen();
});

afterEach(() => {
  db.close();
});

function reopen(): void {
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  const clock = clockWithoutTimers(() => nowMs);
  journal = new SqliteJournal({ db, app: message.appId, clock });
}

const said = (id: string, change: Partial<InboundMessage> = {}): InboundMessage => ({
  ...message,
  messageId: messageId(id),
  ...change,
});

function admit(id: string, state: TurnState = WAITING, out: readonly OutboxDraft[] = []) {
  return journal.admit({ message: said(id), receivedAtMs: nowMs, state, out });
}

const draft = (key: string, change: Partial<OutboxDraft> = {}) =>
  draftOf(key, { createdAtMs: nowMs, ...change });

const keys = async () => (await journal.pendingOut()).map(({ key }) => key);

describe('journal', () => {
  test('LCM-IN-09: a message is admitted once, also after it was opened anew', async () => {
    expect(await admit('om_1')).toBeDefined();
    expect(await admit('om_1')).toBeUndefined();
    db.close();
    reopen();
    expect(await admit('om_1')).toBeUndefined();
  });

  test('the same message admitted twice in one moment is one turn', async () => {
    const both = await Promise.all([admit('om_1'), admit('om_1')]);
    expect(both.filter((one) => one !== undefined)).toHaveLength(1);
  });

  test('a message comes back with all kinds of parts, and one of an older version too', async () => {
    const resource = { kind: 'audio', key: 'file_1', name: 'a.opus', durationMs: 2_000 } as const;
    const parts = [
      { kind: 'text', text: 'hear:' },
      { kind: 'resource', resource },
      { kind: 'forwarded' },
      { kind: 'unsupported', messageType: 'hologram' },
    ] as const;
    const one = said('om_1', { parts });
    await journal.admit({ message: one, receivedAtMs: nowMs, state: WAITING, out: [] });
    // So were they written before there were resources.
    await admit('om_2');
    const old = '[{"kind":"text","text":"hello"},{"kind":"unsupported","messageType":"image"}]';
    await db.write(() =>
      db.run(
        `UPDATE turns SET message = json_set(message, '$.parts', json(?)) WHERE message_id = 'om_2'`,
        old,
      ),
    );
    db.close();
    reopen();
    expect((await journal.turn(turnId('om_1')))?.message).toEqual(one);
    expect((await journal.turn(turnId('om_2')))?.message.parts).toEqual(JSON.parse(old));
  });

  test('a turn comes back as it was stored', async () => {
    const whole = said('om_1', { threadId: 'omt_1', parentId: messageId('om_0') });
    await journal.admit({ message: whole, receivedAtMs: 5, state: WAITING, out: [] });
    db.close();
    reopen();
    const turn = await journal.turn(turnId('om_1'));
    expect(turn).toMatchObject({ id: 'om_1', run: 1, receivedAtMs: 5, state: WAITING });
    expect(turn?.message.parts).toEqual(whole.parts);
    expect(turn?.message.threadId).toBe('omt_1');
  });

  test('a change and what it shows are one write', async () => {
    await admit('om_1');
    const { turn, changed, out } = await journal.changeTurn(turnId('om_1'), () => ({
      state: ANSWERED,
      out: [draft('a'), draft('b')],
    }));
    expect([turn.state, changed, out.length]).toEqual([ANSWERED, true, 2]);
    expect(await keys()).toEqual(['a', 'b']);
    await expect(
      journal.changeTurn(turnId('om_1'), () => {
        throw new Error('a bug');
      }),
    ).rejects.toThrow('a bug');
    expect((await journal.turn(turnId('om_1')))?.state).toEqual(ANSWERED);
  });

  test('an event changes a turn once', async () => {
    await admit('om_1');
    const change = () =>
      journal.changeTurn(turnId('om_1'), () => ({ state: WAITING, run: 2, out: [] }), {
        once: 'e1',
      });
    expect((await change()).changed).toBe(true);
    expect((await change()).changed).toBe(false);
  });

  test('open turns come back in order of arrival, those that are over do not', async () => {
    for (const id of ['om_b', 'om_a', 'om_c']) await admit(id);
    await journal.changeTurn(turnId('om_a'), () => ({ state: ANSWERED, out: [] }));
    expect((await journal.openTurns()).map(({ id }) => id)).toEqual(['om_b', 'om_c']);
  });

  test('a key is queued once', async () => {
    await journal.enqueue([draft('a')]);
    expect(
      await journal.enqueue([
        draft('a', { body: { kind: 'message', content: { kind: 'answer', text: 'other' } } }),
      ]),
    ).toEqual([]);
    expect((await journal.out('a'))?.body).toMatchObject({ content: { text: 'a' } });
  });

  test('a row that replaces another takes its place in the order, also the second time', async () => {
    await journal.enqueue([draft('a'), draft('b')]);
    const split = (key: string, into: string[]) =>
      journal.changeOut(key, () => ({
        state: { phase: 'dropped' },
        out: into.map((one) => draft(one)),
      }));
    await split('a', ['a1', 'a2']);
    await split('a1', ['a1x', 'a1y']);
    expect(await keys()).toEqual(['a1x', 'a1y', 'a2', 'b']);
  });

  test('a reaction that was never tried is cancelled, one that may be shown is removed', async () => {
    const react = (key: string) => draft(key, { body: { kind: 'react', emoji: 'Typing' } });
    const off = (key: string) => draft(`${key}-off`, { body: { kind: 'unreact', reactKey: key } });
    await journal.enqueue([react('r1'), react('r2')]);
    await journal.changeOut('r2', ({ state }) => ({ state, triedAtMs: 5 }));
    await journal.enqueue([off('r1'), off('r2'), off('never')]);
    expect(await keys()).toEqual(['r2', 'r2-off']);
    expect((await journal.out('r1'))?.state.phase).toBe('dropped');
  });

  test('old texts are removed, ids stay, and open turns and dead letters are kept', async () => {
    await admit('om_done', ANSWERED);
    await admit('om_open');
    await journal.enqueue([draft('sent'), draft('dead'), draft('open')]);
    await journal.changeOut('sent', () => ({ state: { phase: 'sent', larkId: 'x', atMs: 2 } }));
    await journal.changeOut('dead', () => ({ state: { phase: 'dead', atMs: 2 } }));
    nowMs = 2 * DAY_MS;
    const rules = { endedBeforeMs: DAY_MS, deadBeforeMs: 0, keepIds: 50_000, limit: 100 };
    expect(await journal.prune(rules)).toBe(2);
    expect(await journal.prune(rules)).toBe(0);
    expect((await journal.turn(turnId('om_done')))?.message.parts).toEqual([]);
    expect((await journal.turn(turnId('om_open')))?.message.parts).toHaveLength(1);
    expect(await admit('om_done')).toBeUndefined();
    expect(await journal.out('sent')).toBeUndefined();
    expect(await journal.out('dead')).toBeDefined();
    expect(await keys()).toEqual(['open']);
  });

  test('beyond the number to keep, old ids go too', async () => {
    for (const id of ['om_1', 'om_2', 'om_3']) await admit(id, ANSWERED);
    nowMs = 2 * DAY_MS;
    await journal.prune({ endedBeforeMs: DAY_MS, deadBeforeMs: 0, keepIds: 1, limit: 100 });
    expect(await journal.turn(turnId('om_2'))).toBeUndefined();
    expect(await journal.turn(turnId('om_3'))).toBeDefined();
  });
});
