/** The check of the demo: it says "all well" only if all is well. A scripted bot replaces the bridge. */
import { PassThrough } from 'node:stream';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { chat } from '../../../src/cli/demo/chat.ts';
import { playScript } from '../../../src/cli/demo/script.ts';
import type { Stage } from '../../../src/cli/demo/stage.ts';
import { Output } from '../../../src/cli/output.ts';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimMessage } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';

const REPLY_MS_MAX = 300;

let cloud: LarkCloud;
let stage: Stage;
let stdout: PassThrough;
let output: Output;

beforeEach(async () => {
  cloud = await startLarkCloud({ seed: 1 });
  // No subscriptions: the bot of these tests looks at the chats itself.
  const app = cloud.addApp({ name: 'Echo', subscriptions: [] });
  const user = cloud.addUser({ name: 'Mia' });
  stdout = new PassThrough();
  const streams = { stdout, stderr: new PassThrough() };
  output = new Output(streams, { version: '1.2.3', json: false, quiet: false });
  stage = {
    cloud,
    app,
    user,
    direct: cloud.directChat(user, app),
    group: cloud.addGroup({ name: 'Team', members: [user], apps: [app] }),
    hubUrl: '',
    hasAgent: false,
    ended: new Promise<never>(() => {}),
    stopBridge: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
});
afterEach(() => cloud.stop());

type Answer = (question: SimMessage, text: string) => void;

const reply: Answer = (question, text) => {
  cloud.say({ chat: question.chatId, from: stage.app, text, replyTo: question });
};

/** Lets a bot answer everything that is for it, in its own way. */
function serve(answer: Answer): void {
  const seen = new Set<string>();
  const look = () => {
    const asked = [...cloud.world.messages.values()].filter(
      ({ messageId, sender, chatId, mentions }) =>
        sender.kind === 'user' &&
        (chatId === stage.direct.chatId || mentions.length > 0) &&
        !seen.has(messageId),
    );
    for (const question of asked) {
      seen.add(question.messageId);
      const { text = '' } = JSON.parse(question.content) as { text?: string };
      answer(question, text.replace(/^@\S+ /, ''));
    }
    return false;
  };
  cloud.waitFor(look).catch(() => {
    // It never finds what it looks for; the test is over by then.
  });
}

const play = () => playScript(stage, output, REPLY_MS_MAX);

test('all replies in their places, once: all well', async () => {
  serve(reply);
  await play();
  expect(String(stdout.read())).toContain('All 5 replies arrived');
});

describe('anything else is told', () => {
  test.each<[string, string, Answer]>([
    [
      'a reply that is missing',
      'a mention in a group: no reply came',
      (question, text) => {
        if (text !== 'What is in the build?') reply(question, text);
      },
    ],
    [
      'a reply that came twice',
      'a message that Lark delivers twice: 2 replies came',
      (question, text) => {
        reply(question, text);
        if (text === 'Say this once.') reply(question, text);
      },
    ],
    [
      'a reply outside of its thread',
      'in the wrong place: And who broke it?',
      (question, text) => {
        const { app, group } = stage;
        if (question.threadId === undefined) reply(question, text);
        else cloud.say({ chat: group, from: app, text });
      },
    ],
    [
      'other words',
      'a direct message: the reply says something else',
      (question, text) => {
        reply(question, text.toUpperCase());
      },
    ],
    [
      'something said under no question',
      'in the wrong place: By the way',
      (question, text) => {
        reply(question, text);
        if (text === 'Say this once.') {
          cloud.say({ chat: stage.direct, from: stage.app, text: 'By the way' });
        }
      },
    ],
  ])('%s', async (_name, told, answer) => {
    serve(answer);
    const error: unknown = await play().catch((thrown: unknown) => thrown);
    expect(error).toMatchObject({
      code: 'failed',
      message: expect.stringContaining(told) as string,
    });
  });
});

describe('on a terminal', () => {
  test('shows what the bot says, sends what the person types, ends with /quit', async () => {
    serve(reply);
    const stdin = new PassThrough();
    const around = {
      stdin: stdin as unknown as NodeJS.ReadStream,
      stdout: new PassThrough() as unknown as NodeJS.WriteStream,
      output,
      signal: new AbortController().signal,
    };
    const ended = chat(stage, around);
    stdin.write('Good morning\n');
    let shown = '';
    stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
    });
    await expect.poll(() => shown).toContain('Echo, in reply: Good morning');
    expect(shown).not.toContain('Mia');
    stdin.write('/quit\n');
    await ended;
    expect(cloud.shows(stage.direct).map(({ text }) => text)).toEqual([
      'Good morning',
      'Good morning',
    ]);
  });

  test('shows what the person writes on the page too, and nothing of other chats', async () => {
    serve(reply);
    const stdin = new PassThrough();
    const ended = chat(stage, {
      stdin: stdin as unknown as NodeJS.ReadStream,
      stdout: new PassThrough() as unknown as NodeJS.WriteStream,
      output,
      signal: new AbortController().signal,
    });
    let shown = '';
    stdout.on('data', (chunk: Buffer) => {
      shown += chunk.toString();
    });
    const { group, direct, user, app } = stage;
    cloud.say({ chat: group, from: user, mentions: [app], text: 'In the group' });
    await cloud.waitFor(() => cloud.shows(group).length === 2);
    cloud.say({ chat: direct, from: user, text: 'One line\nand another' });
    await expect.poll(() => shown).toContain('   Echo, in reply: One line\n   and another');
    expect(shown).toContain('   Mia: One line\n   and another');
    expect(shown).not.toContain('In the group');
    stdin.write('/quit\n');
    await ended;
  });

  test.each(['the signal', 'the end of input'])('%s ends it', async (how) => {
    const stdin = new PassThrough();
    const stopping = new AbortController();
    const ended = chat(stage, {
      stdin: stdin as unknown as NodeJS.ReadStream,
      stdout: new PassThrough() as unknown as NodeJS.WriteStream,
      output,
      signal: stopping.signal,
    });
    if (how === 'the signal') stopping.abort();
    else stdin.end();
    await ended;
  });
});
