/** The bridge's side of the channel socket, over a real one. */
import { existsSync, linkSync, unlinkSync } from 'node:fs';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { workspaceId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import { ChannelSocket } from '../../../src/platform/channel-socket.ts';
import { recordingLog } from '../../kit/log.ts';
import {
  answer,
  ChannelRuntime,
  say,
  stream,
  wordsOf,
  type SocketTurn,
} from './channel-runtime.ts';
import type { TurnRequest } from '../../../src/bridge/ports/target.ts';

const never = new AbortController().signal;
let runtime: ChannelRuntime;
let log: ReturnType<typeof recordingLog>;
const open: ChannelSocket[] = [];

beforeEach(async () => {
  runtime = new ChannelRuntime();
  await runtime.open();
  log = recordingLog();
});

afterEach(async () => {
  await Promise.all(open.splice(0).map((socket) => socket.close()));
  await runtime.close();
});

function socketTo(capability = runtime.capability, timeoutMs = 20_000): ChannelSocket {
  const socket = new ChannelSocket({
    path: runtime.path,
    capability: new Secret(capability),
    timeoutMs,
    log,
  });
  open.push(socket);
  return socket;
}

function turn(text = 'hello', messageId = 'm-1'): TurnRequest {
  return {
    messageId,
    text,
    target: workspaceId('host'),
    context: {
      brand: 'feishu',
      chatId: 'oc_1',
      chatType: 'group',
      senderOpenId: 'ou_1',
      messageId: 'om_1',
      threadId: 'omt_1',
    },
  };
}

const parts = (text: string) => ({ parts: [{ kind: 'text', text }] });

describe('a turn on its way', () => {
  test('MOL-SOCK-03: it is one POST over the socket, with the capability', async () => {
    runtime.onTurn = (taken) => say(taken, 'hi');
    expect(await socketTo().send(turn(), never)).toEqual({ kind: 'answered', text: 'hi' });
    const [taken] = runtime.turns;
    expect(taken).toMatchObject({
      method: 'message/send',
      headers: { 'x-molecule-channel-capability': runtime.capability },
    });
    expect(runtime.requests).toBe(1);
  });

  test('MOL-SOCK-04: it says what was written, where and by whom, and nothing about its source', async () => {
    runtime.onTurn = (taken) => say(taken, 'hi');
    await socketTo().send(turn('good morning'), never);
    const { message, metadata } = runtime.turns[0] as SocketTurn;
    expect(message).toEqual({
      kind: 'message',
      role: 'user',
      messageId: 'm-1',
      contextId: 'oc_1',
      parts: [
        {
          kind: 'text',
          text: '[lark-channel] brand=feishu chat_id=oc_1 chat_type=group sender_open_id=ou_1 message_id=om_1\ngood morning',
        },
      ],
    });
    expect(metadata).toEqual({
      chat_id: 'oc_1',
      user_id: 'ou_1',
      username: 'ou_1',
      message_id: 'om_1',
    });
  });

  test('MOL-SOCK-05: a wrong capability is refused, and the log says what to do without showing it', async () => {
    const result = await socketTo('cap-of-yesterday').send(turn(), never);
    expect(result).toEqual({ kind: 'refused', detail: 'invalid channel capability' });
    expect(runtime.refused).toEqual([-32001]);
    expect(log.lines).toMatchObject([{ level: 'error', event: 'channel_capability_refused' }]);
    expect(log.lines[0]?.['next']).toContain('Restart the workspace');
    expect(JSON.stringify(log.lines)).not.toContain('cap-of-yesterday');
  });

  test('MOL-SOCK-05: more than 16 MB is refused before it is sent', async () => {
    const tooMuch = 'x'.repeat(16 * 1024 * 1024);
    expect(await socketTo().send(turn(tooMuch), never)).toMatchObject({ kind: 'refused' });
    expect(runtime.requests).toBe(0);
  });

  test.each([400, 404, 413])('MOL-SOCK-05: HTTP %i comes before the turn runs', async (status) => {
    runtime.onTurn = (taken) => answer(taken, { error: { code: -32600, message: 'no' } }, status);
    expect(await socketTo().send(turn(), never)).toEqual({ kind: 'refused', detail: 'no' });
  });
});

describe('its answer', () => {
  test.each([
    [
      'a status message',
      { status: { state: 'completed', message: parts('hi') }, ...parts('other') },
    ],
    ['parts', { ...parts('hi'), artifacts: [parts('other')] }],
    ['artifacts', { status: { state: 'completed' }, artifacts: [parts('hi')] }],
  ])('MOL-SOCK-06: the text is found in %s, in this order', async (_where, result) => {
    runtime.onTurn = (taken) => answer(taken, { result });
    expect(await socketTo().send(turn(), never)).toEqual({ kind: 'answered', text: 'hi' });
  });

  test('MOL-SOCK-06: it is the one to the same request, whatever the order', async () => {
    const socket = socketTo();
    const [one, two] = [
      socket.send(turn('one', 'm-1'), never),
      socket.send(turn('two', 'm-2'), never),
    ];
    await expect.poll(() => runtime.turns.length).toBe(2);
    for (const taken of runtime.turns.toReversed()) say(taken, `answer to ${wordsOf(taken)}`);
    expect(await one).toEqual({ kind: 'answered', text: 'answer to one' });
    expect(await two).toEqual({ kind: 'answered', text: 'answer to two' });
  });

  test.each([
    ['an error', { error: { code: -32000, message: 'it broke' } }],
    ['a failed task', { result: { status: { state: 'failed', message: parts('it broke') } } }],
    ['an error in words', { result: parts('Agent error: it broke') }],
  ])('MOL-SOCK-06: %s is a failure', async (_form, body) => {
    runtime.onTurn = (taken) => answer(taken, body);
    expect(await socketTo().send(turn(), never)).toEqual({ kind: 'failed', detail: 'it broke' });
  });

  test('MOL-SOCK-06: of a stream the result is taken as soon as it is whole, and not its progress', async () => {
    runtime.onTurn = (taken) => {
      const send = stream(taken);
      taken.response.write(': still there\n\n');
      send({ kind: 'task', status: { state: 'working' } });
      send({ kind: 'status-update', status: { state: 'working', message: parts('thinking') } });
      send({ kind: 'artifact-update', artifact: { artifactId: 'a', ...parts('good ') } });
      send({
        kind: 'artifact-update',
        append: true,
        artifact: { artifactId: 'a', ...parts('morning') },
      });
      // The stream stays open: nothing more has to come.
      send({ kind: 'status-update', final: true, status: { state: 'completed' } });
    };
    const result = await socketTo().send(turn(), never);
    expect(result).toEqual({ kind: 'answered', text: 'good morning' });
  });

  test.each([
    [
      'of a request',
      (taken: SocketTurn, result: Record<string, unknown>) => answer(taken, { result }),
    ],
    [
      'of a stream',
      (taken: SocketTurn, result: Record<string, unknown>) => {
        stream(taken)({ ...result, kind: 'status-update', final: true });
      },
    ],
  ])(
    'MOL-RES-16, MOL-SOCK-06: a task at work at the end %s is no answer, and none can come',
    async (_way, end) => {
      runtime.onTurn = (taken) =>
        end(taken, { status: { state: 'working', message: parts('hm') } });
      expect(await socketTo().send(turn(), never)).toEqual({ kind: 'unanswerable' });
      expect(log.lines).toMatchObject([{ level: 'error', event: 'task_left_unfinished' }]);
    },
  );

  test.each([
    ['input-required', 'input'],
    ['auth-required', 'sign_in'],
  ])('MOL-RES-16: a task that is %s asks the person', async (state, wants) => {
    runtime.onTurn = (taken) =>
      answer(taken, { result: { kind: 'task', status: { state, message: parts('which?') } } });
    expect(await socketTo().send(turn(), never)).toEqual({
      kind: 'question',
      wants,
      text: 'which?',
    });
  });

  test('MOL-SOCK-07: a stream that ends before its result leaves the turn in doubt', async () => {
    runtime.onTurn = (taken) => {
      stream(taken)({ kind: 'artifact-update', artifact: { artifactId: 'a', ...parts('half') } });
      taken.response.end();
    };
    expect(await socketTo().send(turn(), never)).toMatchObject({ kind: 'unknown' });
    expect(runtime.requests).toBe(1);
  });
});

describe('a broken way', () => {
  test('MOL-SOCK-07: where there is no socket, nothing was sent', async () => {
    await runtime.shut();
    expect(existsSync(runtime.path)).toBe(false);
    expect(await socketTo().send(turn(), never)).toMatchObject({ kind: 'absent' });
  });

  test('MOL-SOCK-07: where a dead runtime left its socket, nothing was sent', async () => {
    await runtime.shut();
    // A name that nobody listens on: what `kill -9` leaves.
    const dead = createServer();
    dead.listen(`${runtime.path}.dead`);
    await once(dead, 'listening');
    linkSync(`${runtime.path}.dead`, runtime.path);
    dead.close();
    await once(dead, 'close');
    expect(existsSync(runtime.path)).toBe(true);
    const result = await socketTo().send(turn(), never);
    expect(result).toMatchObject({
      kind: 'absent',
      detail: expect.stringContaining('ECONNREFUSED') as string,
    });
    unlinkSync(runtime.path);
  });

  test.each<[string, (taken: SocketTurn) => void]>([
    ['cut off', ({ response }) => response.destroy()],
    [
      'cut off in the middle of the answer',
      ({ response }) => {
        response.writeHead(200, { 'content-length': '1000' });
        response.write('{"jsonrpc":"2.0","result":', () => response.destroy());
      },
    ],
    ['answered without a body', ({ response }) => response.end()],
    ['answered by something else', ({ response }) => response.end('<html>')],
    ['answered without a result', (taken) => answer(taken, {})],
    ['broken in the runtime', (taken) => answer(taken, { error: { message: 'no' } }, 500)],
    ['said to be busy', (taken) => answer(taken, { error: { message: 'busy' } }, 503)],
  ])('MOL-SOCK-07: a turn that was %s is in doubt, and not sent again', async (_how, onTurn) => {
    runtime.onTurn = onTurn;
    expect(await socketTo().send(turn(), never)).toMatchObject({ kind: 'unknown' });
    expect(runtime.requests).toBe(1);
  });

  test('MOL-SOCK-07: a turn without an answer in its time is in doubt, and not sent again', async () => {
    const result = await socketTo(runtime.capability, 500).send(turn(), never);
    expect(result).toMatchObject({ kind: 'unknown' });
    expect(runtime.requests).toBe(1);
  });

  test('MOL-SOCK-07: a stream that never ends is not read beyond 64 MB; the turn is in doubt', async () => {
    const reading = { isOver: false };
    runtime.onTurn = (taken) => {
      stream(taken)({ kind: 'task', status: { state: 'working' } });
      const comment = `: ${'x'.repeat(1024 * 1024)}\n`;
      taken.response.on('close', () => (reading.isOver = true));
      const pour = () => {
        while (!reading.isOver && taken.response.write(comment));
        if (!reading.isOver) taken.response.once('drain', pour);
      };
      pour();
    };
    expect(await socketTo().send(turn(), never)).toMatchObject({ kind: 'unknown' });
    await expect.poll(() => reading.isOver).toBe(true);
  });

  test('MOL-DAE-07: a turn that is stopped before it leaves has not been sent, and takes no other way', async () => {
    const result = await socketTo().send(turn(), AbortSignal.abort());
    expect(result).toMatchObject({ kind: 'unreachable' });
    expect(runtime.requests).toBe(0);
  });

  test('MOL-DAE-07: a stop ends the wait for an answer', async () => {
    const stop = new AbortController();
    const result = socketTo().send(turn(), stop.signal);
    await expect.poll(() => runtime.turns.length).toBe(1);
    stop.abort();
    expect(await result).toMatchObject({ kind: 'unknown' });
  });

  test('MOL-SOCK-07: a runtime that was started anew is found, without doubt about the next turn', async () => {
    runtime.onTurn = (taken) => say(taken, 'hi');
    const socket = socketTo();
    expect(await socket.send(turn('one'), never)).toMatchObject({ kind: 'answered' });
    await runtime.shut();
    await runtime.open();
    expect(await socket.send(turn('two'), never)).toMatchObject({ kind: 'answered' });
    // Nothing was kept open that the old one could have closed at the moment of the send.
    expect(runtime.turns.map(({ headers }) => headers.connection)).toEqual(['close', 'close']);
  });
});
