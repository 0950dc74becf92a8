/** Which way a turn takes when the bridge runs in the name of its host. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { workspaceId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import { ChannelSocket } from '../../../src/platform/channel-socket.ts';
import { DaemonTarget } from '../../../src/platform/daemon-target.ts';
import { ChannelRuntime, say } from '../../contract/platform/channel-runtime.ts';
import { recordingLog } from '../../kit/log.ts';
import type { SendResult, TurnRequest } from '../../../src/bridge/ports/target.ts';

const HOST = workspaceId('host');
const OTHER = workspaceId('other');
const never = new AbortController().signal;

let runtime: ChannelRuntime;
let log: ReturnType<typeof recordingLog>;
/** Ids of the messages that went over the platform. */
let sent: string[];
let targets: DaemonTarget[];

beforeEach(async () => {
  runtime = new ChannelRuntime();
  runtime.onTurn = (turn) => say(turn, 'by socket');
  await runtime.open();
  log = recordingLog();
  sent = [];
  targets = [];
});

afterEach(async () => {
  await Promise.all(targets.map((target) => target.stop()));
  await runtime.close();
});

interface Host {
  readonly target?: typeof HOST;
  readonly hasSocket?: boolean;
  readonly platform?: SendResult;
}

async function targetOf({
  target = HOST,
  hasSocket = true,
  platform = { kind: 'answered', text: 'by platform' },
}: Host = {}): Promise<DaemonTarget> {
  const capability = new Secret(runtime.capability);
  const made = new DaemonTarget({
    platform: {
      name: 'platform',
      correlates: false,
      deduplicates: false,
      start: () => Promise.resolve(),
      stop: () => Promise.resolve(),
      currentTarget: () => Promise.resolve(target),
      status: () => ({ reachable: false, detail: 'down' }),
      send: ({ messageId }) => {
        sent.push(messageId);
        return Promise.resolve(platform);
      },
      wait: (_target, ticket) => Promise.resolve({ kind: 'answered', text: `under ${ticket}` }),
    },
    socket: hasSocket
      ? new ChannelSocket({ path: runtime.path, capability, timeoutMs: 20_000, log })
      : undefined,
    host: HOST,
    target,
    log,
  });
  targets.push(made);
  await made.start();
  return made;
}

const turn = (target = HOST, messageId = 'm-1'): TurnRequest => ({
  messageId,
  text: 'hello',
  target,
  context: {
    brand: 'feishu',
    chatId: 'oc_1',
    chatType: 'p2p',
    senderOpenId: 'ou_1',
    messageId: 'om_1',
  },
});

test('MOL-SOCK-06: with the socket, turns go through it and answers name their turn', async () => {
  const target = await targetOf();
  expect(await target.send(turn(), never)).toEqual({ kind: 'answered', text: 'by socket' });
  expect(sent).toEqual([]);
  expect(target).toMatchObject({ correlates: true, deduplicates: false });
});

test('MOL-SOCK-07: while the socket is absent, turns go over the platform; said once, until it is back', async () => {
  await runtime.shut();
  const target = await targetOf();
  expect(await target.send(turn(HOST, 'm-1'), never)).toMatchObject({ text: 'by platform' });
  expect(await target.send(turn(HOST, 'm-2'), never)).toMatchObject({ text: 'by platform' });
  expect(sent).toEqual(['m-1', 'm-2']);
  await runtime.open();
  expect(await target.send(turn(HOST, 'm-3'), never)).toMatchObject({ text: 'by socket' });
  const events = log.lines.map(({ event }) => event).filter((event) => event.includes('socket'));
  expect(events).toEqual(['channel_socket_missed', 'channel_socket_found']);
});

test.each(['unknown', 'refused'])(
  'MOL-SOCK-07: what is %s over the socket does not go over the platform too',
  async (kind) => {
    runtime.onTurn = ({ response }) => {
      if (kind === 'unknown') response.destroy();
      else response.writeHead(400).end();
    };
    const target = await targetOf();
    expect(await target.send(turn(), never)).toMatchObject({ kind });
    expect(sent).toEqual([]);
  },
);

test('LCM-OUT-04: without a socket, what the host queued under an id is waited for', async () => {
  const queued = { kind: 'accepted', ticket: 'q-1' } as const;
  const target = await targetOf({ hasSocket: false, platform: queued });
  expect(await target.send(turn(), never)).toEqual(queued);
  expect(await target.wait(HOST, 'q-1', never)).toEqual({ kind: 'answered', text: 'under q-1' });
});

test('LCM-OUT-08: what the host queued without an id has no way back, and the log says what to do', async () => {
  const target = await targetOf({
    hasSocket: false,
    platform: { kind: 'accepted_uncorrelated' },
  });
  expect(await target.send(turn(), never)).toEqual({ kind: 'unanswerable' });
  const line = log.lines.find(({ event }) => event === 'answer_lost_in_queue');
  expect(line).toMatchObject({ level: 'error', chat: 'oc_1', turn: 'om_1' });
  expect(line?.['next']).toMatch(/channel socket.*MOLECULE_TARGET_WORKSPACE_ID/);
});

test('LCM-ENV-04: another target than the host is not behind the socket, and may answer later', async () => {
  const platform = { kind: 'accepted_uncorrelated' } as const;
  const target = await targetOf({ target: OTHER, platform });
  expect(await target.send(turn(OTHER), never)).toEqual(platform);
  expect(runtime.requests).toBe(0);
  expect(target.correlates).toBe(false);
  expect(log.lines.map(({ event }) => event)).toContain('channel_socket_passed_over');
});

test('the socket counts as the way until a turn misses it; then the platform does', async () => {
  await runtime.shut();
  const target = await targetOf();
  expect(target.status()).toEqual({ reachable: true, detail: undefined });
  await target.send(turn(), never);
  expect(target.status()).toEqual({ reachable: false, detail: 'down' });
  await runtime.open();
  await target.send(turn(), never);
  expect(target.status()).toMatchObject({ reachable: true });
  expect((await targetOf({ hasSocket: false })).status()).toMatchObject({ reachable: false });
});
