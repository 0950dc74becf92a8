/** F8, F17: presses on the bridge's cards, with the whole bridge and the real journal. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import type { EventReply } from '../../../src/bridge/ports/intake.ts';
import type { Outgoing } from '../../../src/bridge/ports/delivery.ts';
import type { SendResult, TurnRequest, TurnTarget } from '../../../src/bridge/ports/target.ts';
import { chatId, messageId, openId, turnId } from '../../../src/core/ids.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { SqliteLanguages } from '../../../src/store/sqlite/bridge/languages.ts';
import { SqliteOrders } from '../../../src/store/sqlite/bridge/orders.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { withHeader } from '../../../src/wire/lark-context.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { type RecordingLog, recordingLog } from '../../kit/log.ts';
import { message } from './samples.ts';
import { createBridge, HUB, passTime } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';

const HOUR_MS = 3_600_000;
const BOSS = 'ou_boss';
const GUEST = 'ou_guest';

interface Shown {
  readonly id: string;
  readonly chat: string;
  readonly text: string;
  readonly values: readonly Readonly<Record<string, string>>[];
}

let db: Db;
let bridge: Bridge;
let journal: SqliteJournal;
let clock: VirtualClock;
let log: RecordingLog;
let isWriting: () => boolean;
let requests: TurnRequest[];
let says: SendResult;
let shown: Shown[];
let events: number;

const target: TurnTarget = {
  ...HUB,
  deduplicates: false,
  send: (request) => {
    requests.push(request);
    return Promise.resolve(says);
  },
  wait: () => Promise.resolve({ kind: 'pending' }),
};

beforeEach(async () => {
  db = Db.open(join(temporaryFolder(), 'bridge.db'), recordingLog());
  isWriting = writesUnderWay(db);
  clock = new VirtualClock(Date.UTC(2026, 0, 5));
  log = recordingLog();
  journal = new SqliteJournal({ db, app: message.appId, clock });
  [requests, shown, events] = [[], [], 0];
  says = { kind: 'unknown', detail: 'it broke' };
  bridge = createBridge({
    db,
    clock,
    log,
    lark: {
      form: contentForm,
      deliver: (out) => Promise.resolve({ ok: true, id: show(out) }),
      history: () => Promise.resolve([]),
    },
    target,
  });
  await bridge.start();
});

afterEach(async () => {
  const stopped = bridge.stop();
  await run(1_000);
  await stopped;
  db.close();
});

function show(out: Outgoing): string {
  const id = `om_out_${shown.length}`;
  if (out.kind === 'reply' || out.kind === 'send') {
    const { content, buttonValues: values = [] } = out;
    shown.push({ id, chat: out.chatId, text: content.text, values });
  }
  return id;
}

const run = (durationMs = 2_000) => passTime(clock, { isWriting, durationMs });

interface Said {
  readonly chat?: string;
  readonly ageMs?: number;
}

async function say(
  id: string,
  from: string,
  text: string,
  { chat = 'oc_1', ageMs = 0 }: Said = {},
) {
  await bridge.intake.admit({
    kind: 'message',
    message: {
      ...message,
      messageId: messageId(id),
      chatId: chatId(chat),
      chatType: 'group',
      senderOpenId: openId(from),
      sentAtMs: clock.nowMs() - ageMs,
      parts: [{ kind: 'text', text }],
    },
  });
  await run();
}

interface Pressed {
  readonly chat?: string;
  readonly card?: string;
  readonly value?: Readonly<Record<string, unknown>>;
}

/** Presses the first button of a card, unless something else is said. */
async function press(
  card: Shown | undefined,
  by: string,
  as: Pressed = {},
): Promise<EventReply['toast'] | undefined> {
  events += 1;
  const { chat = card?.chat ?? '', card: id = card?.id ?? '', value = card?.values[0] ?? {} } = as;
  const reply = await bridge.intake.admit({
    kind: 'button',
    appId: message.appId,
    eventId: `press_${events}`,
    chatId: chatId(chat),
    messageId: messageId(id),
    operatorOpenId: openId(by),
    value,
  });
  await run();
  return reply?.toast;
}

const cards = () => shown.filter(({ values }) => values.length > 0);
const told = (words: string) => shown.filter(({ text }) => text.includes(words)).length;
const turn = (id: string) => journal.turn(turnId(id));
const phaseOf = async (id: string) => (await turn(id))?.state.phase;
const NOT_VALID = {
  kind: 'error',
  text: expect.stringContaining('This button does not belong here, so it does nothing.') as string,
} as const;
const TOO_OLD = {
  kind: 'warning',
  text: expect.stringContaining('This button is too old, so it does nothing.') as string,
} as const;
const NOT_YOURS = {
  kind: 'warning',
  text: expect.stringContaining('Only the person who asked') as string,
} as const;

describe('F8: a press counts only on the card that was sent, in its chat', () => {
  beforeEach(async () => {
    await say('om_a', BOSS, 'pay');
    says = { kind: 'answered', text: 'done' };
  });

  test('by the person who asked, once', async () => {
    const [card] = cards();
    expect(await press(card, BOSS)).toEqual({ kind: 'success', text: 'It runs again.' });
    expect(await press(card, BOSS)).toEqual({
      kind: 'info',
      text: 'You have decided this already.',
    });
    expect(requests).toHaveLength(2);
    expect(await phaseOf('om_a')).toBe('answered');
    expect(shown.at(-1)?.text).toBe('done');
  });

  test.each<[string, Pressed]>([
    ['in another chat', { chat: 'oc_2' }],
    ['on a copy of the card', { card: 'om_copy' }],
    ['without a signature', { value: { lark_bridge_choice: 'retry', turn: 'om_a' } }],
  ])('not %s: it does nothing, and its presser gets a toast', async (_where, as) => {
    const before = shown.length;
    expect(await press(cards()[0], BOSS, as)).toEqual(NOT_VALID);
    expect(await press(cards()[0], BOSS, as)).toEqual(NOT_VALID);
    expect(await phaseOf('om_a')).toBe('held');
    expect(requests).toHaveLength(1);
    expect(shown).toHaveLength(before);
  });

  test('and what can be typed instead is named, in the language of the person', async () => {
    await new SqliteLanguages({ db, app: message.appId }).store(openId(GUEST), 'zh');
    const said = await press(cards()[0], GUEST, { card: 'om_copy' });
    expect(said?.text).toBe('这个按钮不属于这里，点击无效。请发送 /run、/skip 或 /retry。');
  });

  test('not after a week', async () => {
    const [card] = cards();
    clock.set(clock.nowMs() + 7 * 24 * HOUR_MS);
    const before = shown.length;
    expect(await press(card, BOSS)).toEqual(TOO_OLD);
    expect(shown).toHaveLength(before);
    expect(requests).toHaveLength(1);
  });

  test('not a used one: the next question has a card of its own', async () => {
    says = { kind: 'unknown', detail: 'it broke again' };
    const [first] = cards();
    await press(first, BOSS);
    await press(first, BOSS);
    expect(requests).toHaveLength(2);
    await press(cards()[1], BOSS);
    expect(requests).toHaveLength(3);
  });

  test('not a used one days later either, when old rows of the journal are gone', async () => {
    await say('om_b', BOSS, 'old', { ageMs: HOUR_MS });
    const card = cards().at(-1);
    await press(card, BOSS);
    expect(await phaseOf('om_b')).toBe('answered');
    clock.set(clock.nowMs() + 50 * HOUR_MS);
    const endedBeforeMs = clock.nowMs() - 1;
    await journal.prune({ endedBeforeMs, deadBeforeMs: 0, keepIds: 1, limit: 100 });
    await say('om_c', BOSS, 'old again', { ageMs: HOUR_MS });
    await press(card, BOSS);
    expect(await phaseOf('om_c')).toBe('held');
    await press(cards().at(-1), BOSS);
    expect(await phaseOf('om_c')).toBe('answered');
  });

  test('a card of another program is none of ours', async () => {
    const before = shown.length;
    const said = await press(cards()[0], BOSS, { value: { turn: 'om_a', choice: 'retry' } });
    expect(said).toBeUndefined();
    expect(shown).toHaveLength(before);
    expect(log.warnings()).not.toContain('press_refused');
  });
});

describe('F17: a turn belongs to the person who asked', () => {
  const senders = () => requests.map(({ context }) => context.senderOpenId);

  test('a button under it works for nobody else, who gets a toast', async () => {
    await say('om_a', BOSS, 'pay');
    const [card] = cards();
    const before = shown.length;
    expect(await press(card, GUEST)).toEqual(NOT_YOURS);
    expect(await press(card, GUEST, { value: card?.values[1] ?? {} })).toEqual(NOT_YOURS);
    expect(await press(card, 'ou_third')).toEqual(NOT_YOURS);
    expect(await phaseOf('om_a')).toBe('held');
    expect(requests).toHaveLength(1);
    expect(shown).toHaveLength(before);
  });

  test('a button under the run of another person is for that person', async () => {
    says = { kind: 'failed', detail: 'it broke' };
    await say('om_a', BOSS, 'pay');
    says = { kind: 'unknown', detail: 'it broke' };
    await say('om_b', GUEST, '/retry');
    expect(await phaseOf('om_a')).toBe('held');
    const card = cards().at(-1);
    says = { kind: 'answered', text: 'done' };
    expect(await press(card, BOSS)).toEqual(NOT_YOURS);
    expect(await press(card, GUEST)).toMatchObject({ kind: 'success' });
    expect(senders()).toEqual([BOSS, GUEST, GUEST]);
    expect(await phaseOf('om_a')).toBe('answered');
  });

  test('what waits for no decision any more is told, and runs no second time', async () => {
    await say('om_a', BOSS, 'pay');
    const [card] = cards();
    await say('om_b', BOSS, '/skip');
    expect(await press(card, BOSS)).toEqual({
      kind: 'info',
      text: 'Nothing waits for this decision any more.',
    });
    expect(requests).toHaveLength(1);
  });

  test('`/retry` of another person runs as that person, and again as the author when the author repeats it', async () => {
    says = { kind: 'failed', detail: 'it broke' };
    await say('om_a', BOSS, 'pay');
    await say('om_b', GUEST, '/retry');
    expect((await turn('om_a'))?.askedBy).toBe(GUEST);
    await say('om_c', BOSS, '/retry');
    expect((await turn('om_a'))?.askedBy).toBeUndefined();
    expect(senders()).toEqual([BOSS, GUEST, BOSS]);
    const [, second] = requests;
    expect(second && withHeader(second.context, second.text, second.reply)).toMatch(
      / sender_open_id=ou_guest message_id=om_a reply_token=\S+\npay$/,
    );
    expect(log.lines).toContainEqual(
      expect.objectContaining({ event: 'turn_changed', turn: 'om_a', on: 'chosen', by: GUEST }),
    );
  });

  test('`/retry` means the own newest failed turn first, and `/skip` no turn of others', async () => {
    await say('om_a', GUEST, 'mine');
    await say('om_b', BOSS, 'pay');
    await say('om_c', GUEST, '/skip');
    expect([await phaseOf('om_a'), await phaseOf('om_b')]).toEqual(['dropped', 'held']);
    expect((await turn('om_a'))?.state).toMatchObject({ why: 'skipped', by: GUEST });
    await say('om_d', GUEST, '/skip');
    expect(await phaseOf('om_b')).toBe('held');
    expect(told('Nothing of yours')).toBe(1);
    says = { kind: 'answered', text: 'done' };
    await say('om_e', BOSS, '/retry');
    expect(senders()).toEqual([GUEST, BOSS, BOSS]);
  });

  test('others can fill a chat with failed turns: a command still finds the own one', async () => {
    await say('om_a', BOSS, 'pay');
    says = { kind: 'failed', detail: 'it broke' };
    for (let at = 0; at < 101; at += 1) await say(`om_guest_${at}`, GUEST, 'noise');
    await say('om_b', BOSS, '/skip');
    expect(await phaseOf('om_a')).toBe('dropped');
  });

  test('the question about old messages is for everybody: each decides about their own', async () => {
    says = { kind: 'answered', text: 'done' };
    await say('om_a', BOSS, 'old of boss', { ageMs: HOUR_MS });
    await say('om_b', GUEST, 'old of guest', { ageMs: HOUR_MS });
    const [card] = cards();
    expect(await press(card, 'ou_third')).toEqual(NOT_YOURS);
    expect(requests).toHaveLength(0);
    await press(card, GUEST);
    expect(senders()).toEqual([GUEST]);
    expect([await phaseOf('om_a'), await phaseOf('om_b')]).toEqual(['held', 'answered']);
    // The same card, or the one that asks again about the rest.
    await press(card, BOSS, { value: card?.values[1] ?? {} });
    expect(await phaseOf('om_a')).toBe('dropped');
    expect(senders()).toEqual([GUEST]);
  });

  test('an operator repeats it for the author, whoever asked for the run before', async () => {
    says = { kind: 'failed', detail: 'it broke' };
    await say('om_a', BOSS, 'pay');
    await say('om_b', GUEST, '/retry');
    await new SqliteOrders({ db, app: message.appId, clock }).place('turn_retry', 'om_a');
    const bridgeOrders = new SqliteOrders({ db, app: message.appId, clock });
    expect(await bridgeOrders.open()).toHaveLength(1);
    const stopped = bridge.stop();
    await run(1_000);
    await stopped;
    bridge = createBridge({
      db,
      clock,
      log,
      target,
    });
    await bridge.start();
    await run();
    expect(senders()).toEqual([BOSS, GUEST, BOSS]);
  });

  test('a recall says who did it', async () => {
    await say('om_a', BOSS, 'pay');
    await bridge.intake.admit({
      kind: 'recalled',
      appId: message.appId,
      eventId: 'recall_1',
      messageId: messageId('om_a'),
      chatId: chatId('oc_1'),
      by: 'group_manager',
    });
    await run();
    expect((await turn('om_a'))?.state).toEqual({
      phase: 'dropped',
      why: 'recalled',
      by: 'group_manager',
    });
  });
});
