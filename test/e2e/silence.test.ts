/** Nobody waits in silence: what people see while there is no answer yet, and where there will be none. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { SimChat, SimMessage } from '../../src/sim/world/model.ts';
import { Rig } from './rig.ts';

async function openRig(): Promise<Rig> {
  const rig = await Rig.open();
  onTestFinished(() => rig.close());
  return rig;
}

/** Answers with what it was told, once the test lets it go. */
const PATIENT = 'while [ -d "$HOME" ] && [ ! -e "$HOME/go" ]; do sleep 0.05; done; cat';
const letGo = (rig: Rig) => writeFileSync(`${rig.home}/go`, '');

/** The signs that stand on a person's message. */
function signsOn(rig: Rig, chat: SimChat, { messageId }: SimMessage): string[] {
  const shown = rig.cloud.shows(chat).find((message) => message.messageId === messageId);
  return (shown?.reactions ?? []).map(({ emoji }) => emoji);
}

/** What the bot has said under a message. */
const saidTo = (rig: Rig, chat: SimChat, { messageId }: SimMessage) =>
  rig.replies(chat).flatMap(({ replyTo, text }) => (replyTo === messageId ? [text] : []));

const words = (...more: string[]) => ['run', '--json', '--log-format', 'json', ...more];

describe.concurrent('while the agent works', () => {
  test('the message has a sign, which goes when the answer comes', async () => {
    const rig = await openRig();
    await rig.addAgent('patient', PATIENT);
    await rig.runHere();
    const { user, chat } = rig.direct('Mei');
    const asked = rig.cloud.say({ chat, from: user, text: 'hello' });
    await rig.cloud.waitFor(() => signsOn(rig, chat, asked).includes('Typing'));
    expect(rig.replies(chat)).toEqual([]);
    letGo(rig);
    await rig.repliesIn(chat, 1);
    await rig.cloud.waitFor(() => signsOn(rig, chat, asked).length === 0);
  });

  test('LCM-IN-10: who waits in line is told the place in it, once', async () => {
    const rig = await openRig();
    await rig.addAgent('patient', PATIENT);
    await rig.runHere();
    const { user, chat } = rig.direct('Mei');
    const asked = ['one', 'two', 'three'].map((text) => rig.cloud.say({ chat, from: user, text }));
    const told = await rig.repliesIn(chat, 2);
    expect(told.map(({ replyTo }) => replyTo)).toEqual(
      asked.slice(1).map(({ messageId }) => messageId),
    );
    expect(told.map(({ text }) => text)).toEqual([
      expect.stringContaining('in the queue, with 1 before it'),
      expect.stringContaining('in the queue, with 2 before it'),
    ]);
    letGo(rig);
    const all = await rig.repliesIn(chat, 5);
    expect(all.slice(2).map(({ text }) => text)).toEqual(['one', 'two', 'three']);
  });
});

describe.concurrent('where there is no answer', () => {
  test('an agent past its time is ended, the person is told once, and the next message goes on', async () => {
    const rig = await openRig();
    await rig.addAgent('moody', 'read text; [ "$text" = hang ] && sleep 60; echo "$text!"');
    await rig.runHere({ words: words('--turn-timeout-secs', '2') });
    const { user, chat } = rig.direct('Mei');
    const hanging = rig.cloud.say({ chat, from: user, text: 'hang' });
    const next = rig.cloud.say({ chat, from: user, text: 'next' });
    await rig.cloud.waitFor(() => saidTo(rig, chat, next).length > 0);
    expect(saidTo(rig, chat, next)).toEqual(['next!']);
    expect(saidTo(rig, chat, hanging)).toEqual([
      expect.stringMatching(/could not answer: .*no answer within 2 seconds.*\/retry/),
    ]);
    await rig.cloud.waitFor(() => signsOn(rig, chat, hanging).length === 0);
  });

  test('an agent that does not fetch its turns: the person is told, and the next message goes on', async () => {
    const rig = await openRig();
    const added = await rig.program(['agents', 'add', 'far-away']);
    expect(added.code, added.stderr).toBe(0);
    await rig.runHere({ words: words('--turn-timeout-secs', '1') });
    const { user, chat } = rig.direct('Mei');
    const asked = rig.cloud.say({ chat, from: user, text: 'anybody there?' });
    const [told] = await rig.repliesIn(chat, 1);
    expect(told?.replyTo).toBe(asked.messageId);
    expect(told?.text).toContain('taking unusually long');
    await rig.cloud.waitFor(() => signsOn(rig, chat, asked).length === 0);
    await rig.addAgent('echoing', 'cat');
    const next = rig.cloud.say({ chat, from: user, text: 'next' });
    await rig.cloud.waitFor(() => saidTo(rig, chat, next).includes('next'));
  });

  test('a hub that is away: the person is told that the message is kept, and answered when it is back', async () => {
    const rig = await openRig();
    const hub = await openHub();
    await rig.runHere({ env: hub.env });
    hub.mode = 'away';
    const { user, chat } = rig.direct('Mei');
    const asked = rig.cloud.say({ chat, from: user, text: 'hello' });
    const [told] = await rig.repliesIn(chat, 1);
    expect(told?.replyTo).toBe(asked.messageId);
    expect(told?.text).toContain('not reachable at the moment. I keep your message');
    hub.mode = 'there';
    const replies = await rig.repliesIn(chat, 2);
    expect(replies[1]).toMatchObject({ text: 'welcome back', replyTo: asked.messageId });
  });

  test('content that the hub refuses: the person is told why, and how to go on', async () => {
    const rig = await openRig();
    const hub = await openHub();
    hub.mode = 'refusing';
    await rig.runHere({ env: hub.env });
    const { user, chat } = rig.direct('Mei');
    const asked = rig.cloud.say({ chat, from: user, text: 'something forbidden' });
    const [told] = await rig.repliesIn(chat, 1);
    expect(told?.replyTo).toBe(asked.messageId);
    expect(told?.text).toMatch(
      /could not pass .* to the agent: the content is not allowed\..*\/retry/,
    );
    expect(told?.text).not.toContain('forbidden');
    hub.mode = 'there';
    rig.cloud.say({ chat, from: user, text: '/retry' });
    const replies = await rig.repliesIn(chat, 2);
    expect(replies[1]).toMatchObject({ text: 'welcome back', replyTo: asked.messageId });
  });
});

const OWN = '11111111-1111-4111-8111-111111111111';

/** A hub elsewhere, which answers at once when it is there. */
async function openHub() {
  const hub: { mode: 'there' | 'away' | 'refusing'; env: Record<string, string> } = {
    mode: 'there',
    env: {},
  };
  const server = createServer((request, response) => {
    if (hub.mode === 'away') request.socket.destroy();
    else void answer(request, response);
  });
  const answer = async (request: IncomingMessage, response: ServerResponse) => {
    for await (const chunk of request) void chunk;
    const isTurn = request.url?.endsWith('/a2a') === true;
    const refused = isTurn && hub.mode === 'refusing';
    response.writeHead(refused ? 422 : 200, { 'content-type': 'application/json' });
    const capabilities = { correlated_answers: true, idempotent_messages: true };
    const said = {
      jsonrpc: '2.0',
      id: 1,
      result: { parts: [{ kind: 'text', text: 'welcome back' }] },
    };
    const body = refused
      ? { error: 'the content is not allowed' }
      : isTurn
        ? said
        : { status: 'registered', delivery_mode: 'poll', capabilities };
    response.end(JSON.stringify(body));
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  hub.env = {
    PLATFORM_URL: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
    WORKSPACE_ID: OWN,
    MOLECULE_WORKSPACE_TOKEN: 't-secret',
    MOLECULE_TARGET_WORKSPACE_ID: '22222222-2222-4222-8222-222222222222',
  };
  return hub;
}
