/** One trace a message, from its frame to its reply, at a collector on loopback. */
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Traces } from '../../../src/observe/traces/traces.ts';
import { turnIn } from '../../unit/bridge/samples.ts';
import { openOtlpReceiver, type OtlpReceiver, type ReceivedSpan } from './otlp-receiver.ts';
import { startWatchedBridge } from './rig.ts';
import type { TurnLife } from '../../../src/bridge/ports/journal-reader.ts';
import { silentLog } from '../../kit/log.ts';
import { clockWithoutTimers } from '../../kit/clock.ts';

let receiver: OtlpReceiver;

beforeEach(async () => {
  // The packages read these from the process, as they do everywhere.
  vi.stubEnv('OTEL_BSP_SCHEDULE_DELAY', '50');
  receiver = await openOtlpReceiver();
});

afterEach(() => vi.unstubAllEnvs());

const start = () => startWatchedBridge({ OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url });
const namesOf = (spans: readonly ReceivedSpan[]) => spans.map(({ name }) => name).toSorted();
const oneMessage = ['admit', 'lark_call', 'message', 'outbox', 'queue', 'turn'];

test('a message is one trace: admit, queue, turn, outbox and call within it, at their true times', async () => {
  const beforeMs = Date.now();
  const bridge = await start();
  await bridge.talk('a delicate thing');
  await expect.poll(() => namesOf(receiver.spans)).toEqual(oneMessage);
  const root = receiver.spans.find(({ parentSpanId }) => parentSpanId === undefined);
  expect(root).toMatchObject({
    name: 'message',
    failed: false,
    attributes: {
      'lark.app_id': bridge.app.appId,
      'lark.chat_id': bridge.chat.chatId,
      'lark.chat_type': 'p2p',
      'lark_bridge.outcome': 'answered',
      'lark_bridge.run': 1,
    },
  });
  const [admit, queue, turn, outbox, call] = ['admit', 'queue', 'turn', 'outbox', 'lark_call'].map(
    (name) => receiver.spans.find((span) => span.name === name)!,
  );
  for (const span of [admit, queue, turn, outbox, call]) {
    expect(span!.traceId).toBe(root!.traceId);
    expect(span!.parentSpanId).toBe(root!.spanId);
    expect(span!.startMs).toBeGreaterThanOrEqual(root!.startMs);
    expect(span!.endMs).toBeLessThanOrEqual(root!.endMs);
  }
  expect(root!.startMs).toBeGreaterThanOrEqual(beforeMs);
  expect([admit!.startMs, admit!.endMs]).toEqual([root!.startMs, queue!.startMs]);
  expect([queue!.endMs, turn!.endMs]).toEqual([turn!.startMs, outbox!.startMs]);
  expect([outbox!.endMs, call!.endMs]).toEqual([call!.startMs, root!.endMs]);
  const shown = bridge.cloud.shows(bridge.chat).find(({ from }) => from.startsWith('app:'));
  expect(call!.attributes).toMatchObject({
    'lark.reply_id': shown?.messageId,
    'lark_bridge.what': 'answer',
    'lark_bridge.attempts': 1,
  });
  expect(receiver.text).not.toContain('delicate');
  expect(receiver.text).not.toContain(bridge.app.appSecret);
  expect(receiver.resource).toMatchObject({ 'service.name': 'lark-bridge' });
});

test('each message has a trace of its own, sent once', async () => {
  const bridge = await start();
  await bridge.talk('one');
  await bridge.talk('two');
  await bridge.stop();
  expect(namesOf(receiver.spans)).toEqual([...oneMessage, ...oneMessage].toSorted());
  expect(new Set(receiver.spans.map(({ traceId }) => traceId)).size).toBe(2);
});

test('what Lark refused shows as an error in the call and in the whole', async () => {
  const bridge = await start();
  bridge.cloud.faults.inject({ kind: 'business_error', code: 230022, path: '/reply' });
  await bridge.talk('refused');
  await bridge.stop();
  const failed = receiver.spans.filter((span) => span.failed);
  expect(namesOf(failed)).toEqual(['lark_call', 'message']);
  const calls = receiver.spans.filter(({ name }) => name === 'lark_call');
  expect(calls.map((span) => String(span.attributes['lark_bridge.what'])).toSorted()).toEqual([
    'answer',
    'notice',
  ]);
  const refused = failed.find(({ name }) => name === 'lark_call');
  expect(refused?.attributes['lark_bridge.last_error']).toContain('230022');
});

test('the standard variables for headers and names hold', async () => {
  vi.stubEnv('OTEL_SERVICE_NAME', 'bot-of-mei');
  // Not in the environment of the process: at a real start the bridge takes its secrets out of it.
  const bridge = await startWatchedBridge({
    OTEL_EXPORTER_OTLP_ENDPOINT: receiver.url,
    OTEL_EXPORTER_OTLP_HEADERS: 'x-tenant=six,authorization=Basic%20a2V5==, x-odd=100%',
    OTEL_EXPORTER_OTLP_TRACES_HEADERS: 'x-tenant=seven',
  });
  await bridge.talk('hello');
  await bridge.stop();
  expect(receiver.headers[0]).toMatchObject({
    'x-tenant': 'seven',
    authorization: 'Basic a2V5==',
    'x-odd': '100%',
  });
  expect(receiver.resource).toMatchObject({ 'service.name': 'bot-of-mei' });
});

test('a collector that refuses is told of once, and keeps nobody from an answer', async () => {
  receiver.refusals.push(400, 400);
  const bridge = await start();
  const events = (name: string) => bridge.lines.filter(({ event }) => event === name).length;
  await bridge.talk('one');
  await expect.poll(() => receiver.refusals.length).toBe(1);
  await bridge.talk('two');
  await expect.poll(() => receiver.refusals.length).toBe(0);
  await bridge.talk('three');
  await expect.poll(() => events('traces_sent_again')).toBe(1);
  expect(events('traces_not_sent')).toBe(1);
});

test('a collector that hangs does not hold up a stop', async () => {
  const { createServer } = await import('node:http');
  const hanging = createServer(() => {});
  hanging.listen(0, '127.0.0.1');
  await new Promise((resolve) => hanging.once('listening', resolve));
  const { port } = hanging.address() as { port: number };
  const bridge = await startWatchedBridge({
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${port}`,
  });
  await bridge.talk('hello');
  const asked = new Promise((resolve) => hanging.once('request', resolve));
  await asked;
  await bridge.stop();
  hanging.closeAllConnections();
  hanging.close();
});

test('what ends twice, as a turn and as its answer, is one trace', async () => {
  const ended: TurnLife = {
    turn: turnIn({ phase: 'answered' }),
    admittedAtMs: 1_001,
    endedAtMs: 1_001,
    runs: [],
    out: [],
    ahead: 0,
  };
  const clock = clockWithoutTimers(() => Date.now());
  const life = () => Promise.resolve(ended);
  const traces = new Traces({ endpoint: receiver.url, version: '1', life, clock, log: silentLog });
  await traces.start();
  traces.sendIfDone(ended.turn.id);
  traces.sendIfDone(ended.turn.id);
  await traces.stop();
  expect(namesOf(receiver.spans)).toEqual(['admit', 'message']);
});
