/** A turn that is queued at a busy target, and the looks at it. */
import { beforeEach, describe, expect, test } from 'vitest';
import { error, messageResult, type PlatformDouble, type Scripted } from './double.ts';
import { clientOf, eventually, NEVER, openDouble, quickClock, turnFor } from './rig.ts';
import type { WaitResult } from '../../../src/bridge/ports/target.ts';
import type { Clock } from '../../../src/time/clock.ts';
import { clockWithoutTimers } from '../../kit/clock.ts';

let platform: PlatformDouble;

beforeEach(async () => {
  platform = await openDouble();
  platform.mode = 'busy';
});

async function queued(clock: Clock = quickClock) {
  // Without an inbox and heartbeats, whose waits would mix with those of the looks.
  const { client } = clientOf(platform, { clock, inherited: { readsInbox: false } });
  await client.start();
  const turn = turnFor(platform);
  const sent = await client.send(turn, NEVER);
  const ticket = sent.kind === 'accepted' ? sent.ticket : '';
  const wait = (signal = NEVER) => client.wait(turn.target, ticket, signal);
  return { client, ticket, wait };
}

async function found(...answers: readonly Scripted[]): Promise<WaitResult> {
  const { wait } = await queued();
  platform.script('queue', ...answers);
  return wait();
}

const item = (more: Record<string, unknown>): Scripted => ({ json: { queue_id: 'q', ...more } });
const response = { jsonrpc: '2.0', result: messageResult('the answer') };

describe('a queue item', () => {
  test('MOL-RES-13: is looked at until it is completed, at a measured pace', async () => {
    const delaysMs: number[] = [];
    const { wait, ticket } = await queued({
      nowMs: () => Date.now(),
      after: (delayMs, run) => {
        // Less by what the call before it took.
        delaysMs.push(Math.ceil(delayMs / 1_000) * 1_000);
        if (delaysMs.length === 4) {
          platform.settle(ticket, { status: 'completed', response_body: response });
        }
        return quickClock.after(delayMs, run);
      },
    });
    delaysMs.length = 0;
    expect(await wait()).toEqual({ kind: 'answered', text: 'the answer' });
    expect(delaysMs).toEqual([1_000, 2_000, 4_000, 8_000]);
    expect(platform.callsOf('queue')[0]?.query.toString()).toBe('');
  });

  test.each([
    ['as an object', response],
    ['as text', JSON.stringify(response)],
    ['in base64, from an old server', Buffer.from(JSON.stringify(response)).toString('base64')],
  ])('MOL-RES-13: holds its answer %s', async (_name, response_body) => {
    expect(await found(item({ status: 'completed', response_body }))).toEqual({
      kind: 'answered',
      text: 'the answer',
    });
  });

  test('MOL-RES-13: that is completed without a readable answer is a failure in words', async () => {
    expect(await found(item({ status: 'completed', response_body: 'e30x' }))).toEqual({
      kind: 'failed',
      detail: 'it answered, but the hub gave its answer in an unknown form',
    });
  });

  test.each([
    ['failed', 'workspace agent crashed', 'workspace agent crashed'],
    ['dropped', undefined, 'the turn was dropped'],
  ])(
    'MOL-RES-15: that ended as %s is a failure with its reason',
    async (status, last_error, detail) => {
      expect(await found(item({ status, attempts: 5, last_error }))).toEqual({
        kind: 'failed',
        detail,
      });
    },
  );

  test.each([
    ['working', { kind: 'unfinished' }],
    ['submitted', { kind: 'unfinished' }],
    ['input-required', { kind: 'question', wants: 'input', text: 'Thinking…' }],
    ['auth-required', { kind: 'question', wants: 'sign_in', text: 'Thinking…' }],
    ['completed', { kind: 'answered', text: 'Thinking…' }],
    ['canceled', { kind: 'failed', detail: 'Thinking…' }],
  ])('MOL-RES-16: that holds a task that is %s is what the task is', async (state, meant) => {
    const result = { kind: 'task', status: { state, message: messageResult('Thinking…') } };
    const response_body = { jsonrpc: '2.0', result };
    expect(await found(item({ status: 'completed', response_body }))).toEqual(meant);
  });

  test('MOL-RES-14: that is just being put down is looked for again', async () => {
    const missing = { status: 404, json: { error: 'not found', retryable: true } };
    const answers = [
      missing,
      missing,
      missing,
      missing,
      item({ status: 'failed', last_error: 'x' }),
    ];
    expect(await found(...answers)).toEqual({ kind: 'failed', detail: 'x' });
  });

  test('MOL-RES-14: that we may not see is given up', async () => {
    expect(await found(error(403, 'access denied'))).toMatchObject({
      kind: 'lost',
      detail: expect.stringContaining('access denied'),
    });
  });

  test('MOL-RES-14: of which an old server says 404 is looked for a few times, then given up', async () => {
    const old = error(404, 'not found');
    expect(await found(old, old, item({ status: 'failed', last_error: 'x' }))).toEqual({
      kind: 'failed',
      detail: 'x',
    });
    expect(await found(old, old, old)).toMatchObject({ kind: 'lost' });
  });

  test.each([
    ['a token that is refused', error(401, 'caller identity required')],
    ['a server in trouble', error(503, 'busy')],
    ['a page of a gateway', { status: 502, text: '<html>' }],
    ['the edge', { status: 404, text: '' }],
    ['nonsense', { json: { status: 'sleeping' } }],
  ])('MOL-RES-14: is not given up because of %s', async (_name, answer) => {
    expect(await found(answer)).toMatchObject({ kind: 'unreachable' });
  });

  test('a look ends when the turn is over by other means, and when everything stops', async () => {
    const { wait, client } = await queued(clockWithoutTimers(() => Date.now()));
    const over = new AbortController();
    const waiting = wait(over.signal);
    await eventually(() => platform.callsOf('queue').length).toBe(1);
    over.abort();
    // Between two looks, or in the middle of one.
    const none = ['pending', 'unreachable'];
    expect(none).toContain((await waiting).kind);
    const stopped = wait();
    await eventually(() => platform.callsOf('queue').length).toBe(2);
    await client.stop();
    expect(none).toContain((await stopped).kind);
  });
});
