/** What every implementation of the book of sessions promises; run here for SQLite. */
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { chatId, messageId, openId, turnId } from '../../../src/core/ids.ts';
import type { InboundMessage } from '../../../src/core/message.ts';
import type { TurnState } from '../../../src/core/turn.ts';
import { SqliteAccess } from '../../../src/store/sqlite/bridge/access.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { SqliteSessionBook } from '../../../src/store/sqlite/bridge/session-book.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { clockWithoutTimers } from '../../kit/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';
import { message } from '../../unit/bridge/samples.ts';

const WAITING: TurnState = { phase: 'waiting', attempt: 0, notBeforeMs: 0 };
const DAY_MS = 24 * 3_600_000;
const [ALICE, BOB] = [message.senderOpenId, openId('ou_bob')];
const HERE = { chatId: message.chatId, threadId: undefined };
const THREAD = { chatId: message.chatId, threadId: 'omt_1' };
const GROUP = { chatId: chatId('oc_group'), threadId: undefined };

let journal: SqliteJournal;
let book: SqliteSessionBook;
let access: SqliteAccess;
let nowMs: number;
let count: number;

beforeEach(() => {
  const db = Db.open(join(temporaryFolder(), 'bridge.db'), silentLog);
  onTestFinished(() => db.close());
  nowMs = 1_000;
  count = 0;
  const clock = clockWithoutTimers(() => nowMs);
  journal = new SqliteJournal({ db, app: message.appId, clock });
  book = new SqliteSessionBook({ db, app: message.appId, clock });
  access = new SqliteAccess({ db, app: message.appId, clock });
});

interface Said extends Partial<InboundMessage> {
  readonly text?: string;
  readonly state?: TurnState;
  readonly renewsSession?: true;
}

/** The turn of a new message, and the session that it has. */
async function say({ text = 'hello', state = WAITING, renewsSession, ...change }: Said = {}) {
  count += 1;
  nowMs += 1;
  const admitted = await journal.admit({
    message: {
      ...message,
      messageId: messageId(`om_${count}`),
      parts: [{ kind: 'text', text }],
      ...change,
    },
    receivedAtMs: nowMs,
    state,
    out: [],
    ...(renewsSession && { renewsSession }),
  });
  const turn = admitted?.turn;
  if (turn === undefined) throw new Error('it was known');
  return { id: turn.id, session: turn.details?.session };
}

const once = () => `event-${(count += 1)}`;
const end = (id: string, state: TurnState = { phase: 'answered' }) =>
  journal.changeTurn(turnId(id), () => ({ state, out: [] }));
const idsOf = async (by: typeof ALICE | undefined, chat = message.chatId) =>
  (await book.list({ chatId: chat, by }, 10)).map(({ id }) => id);

describe('one memory for each chat and thread, and each agent and folder in it', () => {
  test('a turn has the one that is current where it was said', async () => {
    const first = await say();
    const again = await say();
    const inThread = await say({ threadId: 'omt_1' });
    const elsewhere = await say({ ...GROUP });
    expect(first.session).toMatchObject({ isNew: true });
    expect(again.session).toEqual({ id: first.session?.id, isNew: false });
    const ids = [first, inThread, elsewhere].map(({ session }) => session?.id);
    expect(new Set(ids).size).toBe(3);
    expect(await book.current(HERE)).toEqual({ id: first.session?.id, isNew: false });
  });

  test('another agent has another one, and a return to the first goes on with its own', async () => {
    const usual = await say();
    await book.choose(HERE, { agent: 'claude' }, once());
    const claude = await say();
    expect(claude.session).toMatchObject({ agent: 'claude', isNew: true });
    expect(claude.session?.id).not.toBe(usual.session?.id);
    await book.choose(HERE, { folder: '/srv/work' }, once());
    const there = await say();
    expect(there.session).toMatchObject({ agent: 'claude', folder: '/srv/work', isNew: true });
    await book.choose(HERE, { folder: undefined }, once());
    expect((await say()).session).toEqual({ ...claude.session, isNew: false });
    await book.choose(HERE, { agent: undefined }, once());
    expect((await say()).session).toEqual({ ...usual.session, isNew: false });
  });

  test('a thread has what was chosen in its chat, until something is chosen in it', async () => {
    await book.choose(HERE, { agent: 'claude', folder: '/srv/work' }, once());
    expect(await book.chosenIn(THREAD)).toEqual({ agent: 'claude', folder: '/srv/work' });
    await book.choose(THREAD, { agent: 'codex' }, once());
    expect(await book.chosenIn(THREAD)).toEqual({ agent: 'codex', folder: '/srv/work' });
    expect(await book.chosenIn(HERE)).toEqual({ agent: 'claude', folder: '/srv/work' });
    await book.choose(HERE, { agent: 'kimi' }, once());
    expect(await book.chosenIn(THREAD)).toMatchObject({ agent: 'codex' });
  });

  test('turns that wait keep theirs, whatever is chosen or begun meanwhile', async () => {
    const { id, session } = await say();
    await book.choose(HERE, { agent: 'claude' }, once());
    await book.renew(HERE, ALICE, once());
    expect((await journal.turn(id))?.details?.session).toEqual(session);
    expect((await say()).session?.id).not.toBe(session?.id);
  });

  test('an event chooses and begins anew once', async () => {
    const event = once();
    await book.choose(HERE, { agent: 'claude' }, event);
    await book.choose(HERE, { agent: 'codex' }, event);
    expect(await book.chosenIn(HERE)).toEqual({ agent: 'claude' });
    const renewal = once();
    await book.renew(HERE, ALICE, renewal);
    const fresh = (await say()).session?.id;
    await book.renew(HERE, ALICE, renewal);
    expect((await say()).session?.id).toBe(fresh);
  });

  test('a message that begins a conversation is the first of it', async () => {
    const before = await say();
    const first = await say({ renewsSession: true });
    expect(first.session).toMatchObject({ isNew: true });
    expect(first.session?.id).not.toBe(before.session?.id);
    expect((await say()).session).toMatchObject({ id: first.session?.id, isNew: false });
  });

  test('a choice that is gone is taken back where it came from, and nothing else', async () => {
    await book.choose(HERE, { agent: 'claude', folder: '/srv/work' }, once());
    await book.dropChoice(THREAD, { agent: 'codex' });
    expect(await book.chosenIn(HERE)).toEqual({ agent: 'claude', folder: '/srv/work' });
    await book.dropChoice(THREAD, { agent: 'claude' });
    expect(await book.chosenIn(HERE)).toEqual({ folder: '/srv/work' });
  });
});

describe('lists', () => {
  test('have those of the chat, and for their owner those elsewhere, newest first', async () => {
    const first = (await say({ text: 'mine in the group', ...GROUP })).session?.id;
    const other = (await say({ ...GROUP, threadId: 'omt_9', senderOpenId: BOB })).session?.id;
    const own = (await say({ text: 'mine here' })).session?.id;
    expect(await idsOf(ALICE)).toEqual([own, first]);
    expect(await idsOf(undefined, GROUP.chatId)).toEqual([other, first]);
    expect(await idsOf(BOB, GROUP.chatId)).toEqual([other, first]);
    expect(await idsOf(BOB, chatId('oc_of_bob'))).toEqual([other]);
    await say({ ...GROUP });
    expect(await idsOf(ALICE)).toEqual([first, own]);
  });

  test('name a conversation by the first words in it, Chinese too, bounded', async () => {
    await say({ parts: [{ kind: 'resource', resource: { kind: 'image', key: 'img' } }] });
    await say({ text: '请帮我\n  整理   这个文件夹' });
    await say({ text: 'and then this' });
    const [one] = await book.list({ chatId: message.chatId, by: ALICE }, 10);
    expect(one).toMatchObject({ title: '请帮我 整理 这个文件夹', turns: 3 });
    await say({ text: '👍🏽'.repeat(200), ...GROUP });
    const [long] = await book.list({ chatId: GROUP.chatId, by: undefined }, 10);
    expect(long?.title.length).toBeLessThanOrEqual(60);
    expect(long?.title).toMatch(/^(👍🏽)+…$/u);
  });

  test('have no words of a message that was recalled', async () => {
    const { id } = await say({ text: 'a secret' });
    await journal.changeTurn(id, () => ({
      state: { phase: 'dropped', why: 'recalled' },
      out: [],
      withdrawn: { dropsOut: true },
    }));
    const [one] = await book.list({ chatId: message.chatId, by: ALICE }, 10);
    expect(one?.title).toBe('');
    await say({ text: 'the next words' });
    const [then] = await book.list({ chatId: message.chatId, by: ALICE }, 10);
    expect(then?.title).toBe('the next words');
  });

  test('have none in which nothing was said', async () => {
    await book.renew(HERE, ALICE, once());
    await book.renew(HERE, ALICE, once());
    expect(await idsOf(ALICE)).toEqual([]);
  });

  test('what nobody let in says begins no conversation', async () => {
    await say({ state: { phase: 'kept', why: 'guest' }, text: 'from a stranger' });
    expect(await idsOf(ALICE)).toEqual([]);
    await journal.changeTurn(turnId('om_1'), () => ({ state: WAITING, out: [] }));
    const session = (await journal.turn(turnId('om_1')))?.details?.session;
    expect(await idsOf(ALICE)).toEqual([session?.id]);
  });

  test('a conversation that was left is forgotten after 90 days', async () => {
    const left = (await say()).session?.id;
    await book.renew(HERE, ALICE, once());
    const current = (await say()).session?.id;
    const rules = { endedBeforeMs: 0, deadBeforeMs: 0, keepIds: 50, limit: 100 };
    nowMs += 89 * DAY_MS;
    await journal.prune(rules);
    expect(await idsOf(ALICE)).toEqual([current, left]);
    nowMs += 2 * DAY_MS;
    await journal.prune(rules);
    expect(await idsOf(ALICE)).toEqual([current]);
    const [kept] = await book.list({ chatId: message.chatId, by: ALICE }, 10);
    expect(kept?.title).toBe('');
  });
});

describe('going back to a conversation', () => {
  const resume = (id: string | undefined, place = HERE, by = ALICE) =>
    book.resume(id ?? '', { place, by }, once());

  test('its turns, its agent and its folder are here again', async () => {
    await book.choose(HERE, { agent: 'claude', folder: '/srv/work' }, once());
    const before = await say();
    await book.choose(HERE, { agent: undefined, folder: undefined }, once());
    const between = await say();
    expect(await resume(before.session?.id)).toBe('done');
    expect((await say()).session).toEqual({ ...before.session, isNew: false });
    expect(await resume(between.session?.id)).toBe('done');
    expect((await say()).session).toEqual({ ...between.session, isNew: false });
  });

  test('across chats only who began it may take it, and the other chat loses it', async () => {
    const there = await say({ ...GROUP });
    await end(there.id);
    expect(await resume(there.session?.id, HERE, BOB)).toBe('unknown');
    expect(await resume(there.session?.id, HERE, ALICE)).toBe('done');
    expect((await say()).session?.id).toBe(there.session?.id);
    expect((await say({ ...GROUP })).session?.id).not.toBe(there.session?.id);
    expect(await book.placeOf(there.session?.id ?? '')).toEqual({ ...HERE, latest: 'om_4' });
  });

  test('nobody takes along a conversation in which others have spoken: they may have left that chat', async () => {
    const there = await say({ text: 'mine', ...GROUP });
    await end(there.id);
    await end((await say({ text: 'a secret of others', ...GROUP, senderOpenId: BOB })).id);
    const id = there.session?.id ?? '';
    expect(await idsOf(ALICE)).toEqual([]);
    expect(await book.titled('mine', { chatId: message.chatId, by: ALICE }, 10)).toEqual([]);
    expect(await resume(id, HERE, ALICE)).toBe('unknown');
    expect(await idsOf(ALICE, GROUP.chatId)).toEqual([id]);
    expect(await resume(id, GROUP, ALICE)).toBe('done');
  });

  test('R32: one that is at work elsewhere can not be taken', async () => {
    const there = await say({ ...GROUP });
    for (const state of [
      WAITING,
      { phase: 'sending', attempt: 0, target: 'w', deadlineMs: 1 } as unknown as TurnState,
    ]) {
      await end(there.id, state);
      expect(await resume(there.session?.id)).toBe('busy');
    }
    await end(there.id, { phase: 'held', why: 'interrupted' });
    expect(await resume(there.session?.id)).toBe('done');
  });

  test('R32: a turn that runs again after its chat has lost the session has another one', async () => {
    const there = await say({ ...GROUP });
    await end(there.id, { phase: 'failed', reason: 'agent_failed' });
    await end(there.id, WAITING);
    expect((await journal.turn(there.id))?.details?.session?.id).toBe(there.session?.id);
    await end(there.id, { phase: 'held', why: 'interrupted' });
    expect(await resume(there.session?.id)).toBe('done');
    const { turn } = await end(there.id, WAITING);
    expect(turn.details?.session?.id).not.toBe(there.session?.id);
    expect((await journal.turn(there.id))?.details?.session).toEqual(turn.details?.session);
  });

  test('a repeat of the same event changes nothing', async () => {
    const one = await say();
    await book.renew(HERE, ALICE, once());
    const two = await say();
    const event = once();
    const here = { place: HERE, by: ALICE };
    expect(await book.resume(one.session?.id ?? '', here, event)).toBe('done');
    expect(await book.resume(two.session?.id ?? '', here, once())).toBe('done');
    expect(await book.resume(one.session?.id ?? '', here, event)).toBe('done');
    expect((await say()).session?.id).toBe(two.session?.id);
  });

  test('an id is found by its beginning', async () => {
    const id = (await say()).session?.id ?? '';
    const viewer = { chatId: message.chatId, by: ALICE };
    expect(await book.beginningWith(id.slice(0, 8), viewer)).toMatchObject([{ id }]);
    expect(await book.beginningWith('%', viewer)).toEqual([]);
    expect(await book.beginningWith(id, { chatId: chatId('oc_2'), by: BOB })).toEqual([]);
    expect(await resume('')).toBe('unknown');
    expect(await resume('nothing')).toBe('unknown');
  });
});

test('what was kept of a person who is let in runs in the memory of the chat', async () => {
  const kept = await say({ state: { phase: 'kept', why: 'guest' } });
  expect(kept.session).toBeUndefined();
  const { turns } = await access.settle({
    subject: { openId: ALICE, unionId: undefined },
    once: 'let in',
    decide: () => ({ change: { person: { openId: ALICE, state: 'allowed' } } }),
    move: () => ({ state: WAITING, out: [] }),
  });
  const session = turns[0]?.details?.session;
  expect(session).toMatchObject({ isNew: true });
  expect((await say()).session).toEqual({ ...session, isNew: false });
});
