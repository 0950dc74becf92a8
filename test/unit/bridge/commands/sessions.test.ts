/** Memory and work from chat: a whole bridge with the real journal on a virtual clock. */
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge } from '../../../../src/bridge/bridge.ts';
import type { AgentControls } from '../../../../src/bridge/ports/agent-controls.ts';
import type { Outgoing } from '../../../../src/bridge/ports/delivery.ts';
import type { TurnRequest } from '../../../../src/bridge/ports/target.ts';
import { BridgeError } from '../../../../src/core/errors.ts';
import {
  chatId,
  messageId,
  openId,
  turnId,
  workspaceId,
  type ChatId,
} from '../../../../src/core/ids.ts';
import type { InboundMessage } from '../../../../src/core/message.ts';
import { contentForm } from '../../../../src/lark/content/rendered.ts';
import type { SqliteJournal } from '../../../../src/store/sqlite/bridge/journal.ts';
import type { Db } from '../../../../src/store/sqlite/db.ts';
import type { VirtualClock } from '../../../kit/clock.ts';
import { message } from '../samples.ts';
import { createBridge, HUB, openJournal, passTime } from '../whole-bridge.ts';

const OWNER = openId('ou_owner');
const BOB = openId('ou_bob');
const NOW_MS = new Date(2026, 0, 5, 23, 30).getTime();
const GROUP = { chatId: chatId('oc_group'), chatType: 'group' } as const;
const MODES = [
  { id: 'ask', name: 'Ask first' },
  { id: 'all', name: 'All allowed' },
];

let db: Db;
let bridge: Bridge;
let journal: SqliteJournal;
let clock: VirtualClock;
let isWriting: () => boolean;
let requests: (TurnRequest & { readonly agent: string | undefined })[];
let shown: { id: string; to: string; text: string; values: readonly Record<string, string>[] }[];
let agents: string[];
let mode: string;
let isBusy: boolean;
let said: number;

const ROOTS = ['/srv/work', '/srv/文件'];
const controls: AgentControls = {
  agents: () =>
    Promise.resolve(agents.map((name) => ({ name, isUsual: name === (agents[0] ?? '') }))),
  folders: () => Promise.resolve(ROOTS),
  folderOf: (path) =>
    Promise.resolve(
      ROOTS.some((root) => path.startsWith(root))
        ? { ok: true, path }
        : { ok: false, why: 'outside' },
    ),
  options: () => Promise.resolve([{ id: 'mode', is: 'mode', current: mode, values: MODES }]),
  choose: (_session, _option, value) => {
    if (value === 'all' && isBusy) throw new BridgeError('failed', 'it is busy');
    mode = value;
    return Promise.resolve();
  },
  goneOf: ({ agent }) =>
    Promise.resolve(agent !== undefined && !agents.includes(agent) ? { agent } : undefined),
};

function start(given: AgentControls | undefined = controls): Promise<void> {
  let asked: string | undefined;
  bridge = createBridge({
    db,
    clock,
    surroundings: {
      prefix: '/',
      version: '1',
      agentName: () => Promise.resolve('echo'),
      ...(given && { agents: given }),
    },
    owner: () => OWNER,
    lark: {
      form: contentForm,
      deliver: (out) => Promise.resolve({ ok: true, id: show(out) }),
      history: () => Promise.resolve([]),
    },
    target: {
      ...HUB,
      currentTarget: (agent) => {
        asked = agent;
        return Promise.resolve(workspaceId('agent'));
      },
      goneOf: controls.goneOf,
      send: (request) => {
        requests.push({ ...request, agent: asked });
        const text = `answer to ${request.text}`;
        return isBusy
          ? Promise.resolve({ kind: 'accepted', ticket: request.messageId })
          : Promise.resolve({ kind: 'answered', text });
      },
      wait: (_target, _ticket, signal) =>
        new Promise((resolve) => {
          signal.addEventListener('abort', () => resolve({ kind: 'pending' }), { once: true });
        }),
      cancel: () => Promise.resolve('over'),
    },
  });
  return bridge.start();
}

beforeEach(async () => {
  ({ db, isWriting, clock, journal } = openJournal(NOW_MS));
  [requests, shown, agents] = [[], [], ['echo', 'claude', 'qwen-code']];
  [mode, isBusy, said] = ['ask', false, 0];
  await start();
});

afterEach(async () => {
  await bridge.stop();
  db.close();
});

function show(out: Outgoing): string {
  if (out.kind !== 'reply' && out.kind !== 'send') return 'reaction';
  const id = `om_out_${shown.length}`;
  const values = out.buttonValues ?? [];
  shown.push({ id, to: out.chatId, text: out.content.text, values });
  return id;
}

const pass = (durationMs = 0) => passTime(clock, { isWriting, durationMs });

async function say(text: string, more: Partial<InboundMessage> = {}): Promise<string> {
  said += 1;
  await pass(1_000);
  const one = {
    ...message,
    messageId: messageId(`om_${said}`),
    eventId: `e${said}`,
    sentAtMs: clock.nowMs(),
    parts: [{ kind: 'text', text }],
    ...more,
  } as const;
  await bridge.intake.admit({ kind: 'message', message: one });
  await pass();
  return shown.at(-1)?.text ?? '';
}

async function press(label: string, operatorOpenId = message.senderOpenId, chat?: ChatId) {
  const card = shown.findLast(({ values }) => values.length > 0);
  const value = card?.values.find(({ argument }) => argument === label);
  if (card === undefined || value === undefined) throw new Error(`no button ${label}`);
  said += 1;
  const reply = await bridge.intake.admit({
    kind: 'button',
    appId: message.appId,
    eventId: `press_${said}`,
    chatId: chat ?? chatId(card.to),
    messageId: messageId(card.id),
    operatorOpenId,
    value,
  });
  await pass();
  return reply?.toast;
}

const sessionOf = (at: number) => requests.at(at)?.details?.session;

describe('/agent', () => {
  test('CG-CMD-03: lists the agents, and takes a number or a name', async () => {
    expect(await say('/agent')).toMatch(/\[\*\] 1\. echo\n\[ \] 2\. claude\n\[ \] 3\. qwen-code/);
    expect(await say('/agent 2')).toContain('claude answers here');
    expect(await say('/agent')).toContain('[*] 2. claude');
    expect(await say('/agent QWEN code')).toContain('qwen-code answers here');
    expect(await say('/agent ４')).toContain('from 1 to 3');
    expect(await say('/agent 0')).toContain('from 1 to 3');
    expect(await say('/agent gpt')).toContain("I don't know an agent gpt");
    await say('hello');
    expect(requests.at(-1)).toMatchObject({ agent: 'qwen-code' });
    expect(sessionOf(-1)).toMatchObject({ agent: 'qwen-code' });
    expect(await say('/agent reset')).toContain('usual agent');
    await say('hello');
    expect(requests.at(-1)?.agent).toBeUndefined();
  });

  test('a button does what the word does, where it was shown and nowhere else', async () => {
    await say('/agent');
    expect(await press('claude', message.senderOpenId, chatId('oc_other'))).toMatchObject({
      kind: 'error',
    });
    expect(await press('claude')).toMatchObject({ kind: 'success' });
    expect(shown.at(-1)?.text).toContain('claude answers here');
    await say('hello');
    expect(requests.at(-1)?.agent).toBe('claude');
  });

  test('in a group only the owner changes it, by word and by button', async () => {
    await say('/agent', GROUP);
    await press('claude', BOB);
    expect(shown.at(-1)?.text).toContain('only the owner');
    expect(await say('/agent claude', { ...GROUP, senderOpenId: BOB })).toContain('only the owner');
    await say('hello', GROUP);
    expect(requests.at(-1)?.agent).toBeUndefined();
    expect(await say('/agent claude', { ...GROUP, senderOpenId: OWNER })).toContain('claude');
    await say('hello', GROUP);
    expect(requests.at(-1)?.agent).toBe('claude');
  });

  test('one that is gone is told with the next step, and the next message is answered', async () => {
    await say('/agent claude');
    agents = ['echo'];
    expect(await say('for claude')).toMatch(/claude .*does not exist any more.*\/retry.*\/agent/);
    expect(requests).toEqual([]);
    await say('/retry');
    expect(requests).toMatchObject([{ text: 'for claude', agent: undefined }]);
    await say('next');
    expect(requests.at(-1)).toMatchObject({ text: 'next', agent: undefined });
    expect(sessionOf(0)?.id).toBe(sessionOf(1)?.id);
  });

  test('of a hub elsewhere can not be chosen, and the words say so', async () => {
    await bridge.stop();
    bridge = createBridge({
      db,
      clock,
      surroundings: { prefix: '/', version: '1', agentName: () => Promise.resolve('w') },
      target: { ...HUB, send: () => Promise.resolve({ kind: 'answered', text: '' }), wait: never },
      lark: {
        form: contentForm,
        deliver: (out) => Promise.resolve({ ok: true, id: show(out) }),
        history: () => Promise.resolve([]),
      },
    });
    await bridge.start();
    for (const word of ['agent', 'folder', 'mode', 'model']) {
      expect(await say(`/${word}`)).toContain('another machine');
    }
  });
});

const never = () => new Promise<never>(() => {});

describe('/folder', () => {
  test('CG-CMD-01: lists the folders, and takes a number or a path', async () => {
    expect(await say('/folder')).toMatch(/\[ \] 1\. \/srv\/work\n\[ \] 2\. \/srv\/文件/);
    expect(await say('/folder 1')).toContain('works in /srv/work');
    expect(await say('/folder')).toContain('[*] 1. /srv/work');
    await say('hello');
    expect(sessionOf(-1)).toMatchObject({ folder: '/srv/work' });
    expect(await say('/folder /srv/work/deep')).toContain('works in /srv/work/deep');
    expect(await say('/folder')).toContain('[*] 1. /srv/work/deep');
    expect(await say('/folder reset')).toContain("agent's own folder");
  });

  test('CG-CMD-02: a number that is not in the list is named as such', async () => {
    expect(await say('/folder 0')).toContain('from 1 to 2');
    expect(await say('/folder 3')).toContain('from 1 to 2');
  });

  test('R34: none outside of those that the owner added', async () => {
    expect(await say('/folder /etc')).toMatch(/may not work in \/etc.*folders add/);
    await say('hello');
    expect(sessionOf(-1)).not.toHaveProperty('folder');
  });
});

describe('/task', () => {
  test.each(['/task fix the build', '/TASK\n  fix the build', '/do fix the build'])(
    'CG-CMD-04: %s begins a conversation, and the rest is its first prompt',
    async (words) => {
      await say('before');
      await say('/agent claude');
      await say('/folder 1');
      await say(words);
      expect(requests.at(-1)).toMatchObject({ text: 'fix the build', agent: 'claude' });
      expect(sessionOf(-1)).toMatchObject({ isNew: true, folder: '/srv/work' });
      const texts = shown.map(({ text }) => text);
      expect(texts.at(-2)).toBe('A new conversation with claude begins in /srv/work.');
      expect(texts.at(-1)).toBe('answer to fix the build');
      await say('go on');
      expect(sessionOf(-1)).toMatchObject({ id: sessionOf(-2)?.id, isNew: false });
    },
  );

  test('without a text it says how it is written, and begins nothing', async () => {
    await say('before');
    expect(await say('/task')).toContain('/task');
    await say('after');
    expect(sessionOf(-1)?.id).toBe(sessionOf(-2)?.id);
  });

  test('keeps emoji whole, and an edit of it is no second word', async () => {
    isBusy = true;
    await say('at work');
    await say('/task 👩‍👩‍👧 first');
    const id = turnId(`om_${said}`);
    expect((await journal.turn(id))?.message.parts).toEqual([{ kind: 'text', text: '👩‍👩‍👧 first' }]);
    const turn = await journal.turn(id);
    if (turn === undefined) throw new Error('it is gone');
    const parts = [{ kind: 'text', text: '/task second' }] as const;
    await bridge.intake.admit({
      kind: 'edited',
      message: { ...turn.message, parts },
      editedAtMs: clock.nowMs(),
    });
    await pass();
    expect((await journal.turn(id))?.message.parts).toEqual([{ kind: 'text', text: 'second' }]);
  });
});

describe('/sessions and /resume', () => {
  test('CG-CMD-07, CG-CMD-05: a list with numbers, and a way back by number, id or button', async () => {
    expect(await say('/sessions')).toContain('no conversation here yet');
    await say('first things');
    await say('/new');
    await say('第二件事');
    const [first, second] = [sessionOf(0)?.id ?? '', sessionOf(1)?.id ?? ''];
    const list = await say('/sessions');
    expect(list).toContain(`[*] 1. ${second.slice(0, 8)}: 第二件事`);
    expect(list).toContain(`[ ] 2. ${first.slice(0, 8)}: first things`);
    expect(await say('/resume 2')).toContain('first things');
    await say('more');
    expect(sessionOf(-1)).toMatchObject({ id: first, isNew: false });
    await say(`/resume ${second.slice(0, 8)}`);
    await say('more');
    expect(sessionOf(-1)?.id).toBe(second);
    expect(await say('/resume')).toContain('[ ] 2.');
    await press(first);
    await say('more');
    expect(sessionOf(-1)?.id).toBe(first);
    expect(await say('/resume 7')).toContain('from 1 to 2');
    expect(await say('/resume deadbeef')).toContain('find no such conversation');
  });

  test('across chats only for who had it; the group does not see what was said elsewhere', async () => {
    await say('my own secret');
    const mine = sessionOf(-1)?.id ?? '';
    await say('in the group', GROUP);
    const groups = sessionOf(-1)?.id ?? '';
    expect(await say('/sessions', GROUP)).not.toContain('secret');
    const ofBob = { ...GROUP, senderOpenId: BOB };
    expect(await say(`/resume ${mine.slice(0, 8)}`, ofBob)).toContain('find no such');
    expect(await say('/sessions')).toContain('in the group');
    expect(await say(`/resume ${groups.slice(0, 8)}`)).toContain('in the group');
    await say('here now');
    expect(sessionOf(-1)?.id).toBe(groups);
    await say('there', GROUP);
    expect(sessionOf(-1)?.id).not.toBe(groups);
  });

  test('R32: one that is at work elsewhere is refused in words', async () => {
    isBusy = true;
    await say('in the group', GROUP);
    const id = sessionOf(-1)?.id ?? '';
    expect(await say(`/resume ${id}`)).toContain('at work in that conversation');
  });

  test('a message to a busy session waits its turn and says so', async () => {
    isBusy = true;
    await say('long work');
    await say('the next message');
    await pass(60_000);
    expect(requests).toHaveLength(1);
    expect(shown.map(({ text }) => text).join('\n')).toMatch(/next in this chat|in the queue/);
  });
});

describe('/mode', () => {
  test('shows the modes of the agent, and only the owner changes one', async () => {
    const direct = { chatId: chatId('oc_of_owner'), senderOpenId: OWNER };
    expect(await say('/mode', direct)).toContain('Write to it, and then try again');
    await say('hello');
    expect(await say('/mode')).toMatch(/\[\*\] 1\. Ask first\n\[ \] 2\. All allowed/);
    await press('all');
    expect(shown.at(-1)?.text).toContain('Only the owner');
    await say('hello', direct);
    expect(await say('/mode 2', direct)).toContain('All allowed');
    expect(mode).toBe('all');
    isBusy = true;
    expect(await say('/mode all', direct)).toContain('did not take this choice: it is busy');
    expect(await say('/status', direct)).toContain('Mode: All allowed');
  });
});

describe('/search and /today', () => {
  test('CG-CMD-12: finds what was said and answered, Chinese of one sign too', async () => {
    await say('整理文件夹');
    await say('Fix the BUILD');
    await say('secret of the group', { ...GROUP, senderOpenId: BOB });
    expect(await say('/search 文')).toContain('整理文件夹');
    expect(await say('/search build')).toContain('Fix the BUILD');
    expect(await say('/search answer to fix')).toContain(sessionOf(1)?.id.slice(0, 8));
    expect(await say('/search secret')).toContain('Nothing that was said lately');
    expect(await say('/search')).toContain('/search WORD');
    expect(await say('/search 100%_"\\')).toContain('Nothing that was said lately');
    await say('I was here', GROUP);
    expect(await say('/search was here')).toContain('I was here');
    // Whoever wrote in a group once may have left it since.
    expect(await say('/search secret')).toContain('Nothing that was said lately');
    expect(await say('/search secret', GROUP)).toContain('secret of the group');
    expect(await say('/search BUILD', GROUP)).toContain('Nothing that was said lately');
  });

  test('what was recalled is not found', async () => {
    await say('a slip of the tongue');
    await bridge.intake.admit({
      kind: 'recalled',
      appId: message.appId,
      eventId: 'recall',
      messageId: messageId('om_1'),
      chatId: message.chatId,
    });
    await pass();
    expect(await say('/search tongue')).toContain('Nothing that was said lately');
  });

  test('CG-CMD-13: the day begins at midnight here', async () => {
    expect(await say('/today')).toContain('Nothing happened here today');
    await say('first things');
    await say('/agent claude');
    await say('second things');
    const told = await say('/today');
    expect(told).toContain('Today: 2 messages in 2 conversations');
    expect(told).toMatch(/claude 1, the usual agent 1|the usual agent 1, claude 1/);
    expect(told).toContain('- first things');
    await pass(31 * 60_000);
    expect(await say('/today')).toContain('Nothing happened here today');
  });

  test('CG-CMD-14: the status has the agent, the folder and the conversation', async () => {
    await say('/agent claude');
    await say('/folder 1');
    await say('a long story');
    const told = await say('/status');
    expect(told).toContain('Agent: claude');
    expect(told).toContain('Folder: /srv/work');
    expect(told).toContain(`Conversation: ${sessionOf(-1)?.id.slice(0, 8)} a long story`);
  });
});

test('CG-IN-08: /start is /help, and /cancel is /stop', async () => {
  expect(await say('/start')).toMatch(/\/help: .* \(\/start\)/);
  isBusy = true;
  await say('long work');
  expect(await say('/cancel')).toBe('Stopped.');
});
