/** Words to the bridge itself: a whole bridge with the real journal on a virtual clock. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge } from '../../../../src/bridge/bridge.ts';
import type { Outgoing } from '../../../../src/bridge/ports/delivery.ts';
import type { SendResult, TurnRequest } from '../../../../src/bridge/ports/target.ts';
import { BridgeError } from '../../../../src/core/errors.ts';
import { messageId, openId, turnId, type ChatId } from '../../../../src/core/ids.ts';
import type { InboundMessage } from '../../../../src/core/message.ts';
import { contentForm } from '../../../../src/lark/content/rendered.ts';
import type { BridgeParts } from '../../../../src/bridge/bridge.ts';
import { SqliteAccess } from '../../../../src/store/sqlite/bridge/access.ts';
import type { SqliteJournal } from '../../../../src/store/sqlite/bridge/journal.ts';
import type { Db } from '../../../../src/store/sqlite/db.ts';
import type { VirtualClock } from '../../../kit/clock.ts';
import { message } from '../samples.ts';
import { createBridge, HUB, openJournal, passTime } from '../whole-bridge.ts';

const OWNER = 'ou_owner';
const NOW_MS = Date.UTC(2026, 0, 5);

interface Shown {
  readonly id: string;
  readonly to: string;
  readonly under: string | undefined;
  readonly text: string;
  readonly values: readonly Readonly<Record<string, string>>[];
}

let db: Db;
let bridge: Bridge;
let journal: SqliteJournal;
let clock: VirtualClock;
let isWriting: () => boolean;
let requests: TurnRequest[];
let cancelled: string[];
let answer: ((result: SendResult) => void) | undefined;
let shown: Shown[];
let restarts: number;
let said: number;

const surroundings: NonNullable<BridgeParts['surroundings']> = {
  prefix: '/',
  version: '9.9.9',
  agentName: () => Promise.resolve('echo'),
  link: () => ({ connectedSinceMs: () => NOW_MS - 120_000, restart: () => (restarts += 1) }),
  diagnose: () =>
    Promise.resolve([
      { level: 'ok' },
      {
        level: 'warning',
        finding: { en: 'Little space.', zh: '空间不足。' },
        next: { en: 'Make room.', zh: '请腾出空间。' },
      },
      {
        level: 'problem',
        finding: { en: 'No right.', zh: '没有权限。' },
        next: { en: 'Grant it.', zh: '请开通权限。' },
      },
    ]),
};

function start(around: BridgeParts['surroundings'] = surroundings): Promise<void> {
  bridge = createBridge({
    db,
    clock,
    surroundings: around,
    owner: () => openId(OWNER),
    lark: {
      form: contentForm,
      deliver: (out) => Promise.resolve({ ok: true, id: show(out) }),
      history: () => Promise.resolve([]),
    },
    target: {
      ...HUB,
      send: (request, signal) => {
        requests.push(request);
        return new Promise((resolve) => {
          answer = resolve;
          const end = () => resolve({ kind: 'unknown', detail: 'it ended' });
          signal.addEventListener('abort', end, { once: true });
        });
      },
      wait: () => Promise.resolve({ kind: 'pending' }),
      cancel: (_target, id) => {
        cancelled.push(id);
        return Promise.resolve('over');
      },
    },
  });
  return bridge.start();
}

beforeEach(async () => {
  ({ db, isWriting, clock, journal } = openJournal(NOW_MS));
  [requests, cancelled, shown] = [[], [], []];
  [restarts, said, answer] = [0, 0, undefined];
  await start();
});

afterEach(async () => {
  await bridge.stop();
  db.close();
});

function show(out: Outgoing): string {
  if (out.kind !== 'reply' && out.kind !== 'send') return 'reaction';
  const under = out.kind === 'reply' ? out.replyTo : undefined;
  const id = `om_out_${shown.length}`;
  const values = out.buttonValues ?? [];
  shown.push({ id, to: out.chatId, under, text: out.content.text, values });
  return id;
}

const calm = () => passTime(clock, { isWriting, durationMs: 0 });

async function say(text: string, more: Partial<InboundMessage> = {}): Promise<InboundMessage> {
  said += 1;
  const one = {
    ...message,
    messageId: messageId(`om_${said}`),
    eventId: `e${said}`,
    sentAtMs: clock.nowMs(),
    parts: [{ kind: 'text', text }],
    ...more,
  } as const;
  await bridge.intake.admit({ kind: 'message', message: one });
  await calm();
  return one;
}

const by = (person: string) => ({ senderOpenId: openId(person) });
const stateOf = async ({ messageId: id }: InboundMessage) =>
  (await journal.turn(turnId(id)))?.state;
const sessionOf = async ({ messageId: id }: InboundMessage) =>
  (await journal.turn(turnId(id)))?.details?.session;

describe('/stop', () => {
  test('ends the turn at work, calls it off at the hub, and says so once', async () => {
    const asked = await say('long work');
    const command = await say('/STOP');
    expect(await stateOf(asked)).toEqual({ phase: 'dropped', why: 'stopped', by: 'ou_1' });
    expect(await stateOf(command)).toEqual({ phase: 'answered' });
    expect(cancelled).toHaveLength(1);
    expect(shown).toMatchObject([
      { under: asked.messageId, text: expect.stringMatching(/^Stopped\./) },
    ]);
    answer?.({ kind: 'answered', text: 'too late' });
    await calm();
    expect(shown).toHaveLength(1);
  });

  test('does not wait in line behind the turn, and the next one begins', async () => {
    await say('long work');
    const next = await say('next', by('ou_2'));
    expect(requests).toHaveLength(1);
    await say('/stop');
    expect(requests.map(({ text }) => text)).toEqual(['long work', 'next']);
    expect((await stateOf(next))?.phase).toBe('sending');
  });

  test('delivered again stops nothing again, not even the turn that began meanwhile', async () => {
    await say('long work');
    const command = await say('/stop');
    const next = await say('next');
    await bridge.intake.admit({ kind: 'message', message: { ...command, eventId: 'again' } });
    await calm();
    expect((await stateOf(next))?.phase).toBe('sending');
    expect(shown).toHaveLength(1);
  });

  test('that comes together with the message means it', async () => {
    const asked = { ...message, sentAtMs: clock.nowMs() };
    const stop = {
      ...asked,
      messageId: messageId('om_stop'),
      parts: [{ kind: 'text', text: '/stop' }],
    } as const;
    await Promise.all(
      [asked, stop].map((one) => bridge.intake.admit({ kind: 'message', message: one })),
    );
    await calm();
    expect(await stateOf(asked)).toMatchObject({ phase: 'dropped', why: 'stopped' });
  });

  test('that comes late does not stop what was said after it', async () => {
    const asked = await say('long work');
    await say('/stop', { sentAtMs: asked.sentAtMs - 1 });
    expect((await stateOf(asked))?.phase).toBe('sending');
    expect(shown.at(-1)?.text).toContain('Nothing of yours is at work');
  });

  test('of another person is refused with a word, and the owner may', async () => {
    const asked = await say('long work');
    await say('/stop', by('ou_2'));
    expect((await stateOf(asked))?.phase).toBe('sending');
    expect(shown.at(-1)?.text).toContain('another person');
    await say('/stop', by(OWNER));
    expect(await stateOf(asked)).toMatchObject({ phase: 'dropped', by: OWNER });
    expect(shown.at(-1)?.text).toContain('The owner');
    expect(shown).toHaveLength(2);
  });

  test('in a thread means that thread', async () => {
    const asked = await say('long work', { threadId: 'omt_1' });
    await say('/stop', { threadId: 'omt_2' });
    expect((await stateOf(asked))?.phase).toBe('sending');
    await say('/stop', { threadId: 'omt_1' });
    expect((await stateOf(asked))?.phase).toBe('dropped');
  });

  test('with nothing at work stops the own message that would be next', async () => {
    bridge.finishTurns().catch(() => {});
    const [first, second] = [await say('first'), await say('second')];
    await say('/stop');
    expect([(await stateOf(first))?.phase, (await stateOf(second))?.phase]).toEqual([
      'dropped',
      'waiting',
    ]);
    await say('/stop', by('ou_2'));
    expect((await stateOf(second))?.phase).toBe('waiting');
  });

  test('that was stored by a process that died is carried out once by the next one', async () => {
    const asked = await say('long work');
    await journal.admit({
      message: {
        ...message,
        messageId: messageId('om_stop'),
        parts: [{ kind: 'text', text: '/stop' }],
      },
      receivedAtMs: clock.nowMs(),
      state: { phase: 'command', action: 'stop', about: [turnId(asked.messageId)] },
      out: [],
    });
    for (let starts = 0; starts < 2; starts += 1) {
      await bridge.stop();
      await start();
      await calm();
    }
    expect(await stateOf(asked)).toMatchObject({ phase: 'dropped', why: 'stopped' });
    expect(shown.filter(({ text }) => text.startsWith('Stopped.'))).toHaveLength(1);
    expect(shown).toHaveLength(1);
  });
});

describe('/new', () => {
  test('turns of one chat or thread share a session, and a new one begins', async () => {
    const [one, two] = [await say('one'), await say('two')];
    const inThread = await say('three', { threadId: 'omt_1' });
    const session = await sessionOf(one);
    expect(session?.isNew).toBe(true);
    expect(await sessionOf(two)).toEqual({ id: session?.id, isNew: false });
    expect(await sessionOf(inThread)).toMatchObject({ isNew: true });
    await say('/new');
    expect(shown.at(-1)?.text).toContain('new conversation');
    const after = await say('four');
    expect(await sessionOf(after)).toMatchObject({ isNew: true });
    expect((await sessionOf(after))?.id).not.toBe(session?.id);
    const later = await sessionOf(await say('five', { threadId: 'omt_1' }));
    expect(later).toEqual({ id: (await sessionOf(inThread))?.id, isNew: false });
    // What waits already keeps its session.
    expect((await sessionOf(two))?.id).toBe(session?.id);
  });

  test('the agent gets the session with the turn', async () => {
    const one = await say('one');
    expect(requests[0]?.details?.session).toEqual(await sessionOf(one));
  });

  test('delivered again begins nothing again', async () => {
    const command = await say('/new');
    const one = await sessionOf(await say('one'));
    await bridge.stop();
    await start();
    await bridge.intake.admit({ kind: 'message', message: command });
    expect(await sessionOf(await say('two'))).toEqual({ id: one?.id, isNew: false });
  });
});

describe('what is shown', () => {
  test('/help lists what this person can use, with buttons', async () => {
    await say('/help');
    const guest = shown.at(-1);
    expect(guest?.text).toMatch(/\/stop: .*\n/);
    expect(guest?.text).toContain('/lang en | zh | auto');
    expect(guest?.text).not.toContain('/doctor');
    expect(guest?.values.map((value) => value['lark_bridge_choice'])).toEqual([
      'status',
      'new',
      'stop',
    ]);
    await say('/help', by(OWNER));
    expect(shown.at(-1)?.text).toContain('/doctor');
  });

  test('/status tells connection, agent, work, queue and version', async () => {
    await say('long\nwork');
    await say('next');
    clock.step(NOW_MS + 60_000);
    await say('/status');
    const text = shown.at(-1)?.text ?? '';
    expect(text).toContain('up for 2 minutes');
    expect(text).toContain('Agent: echo');
    expect(text).toContain('- long work (');
    expect(text).toContain('Waiting here: 1');
    expect(text).toContain('Version: 9.9.9');
  });

  test('/queue lists what waits', async () => {
    for (const text of ['first', 'second', 'third']) await say(text);
    await say('/queue');
    expect(shown.at(-1)?.text).toMatch(
      /At work here: \n- first .*\nWaiting here: \n- second .*\n- third/,
    );
  });

  test('/queue in Chinese has the marks of Chinese', async () => {
    await say('/lang zh');
    await say('first');
    await say('/queue');
    expect(shown.at(-1)?.text).toMatch(/^正在处理：\n- first（\d+ 秒）\n排队：无$/);
  });

  test('/whoami tells id, rights and session', async () => {
    const one = await say('one', by(OWNER));
    await say('/whoami', by(OWNER));
    const text = shown.at(-1)?.text ?? '';
    expect(text).toContain(OWNER);
    expect(text).toContain('owner of this bot');
    expect(text).toContain((await sessionOf(one))?.id ?? 'none');
  });

  test('/lang chooses a language, and anything else is explained', async () => {
    await say('/lang ZH');
    await say('/lang klingon');
    expect(shown.map(({ text }) => text)).toEqual([
      '从现在起我用中文回复你。',
      '请这样输入：/lang en | zh | auto',
    ]);
  });

  test('a mistyped word gets a hint and reaches no agent', async () => {
    await say('/stpo');
    expect(shown).toMatchObject([{ text: expect.stringContaining('Did you mean /stop?') }]);
    expect(requests).toEqual([]);
    await say('/compact');
    expect(requests).toHaveLength(1);
  });
});

describe('words of the owner', () => {
  test.each(['/allow', '/block', '/revoke', '/reconnect', '/doctor'])(
    '%s is for the owner',
    async (word) => {
      await say(word);
      expect(shown).toMatchObject([{ text: expect.stringContaining('Only the owner') }]);
      expect(await decided()).toEqual({ person: undefined, group: undefined });
      expect(restarts).toBe(0);
    },
  );

  const TOM = { mentioned: [{ openId: openId('ou_tom'), name: 'Tom' }] };

  /** What is stored about Tom and the group. */
  async function decided() {
    const book = new SqliteAccess({ db, app: message.appId, clock });
    const { person, group } = await book.known({
      openId: openId('ou_tom'),
      chatId: message.chatId,
    });
    return { person: person?.state, group: group?.state };
  }

  test.each([
    ['/allow', {}, { group: 'allowed' }],
    ['/block', {}, { group: 'denied' }],
    ['/allow @Tom', TOM, { person: 'allowed' }],
    ['/block @Tom', TOM, { person: 'blocked' }],
  ] as const)('%s', async (text, more, now) => {
    await say(text, { ...by(OWNER), chatType: 'group', ...more });
    expect(await decided()).toMatchObject(now);
    expect(shown).toMatchObject([{ text: expect.stringContaining('Done') }]);
  });

  test('/revoke takes back what was allowed', async () => {
    const there = { ...by(OWNER), chatType: 'group', ...TOM } as const;
    await say('/allow @Tom', there);
    await say('/revoke @Tom', there);
    expect(await decided()).toMatchObject({ person: undefined });
    expect(shown.at(-1)?.text).toContain('taken back');
  });

  test('/allow with a code that nobody has says so', async () => {
    await say('/allow abcd2345', { ...by(OWNER), chatType: 'group' });
    expect(shown).toMatchObject([{ text: expect.stringContaining('no such person or code') }]);
  });

  test.each([
    ['/allow', 'p2p'],
    ['/revoke', 'group'],
    ['/block abcd2345', 'group'],
    ['/allow everybody', 'group'],
  ] as const)(
    '%s in a %s chat says nothing of whom it means, and is explained',
    async (text, chatType) => {
      await say(text, { ...by(OWNER), chatType });
      expect(await decided()).toEqual({ person: undefined, group: undefined });
      expect(shown).toHaveLength(1);
      expect(shown[0]?.text).toContain(text.split(' ')[0]);
    },
  );

  test('/reconnect makes a new connection', async () => {
    await say('/reconnect', by(OWNER));
    expect(restarts).toBe(1);
    expect(shown).toHaveLength(1);
  });

  test('/doctor tells problems first', async () => {
    await say('/doctor', by(OWNER));
    expect(shown[0]?.text).toMatch(
      /^Problem: No right\. Grant it\.\nWarning: Little space\. Make room\.\nIn order: 1 of 3/,
    );
  });

  test('/doctor speaks the language of the person', async () => {
    await say('/lang zh', by(OWNER));
    await say('/doctor', by(OWNER));
    expect(shown.at(-1)?.text).toBe(
      '问题：没有权限。请开通权限。\n警告：空间不足。请腾出空间。\n3 项检查中有 1 项正常。',
    );
  });

  test('/doctor whose checks fail says so in words, and the log has the reason', async () => {
    await bridge.stop();
    await start({
      ...surroundings,
      diagnose: () => Promise.reject(new BridgeError('failed', 'words of an error')),
    });
    await say('/doctor', by(OWNER));
    expect(shown.at(-1)?.text).toBe('The checks could not be made. The log says why.');
  });

  test('/doctor that a stop interrupts is carried out by the next process', async () => {
    await bridge.stop();
    await start({ ...surroundings, diagnose: () => new Promise(() => {}) });
    const command = await say('/doctor', by(OWNER));
    expect((await stateOf(command))?.phase).toBe('command');
    await bridge.stop();
    await start();
    await calm();
    expect(shown).toMatchObject([{ text: expect.stringContaining('Problem: No right.') }]);
  });

  test('what is not there is no command', async () => {
    await bridge.stop();
    const { diagnose: _diagnose, ...rest } = surroundings;
    await start(rest);
    await say('/doctor', by(OWNER));
    await say('/help', by(OWNER));
    expect(shown.at(-1)?.text).not.toContain('/doctor');
    expect(shown.at(-1)?.text).toContain('/allow');
    expect(requests.map((request) => request.text)).toEqual(['/doctor']);
  });
});

test('another prefix stands in every text that names a command', async () => {
  await bridge.stop();
  await start({ ...surroundings, prefix: '!' });
  await say('fails');
  answer?.({ kind: 'failed', detail: 'No /run/lock and no /retry-file' });
  await calm();
  expect(shown.at(-1)?.text).toContain('No /run/lock and no /retry-file. Send !retry to run');
  await say('!stop');
  expect(shown.at(-1)?.text).toContain('Nothing of yours');
});

describe('a button of the help', () => {
  const press = async (
    name: string,
    more: { from?: string; chat?: string; eventId?: string } = {},
  ) => {
    const card = shown.find(({ values }) => values.length > 0);
    const value = card?.values.find((one) => one['lark_bridge_choice'] === name) ?? {};
    const reply = await bridge.intake.admit({
      kind: 'button',
      appId: message.appId,
      eventId: more.eventId ?? `press_${name}`,
      chatId: (more.chat ?? message.chatId) as ChatId,
      messageId: messageId(card?.id ?? ''),
      operatorOpenId: openId(more.from ?? 'ou_1'),
      value,
    });
    await calm();
    return reply?.toast;
  };

  test('does what the word of whoever presses does, as often as it is pressed', async () => {
    await say('/help');
    expect(await press('status', { from: 'ou_2', eventId: 'p1' })).toEqual({
      kind: 'success',
      text: 'My answer comes here.',
    });
    await press('status', { from: 'ou_2', eventId: 'p2' });
    await press('status', { from: 'ou_2', eventId: 'p2' });
    expect(shown.filter(({ text }) => text.includes('Version: 9.9.9'))).toHaveLength(2);
    const asked = await say('long work');
    await press('stop', { from: 'ou_2' });
    expect((await stateOf(asked))?.phase).toBe('sending');
    await press('stop', { eventId: 'own' });
    expect((await stateOf(asked))?.phase).toBe('dropped');
  });

  test('begins a new session once', async () => {
    const before = await sessionOf(await say('one'));
    await say('/help');
    await press('new');
    const after = await sessionOf(await say('two'));
    expect(after?.id).not.toBe(before?.id);
    await press('new');
    expect(await sessionOf(await say('three'))).toEqual({ id: after?.id, isNew: false });
  });

  test('in another chat does nothing', async () => {
    await say('/help');
    const asked = await say('long work', { chatId: 'oc_2' as ChatId });
    const before = shown.length;
    expect(await press('stop', { chat: 'oc_2' })).toEqual({
      kind: 'error',
      text: 'This button does not belong here, so it does nothing.',
    });
    expect((await stateOf(asked))?.phase).toBe('sending');
    expect(shown).toHaveLength(before);
  });

  test('that is forged is told what can be typed, with the prefix that works', async () => {
    await bridge.stop();
    await start({ ...surroundings, prefix: '!' });
    const reply = await bridge.intake.admit({
      kind: 'button',
      appId: message.appId,
      eventId: 'forged',
      chatId: message.chatId,
      messageId: messageId('om_any'),
      operatorOpenId: openId('ou_1'),
      value: { lark_bridge_choice: 'retry' },
    });
    expect(reply?.toast.text).toContain('Send !run, !skip or !retry.');
  });
});

describe("an entry of the bot's menu", () => {
  const choose = async (eventKey: string, eventId: string = eventKey) => {
    await bridge.intake.admit({
      kind: 'menu',
      appId: message.appId,
      eventId,
      operatorOpenId: openId('ou_1'),
      eventKey,
    });
    await calm();
  };

  test.each([
    ['help', '/stop'],
    ['status', 'Version: 9.9.9'],
    ['new', 'new conversation'],
    ['stop', 'Nothing of yours'],
  ])('%s is answered once in the direct chat, by the id of the person', async (key, text) => {
    await choose(key);
    await choose(key);
    expect(shown).toMatchObject([
      { to: 'ou_1', under: undefined, text: expect.stringContaining(text) },
    ]);
  });

  test('stop and new mean the direct chat', async () => {
    const asked = await say('long work');
    await choose('stop');
    expect((await stateOf(asked))?.phase).toBe('dropped');
    await choose('new');
    const next = await say('next');
    expect((await sessionOf(next))?.id).not.toBe((await sessionOf(asked))?.id);
  });

  test('the buttons of its card work for that person where the card is shown', async () => {
    await choose('help');
    const [card] = shown;
    const value = card?.values.find((one) => one['lark_bridge_choice'] === 'status') ?? {};
    const event = {
      kind: 'button',
      appId: message.appId,
      chatId: message.chatId,
      messageId: messageId(card?.id ?? ''),
      value,
    } as const;
    const other = { ...event, eventId: 'p1', operatorOpenId: openId('ou_2') };
    expect(await bridge.intake.admit(other)).toMatchObject({ toast: { kind: 'error' } });
    await calm();
    expect(shown).toHaveLength(1);
    await bridge.intake.admit({ ...event, eventId: 'p2', operatorOpenId: openId('ou_1') });
    await calm();
    expect(shown.at(-1)?.text).toContain('Version: 9.9.9');
  });

  test('another key does nothing', async () => {
    await choose('doctor');
    await choose('weather');
    expect(shown).toEqual([]);
  });
});
