/** Who may talk to the bot, with the whole bridge and the real journal. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import type { GroupLookup } from '../../../src/bridge/ports/access.ts';
import type { Outgoing } from '../../../src/bridge/ports/delivery.ts';
import { chatId, messageId, openId, turnId } from '../../../src/core/ids.ts';
import type { InboundMessage, SenderFacts } from '../../../src/core/message.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import { SqliteAccess } from '../../../src/store/sqlite/bridge/access.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { SqliteOrders } from '../../../src/store/sqlite/bridge/orders.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { type RecordingLog, recordingLog } from '../../kit/log.ts';
import { seeded } from '../../sim/random.ts';
import { message } from './samples.ts';
import { createBridge, HUB, passTime } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';

const MINUTE_MS = 60_000;
const OWNER = openId('ou_owner');
const OWNERS_CHAT = chatId('oc_owner');
const GROUP = chatId('oc_group');
const HOME = 'tenant_home';
const CODE = /[3-9A-Y]{8}/;

interface Shown {
  readonly id: string;
  readonly chat: string;
  readonly text: string;
  readonly under: string | undefined;
  readonly values: readonly Readonly<Record<string, string>>[];
}

let path: string;
let db: Db;
let bridge: Bridge;
let clock: VirtualClock;
let log: RecordingLog;
let isWriting: () => boolean;
let asked: string[];
let shown: Shown[];
let lookups: GroupLookup[];
let holds: Promise<void> | undefined;
let count: number;
/** What Lark calls people. Undefined: it does not answer. */
let names: ReadonlyMap<string, string> | undefined;

beforeEach(() => {
  path = join(temporaryFolder(), 'bridge.db');
  clock = new VirtualClock(Date.UTC(2026, 0, 5));
  log = recordingLog();
  [asked, shown, lookups, count, holds, names] = [[], [], [], 0, undefined, new Map()];
});

afterEach(() => close());

async function close(): Promise<void> {
  const stopped = bridge.stop();
  await run(2_000);
  await stopped;
  db.close();
}

type Mode = 'pairing' | 'allowlist' | 'owner' | 'open';

async function boot(accessMode: Mode = 'pairing', owner: typeof OWNER | null = OWNER) {
  db = Db.open(path, log);
  isWriting = writesUnderWay(db);
  bridge = createBridge({
    db,
    clock,
    log,
    accessMode,
    owner: () => owner ?? undefined,
    lookup: {
      group: () =>
        Promise.resolve(lookups.shift() ?? { ok: true, isExternal: false, name: 'Team' }),
      writeTo: () => Promise.resolve(OWNERS_CHAT),
    },
    lark: {
      form: contentForm,
      deliver: (out) => Promise.resolve({ ok: true, id: show(out) }),
      history: () => Promise.resolve([]),
      surroundings: {
        quotedBy: () => Promise.resolve({ ok: true, value: undefined }),
        threadBefore: () => Promise.resolve({ ok: true, value: [] }),
        latest: () => Promise.resolve({ ok: true, value: [] }),
        findNames: () => (names === undefined ? new Promise(() => {}) : Promise.resolve()),
        nameOf: (id) => names?.get(id),
      },
    },
    target: {
      ...HUB,
      send: async ({ text }) => {
        await holds;
        asked.push(text);
        return { kind: 'answered', text: `re: ${text}` };
      },
      wait: () => Promise.resolve({ kind: 'pending' }),
    },
  });
  await bridge.start();
}

function show(out: Outgoing): string {
  const id = `om_out_${shown.length}`;
  if (out.kind === 'reply' || out.kind === 'send') {
    const { content, buttonValues: values = [] } = out;
    const under = out.kind === 'reply' ? out.replyTo : undefined;
    shown.push({ id, chat: out.chatId, text: content.text, under, values });
  }
  return id;
}

const run = (durationMs = 2_000) => passTime(clock, { isWriting, durationMs });

interface Said extends SenderFacts {
  readonly id?: string;
  readonly by?: string;
  readonly text?: string;
  readonly group?: string;
}

/** A person says something: directly, or in a group with a mention. */
async function say({ id, by = 'ou_guest', text, group, ...facts }: Said = {}) {
  const name = id ?? `m${(count += 1)}`;
  const said: InboundMessage = {
    ...message,
    messageId: messageId(name),
    senderOpenId: openId(by),
    chatId: chatId(group ?? (by === OWNER ? OWNERS_CHAT : `oc_of_${by}`)),
    chatType: group === undefined ? 'p2p' : 'group',
    sentAtMs: clock.nowMs(),
    sender: { unionId: `on_${by}`, tenant: HOME, ownTenant: HOME, ...facts },
    parts: [{ kind: 'text', text: text ?? name }],
  };
  await bridge.intake.admit({ kind: 'message', message: said });
  await run();
}

const stateOf = async (id: string) =>
  (await new SqliteJournal({ db, app: message.appId, clock }).turn(turnId(id)))?.state;
const book = () => new SqliteAccess({ db, app: message.appId, clock });
const toGuest = () => shown.filter(({ chat }) => chat === 'oc_of_ou_guest').map(({ text }) => text);
const toOwner = () => shown.filter(({ chat }) => chat === OWNERS_CHAT);
const inGroup = () => shown.filter(({ chat }) => chat === GROUP).map(({ text }) => text);
const allow = (person = 'ou_guest') => bridge.access.allow(openId(person), { by: OWNER });

async function press(action: 'allow' | 'block', by = 'ou_owner', card = toOwner().at(-1)) {
  const value = card?.values.find(({ lark_bridge_choice: one }) => one === action) ?? {};
  const reply = await bridge.intake.admit({
    kind: 'button',
    appId: message.appId,
    eventId: `press${(count += 1)}`,
    chatId: chatId(card?.chat ?? ''),
    messageId: messageId(card?.id ?? ''),
    operatorOpenId: openId(by),
    value,
  });
  await run();
  return reply?.toast;
}

describe('a guest, with pairing', () => {
  test('gets one reply with a code, and the message is kept and starts no turn', async () => {
    await boot();
    await say({ id: 'first' });
    expect(toGuest()).toEqual([expect.stringMatching(CODE)]);
    expect(await stateOf('first')).toEqual({ phase: 'kept', why: 'guest' });
    expect(asked).toEqual([]);
  });

  test('gets at most one reply in ten minutes; a code is the same for an hour', async () => {
    await boot();
    await say();
    await say();
    expect(toGuest()).toHaveLength(1);
    await run(10 * MINUTE_MS);
    await say();
    await run(60 * MINUTE_MS);
    await say();
    const [first, second, third] = toGuest().map((text) => CODE.exec(text)?.[0]);
    expect([first === second, first === third, toGuest().length]).toEqual([true, false, 3]);
    // One card for each request.
    expect(toOwner()).toHaveLength(2);
  });

  test('is shown with the name, as far as Lark tells it in time', async () => {
    names = new Map([['ou_guest', 'Mei']]);
    await boot();
    await say();
    await say({ by: 'ou_other' });
    const [first, second] = toOwner();
    expect(first?.text).toContain('Mei (ou_guest) wants to talk to me.');
    expect(second?.text).toMatch(/^ou_other wants/);
    names = undefined;
    await say({ by: 'ou_third' });
    expect(toOwner().at(-1)?.text).toMatch(/^ou_third wants/);
    const people = await book().people();
    expect(people.map(({ openId: id, name }) => [id, name])).toEqual([
      ['ou_third', undefined],
      ['ou_other', undefined],
      ['ou_guest', 'Mei'],
    ]);
  });

  test('once let in by the button, is answered without sending it again', async () => {
    await boot();
    await say({ id: 'first' });
    await say({ id: 'second' });
    expect(toOwner().map(({ text }) => text)).toEqual([expect.stringContaining('ou_guest')]);
    await press('allow');
    expect(asked).toHaveLength(2);
    expect(toGuest().slice(1)).toEqual([
      expect.stringContaining('first'),
      expect.stringContaining('second'),
    ]);
    await say({ text: 'third' });
    expect(toGuest()).toHaveLength(4);
    expect(toOwner().at(-1)?.text).toContain('may talk to me now');
  });

  test('a second press, and one of somebody else, do nothing', async () => {
    await boot();
    await say();
    const card = toOwner().at(-1);
    const notLetIn = { kind: 'warning', text: expect.stringContaining('may not talk') as string };
    expect(await press('allow', 'ou_guest', card)).toEqual(notLetIn);
    await allow('ou_known');
    expect(await press('allow', 'ou_known', card)).toEqual({
      kind: 'warning',
      text: 'Only the owner of this bot can decide this.',
    });
    expect(asked).toEqual([]);
    const allowed = { kind: 'success', text: 'Allowed.' };
    expect(await press('allow', 'ou_owner', card)).toEqual(allowed);
    expect(await press('block', 'ou_owner', card)).toEqual(allowed);
    expect(asked).toHaveLength(1);
    expect(toOwner()).toHaveLength(2);
  });

  test('a blocked one is told so once, starts nothing, and nothing of it is stored', async () => {
    await boot();
    await say({ id: 'first' });
    await press('block');
    expect(await stateOf('first')).toEqual({ phase: 'dropped', why: 'not_allowed' });
    for (let at = 0; at < 3; at++) {
      await run(11 * MINUTE_MS);
      await say({ id: `later${at}`, text: 'secret words' });
    }
    expect(toGuest()).toHaveLength(2);
    expect(asked).toEqual([]);
    expect(db.all("SELECT seq FROM turns WHERE message LIKE '%secret words%'")).toEqual([]);
  });

  test('its commands and presses do nothing, and a recall ends what is kept', async () => {
    await boot();
    await say({ id: 'first' });
    await say({ text: '/run' });
    await say({ text: '/retry' });
    expect(await stateOf('first')).toMatchObject({ phase: 'kept' });
    const { appId } = message;
    const recalled = { messageId: messageId('first'), chatId: chatId('oc_of_ou_guest') };
    await bridge.intake.admit({ kind: 'recalled', appId, eventId: 'r', ...recalled });
    await allow();
    await run();
    expect(asked).toEqual([]);
    expect(toGuest()[1]).toContain('You are let in');
  });

  test('a bounded number of messages is kept', async () => {
    await boot();
    for (let at = 0; at < 25; at++) await say();
    await allow();
    await run();
    expect(asked).toHaveLength(20);
  });

  test('what was kept for too long is dropped', async () => {
    await boot();
    await say({ id: 'first' });
    const journal = new SqliteJournal({ db, app: message.appId, clock });
    const old = { endedBeforeMs: 0, deadBeforeMs: 0, keepIds: 1, limit: 10 };
    await journal.prune({ ...old, keptBeforeMs: clock.nowMs() });
    expect(await stateOf('first')).toEqual({ phase: 'dropped', why: 'not_allowed' });
  });
});

describe('the owner', () => {
  test('is who created the bot, and needs no permission', async () => {
    await boot();
    await say({ by: OWNER });
    expect(asked).toHaveLength(1);
  });

  test('is else the first person whose code the operator approves', async () => {
    await boot('pairing', null);
    await say();
    expect(toGuest()[0]).toContain('lark-bridge pairing approve');
    // The command line is another process.
    const outside = Db.openExisting(path);
    if (outside === undefined) throw new Error('no database');
    onTestFinished(() => outside.close());
    const orders = new SqliteOrders({ db: outside, app: message.appId, clock });
    await orders.place('person_pair', 'ou_guest');
    await run();
    expect(asked).toHaveLength(1);
    expect(await bridge.access.isOwner(openId('ou_guest'))).toBe(true);
    await say({ by: 'ou_second' });
    await orders.place('person_pair', 'ou_second');
    await run();
    expect(await bridge.access.isOwner(openId('ou_second'))).toBe(false);
    expect(asked).toHaveLength(2);
    const revoke = await orders.place('person_revoke', 'ou_guest');
    await run();
    expect((await orders.order(revoke))?.result).toEqual({ outcome: 'refused', phase: 'allowed' });
  });

  test('takes a permission back: the person has to ask again, and a waiting turn does not start', async () => {
    await boot();
    await allow();
    let release: (() => void) | undefined;
    holds = new Promise((resolve) => {
      release = resolve;
    });
    await say({ id: 'running' });
    await say({ id: 'waiting' });
    await bridge.access.block(openId('ou_guest'), { by: OWNER });
    release?.();
    await run();
    expect(asked).toHaveLength(1);
    expect(await stateOf('waiting')).toEqual({ phase: 'dropped', why: 'not_allowed' });
    await bridge.access.revoke(openId('ou_guest'), { by: OWNER });
    await run(11 * MINUTE_MS);
    await say();
    expect(toGuest().at(-1)).toMatch(CODE);
    expect(asked).toHaveLength(1);
  });
});

describe('the other modes', () => {
  test('allowlist: no code, the owner is asked, and the message is kept', async () => {
    await boot('allowlist');
    await say();
    expect(toGuest()).toEqual([expect.stringContaining('my owner')]);
    expect(toGuest()[0]).not.toMatch(CODE);
    await press('allow');
    expect(asked).toHaveLength(1);
  });

  test('owner: nobody else, and one line', async () => {
    await boot('owner');
    await say();
    await allow();
    await say();
    await say({ by: OWNER });
    expect(toGuest()).toEqual([expect.stringContaining('only my owner')]);
    expect(asked).toHaveLength(1);
  });

  test('open: everybody, external people too, but no bots and nobody who is blocked', async () => {
    await boot('open');
    await say({ tenant: 'tenant_other' });
    await say({ by: 'ou_bot', isBot: true, group: GROUP });
    await bridge.access.block(openId('ou_bad'), { by: OWNER });
    await say({ by: 'ou_bad' });
    expect(asked).toHaveLength(1);
  });
});

describe('groups', () => {
  test('of the own tenant: who may talk in private may mention the bot; a guest gets one line without a code', async () => {
    await boot();
    await allow('ou_known');
    await say({ by: 'ou_known', group: GROUP });
    await say({ group: GROUP });
    await say({ group: GROUP });
    expect(asked).toHaveLength(1);
    expect(inGroup()).toHaveLength(2);
    expect(inGroup()[1]).toContain('direct chat');
    expect(inGroup()[1]).not.toMatch(CODE);
    // In private the guest gets a code all the same.
    await say();
    expect(toGuest()).toEqual([expect.stringMatching(CODE)]);
  });

  const added = (by: string, isExternal: boolean | undefined) => {
    const event = { kind: 'bot_added', appId: message.appId, chatId: GROUP, name: 'Team' } as const;
    return bridge.intake.admit({ ...event, eventId: 'added', by: openId(by), isExternal });
  };

  test('everybody in a group may talk once the owner has added the bot or allowed the group', async () => {
    await boot();
    await say({ group: GROUP, id: 'early' });
    await added(OWNER, false);
    await run();
    await say({ by: 'ou_other', group: GROUP });
    expect(asked).toHaveLength(2);
    expect(inGroup().filter((text) => text.includes('Mention me'))).toHaveLength(1);
    await bridge.access.denyChat(GROUP, { by: OWNER });
    await say({ by: 'ou_other', group: GROUP });
    expect(asked).toHaveLength(2);
    await bridge.access.allowChat(GROUP, { by: OWNER });
    await say({ by: 'ou_other', group: GROUP });
    expect(asked).toHaveLength(3);
  });

  test('an external one only when it is allowed by name, also if the owner has added the bot', async () => {
    await boot();
    lookups = [{ ok: true, isExternal: true, name: 'Partners' }];
    await say({ by: OWNER, group: GROUP });
    expect([asked.length, inGroup().length]).toEqual([0, 1]);
    expect(inGroup()[0]).toContain('/allow');
    await added(OWNER, true);
    await run();
    await say({ by: OWNER, group: GROUP });
    expect(asked).toHaveLength(0);
    await bridge.access.allowChat(GROUP, { by: OWNER });
    await run();
    await say({ by: 'ou_partner', tenant: 'tenant_other', group: GROUP });
    // The two of the owner that were kept, and the last one.
    expect(asked).toHaveLength(3);
  });

  test('what Lark does not say now is asked again; what it does not say at all is closed, and says so once', async () => {
    await boot();
    await allow('ou_known');
    lookups = [{ ok: false, isPassing: true }];
    await say({ by: 'ou_known', group: GROUP, id: 'first' });
    expect(await stateOf('first')).toEqual({ phase: 'kept', why: 'group_unknown' });
    await run(MINUTE_MS);
    expect(asked).toHaveLength(1);
    lookups = [{ ok: false, isPassing: false }];
    const closed = 'oc_closed';
    await say({ by: 'ou_known', group: closed });
    await say({ by: 'ou_known', group: closed });
    const told = shown.filter(({ chat }) => chat === closed);
    expect([asked.length, told.length]).toEqual([1, 1]);
  });
});

describe('people of other tenants, and bots', () => {
  test('an external person, and one whose tenant nobody knows, only when allowed by name', async () => {
    await boot();
    await say({ tenant: 'tenant_other' });
    expect(toGuest()).toEqual([expect.stringContaining('by name')]);
    const unknown = { ...message, messageId: messageId('x'), senderOpenId: openId('ou_unknown') };
    await bridge.intake.admit({ kind: 'message', message: unknown });
    await run();
    expect(shown.filter(({ chat }) => chat === message.chatId)).toHaveLength(1);
    // No card: the owner has to name them.
    expect(toOwner()).toEqual([]);
    await allow();
    await say({ tenant: 'tenant_other' });
    expect(asked).toHaveLength(2);
  });

  test('a bot is heard only when it is allowed by name, and ten turns in a row without a person', async () => {
    await boot();
    await bridge.access.allowChat(GROUP, { by: OWNER });
    const bot = { by: 'ou_bot', isBot: true, group: GROUP } as const;
    await say(bot);
    expect([asked.length, shown.length]).toEqual([0, 0]);
    expect(await book().people()).toMatchObject([{ openId: 'ou_bot', state: 'waiting' }]);
    await allow('ou_bot');
    for (let at = 0; at < 14; at++) await say(bot);
    expect(asked).toHaveLength(10);
    expect(inGroup().filter((text) => text.includes('another bot'))).toHaveLength(1);
    await say({ group: GROUP });
    await say(bot);
    expect(asked).toHaveLength(12);
  });

  test('a person is known by the union id in another app of the same developer', async () => {
    await boot();
    await allow();
    await say();
    db.run("UPDATE access_people SET open_id = 'ou_there', app_id = 'cli_other'");
    await say();
    expect(asked).toHaveLength(2);
    await bridge.access.revoke(openId('ou_guest'), { by: OWNER });
    await say();
    expect(asked).toHaveLength(2);
  });
});

describe('a welcome', () => {
  const enter = (by: string, isEmpty = true) => {
    const chat = chatId(by === OWNER ? OWNERS_CHAT : `oc_of_${by}`);
    const event = { kind: 'chat_entered', appId: message.appId, chatId: chat } as const;
    return bridge.intake.admit({ ...event, eventId: `e${(count += 1)}`, by: openId(by), isEmpty });
  };

  test('comes once to whoever opens the chat for the first time', async () => {
    await boot();
    await enter('ou_guest');
    await enter('ou_guest');
    await enter('ou_old', false);
    await run();
    expect(toGuest()).toEqual([expect.stringContaining('Hello')]);
    expect(shown).toHaveLength(1);
    await say();
    expect(toGuest()[1]).toMatch(CODE);
  });
});

test('what was kept is answered once, although the process died after the permission', async () => {
  await boot();
  await say({ id: 'first' });
  // The write of the permission is all that the process did.
  await book().settle({
    subject: { openId: openId('ou_guest') },
    decide: () => ({ change: { person: { state: 'allowed' } } }),
    move: () => ({ state: { phase: 'waiting', attempt: 0, notBeforeMs: 0 }, out: [] }),
  });
  await close();
  await boot();
  await run();
  expect(asked).toHaveLength(1);
});

test('whoever an earlier version answered is let in, and the log says once how many', async () => {
  const earlier = Db.open(path, log);
  const known = { openId: 'ou_guest', state: 'allowed', decidedBy: 'earlier_version' };
  await earlier.write(() => {
    const sql = `INSERT INTO access_people (app_id, open_id, state, record) VALUES (?, ?, 'allowed', ?)`;
    earlier.run(sql, message.appId, known.openId, JSON.stringify(known));
  });
  earlier.close();
  await boot();
  await say({ text: 'go on' });
  await run();
  expect(asked).toEqual(['go on']);
  await close();
  await boot();
  expect(log.lines.filter(({ event }) => event === 'earlier_people_let_in')).toEqual([
    { level: 'info', event: 'earlier_people_let_in', people: 1, access: 'pairing' },
  ]);
});

test.each([1, 2, 3, 4])(
  'whatever is decided in whatever order, only who is let in is answered, once for each message (seed %i)',
  async (seed) => {
    await boot();
    const random = seeded(seed);
    const people = ['ou_a', 'ou_b', 'ou_c'];
    const is = new Map<string, 'guest' | 'allowed' | 'blocked'>();
    const kept = new Map<string, string[]>();
    const expected: string[] = [];
    for (let step = 0; step < 30; step++) {
      const by = people[Math.floor(random() * people.length)] ?? '';
      const person = openId(by);
      const roll = random();
      if (roll < 0.6) {
        const id = `s${step}`;
        await say({ by, id });
        if (is.get(by) === 'allowed') expected.push(id);
        else if (is.get(by) !== 'blocked') kept.set(by, [...(kept.get(by) ?? []), id]);
      } else if (roll < 0.75) {
        await bridge.access.allow(person, { by: OWNER });
        expected.push(...(kept.get(by) ?? []));
        kept.delete(by);
        is.set(by, 'allowed');
      } else if (roll < 0.85) {
        await bridge.access.block(person, { by: OWNER });
        kept.delete(by);
        is.set(by, 'blocked');
      } else if (roll < 0.95) {
        await bridge.access.revoke(person, { by: OWNER });
        is.set(by, 'guest');
      } else {
        await close();
        await boot();
      }
      await run();
      expect(asked.toSorted()).toEqual(expected.toSorted());
    }
  },
);
