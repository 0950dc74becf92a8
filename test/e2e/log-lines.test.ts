/** What a failed call leaves in the log: one line that says what it was for, at the level that it deserves. */
import { mkdirSync, readdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rig, RUN } from './rig.ts';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
});

afterEach(() => rig.close());

interface Line {
  readonly level: string;
  readonly event?: string;
  readonly turn?: string;
  readonly hub_turn?: string;
  readonly ready?: boolean;
  readonly kind?: string;
  readonly code?: number;
}

test('one failed call gives one line, and a sign that could not be set is no error', async () => {
  const bridge = await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  const refuse = { kind: 'business_error', method: 'POST' } as const;
  rig.cloud.faults.inject({ ...refuse, code: 2200, msg: 'internal', path: '/reply' });
  rig.cloud.faults.inject({ ...refuse, code: 231002, msg: 'no reaction', path: '/reactions' });
  await rig.addAgent('slow', 'sleep 1; cat');
  rig.cloud.say({ chat, from: user, text: 'hello' });
  await rig.repliesIn(chat, 1);
  await bridge.saw(() => bridge.stderr.includes('231002'));
  await bridge.stop();
  const bad = linesOf(bridge.stderr).filter(({ level }) => level === 'warn' || level === 'error');
  expect(bad.filter(({ code }) => code === 2200)).toMatchObject([
    { level: 'warn', kind: 'answer' },
  ]);
  expect(bad.filter(({ code }) => code === 231002)).toMatchObject([
    { level: 'warn', kind: 'react' },
  ]);
  expect(bad).toHaveLength(2);
});

function linesOf(text: string): Line[] {
  return text
    .split('\n')
    .filter((line) => line.startsWith('{'))
    .map((line) => JSON.parse(line) as Line);
}

test('F33: a message that is answered leaves one line, of 240 bytes at most', async () => {
  const MESSAGES = 20;
  const bridge = await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  const before = bridge.stderr.length;
  for (let at = 1; at <= MESSAGES; at++) {
    rig.cloud.say({ chat, from: user, text: `question ${at}` });
    await rig.repliesIn(chat, at);
  }
  const log = bridge.stderr.slice(before);
  await bridge.stop();
  const ofMessages = log.split('\n').filter((line) => line.includes('"turn":"om_'));
  expect(ofMessages).toHaveLength(MESSAGES);
  expect(log.length / MESSAGES).toBeLessThanOrEqual(240);
  // They are enough to find out more: `trace` takes the id.
  expect(log).toMatch(
    /"event":"turn_answered","turn":"om_\w+","chat":"oc_\w+","agent":"echo","took_ms":\d+\}/,
  );
});

test('a turn that fails leaves one line, and keeps what its program said last; a stop has two', async () => {
  const bridge = await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  await rig.addAgent('broken', 'echo "no key for the model" >&2; exit 3');
  const before = bridge.stderr.length;
  rig.cloud.say({ chat, from: user, text: 'hello' });
  const [shown] = await rig.repliesIn(chat, 1);
  const [failed, ...others] = linesOf(bridge.stderr.slice(before));
  expect(failed).toMatchObject({
    level: 'warn',
    event: 'turn_failed',
    turn: expect.stringMatching(/^om_/) as string,
    chat: chat.chatId,
    agent: 'broken',
    took_ms: expect.any(Number) as number,
    reason: 'agent_failed',
    exit_code: 3,
  });
  expect(others).toEqual([]);
  // In the chat only the owner sees what the program said, in no log anybody.
  expect(JSON.stringify(shown)).not.toContain('no key');
  expect(bridge.stderr).not.toContain('no key');
  const { turn = '' } = failed ?? {};
  const show = await rig.command(['turns', 'show', turn]);
  expect(show.stdout).toContain('The last words of broken:\n  no key for the model\n');
  const trace = await rig.command(['trace', turn, '--json']);
  expect(trace.stdout).toContain('"exit_code":3');
  expect(trace.stdout).toContain('no key for the model');
  await bridge.stop();
  const ends = linesOf(bridge.stderr).slice(-2);
  expect(ends).toMatchObject([
    { level: 'info', event: 'stop_begun', turns_at_work: 0 },
    { level: 'info', event: 'stopped' },
  ]);
});

test('each line about a message names it in the same way, in whatever room it is written', async () => {
  const bridge = await rig.runHere({ words: [...RUN, '--log-level', 'debug'] });
  const { user, chat } = rig.direct('Mei');
  await rig.addAgent('shout', 'tr a-z A-Z');
  const before = bridge.stderr.length;
  rig.cloud.say({ chat, from: user, text: 'hello' });
  await rig.repliesIn(chat, 1);
  await bridge.saw(() => bridge.stderr.slice(before).includes('"event":"sent"'));
  await bridge.stop();
  const about = linesOf(bridge.stderr.slice(before)).filter(({ event = '' }) =>
    /^(?:message|turn|hub_turn|agent_program|sent)/.test(event),
  );
  const turns = new Set(about.map(({ turn }) => turn));
  expect([...turns]).toEqual([expect.stringMatching(/^om_/)]);
  const atHub = about.filter(({ event }) => event?.startsWith('hub_turn'));
  expect(atHub.map(({ event }) => event)).toEqual([
    'hub_turn_queued',
    'hub_turn_started',
    'hub_turn_answered',
  ]);
  expect(new Set(atHub.map(({ hub_turn: turn }) => turn)).size).toBe(1);
});

test('it is started when it has started, and ready when it is', async () => {
  mkdirSync(rig.stateDir, { mode: 0o700 });
  writeFileSync(join(rig.stateDir, 'bridge.db'), 'this is no database', { mode: 0o600 });
  const bridge = await rig.runHere();
  expect(bridge.stdout).toMatch(/^\{"event":"started","hub_url":"http.*"\}\n$/);
  await bridge.saw(() => bridge.logged('bridge_started'));
  const doctor = await rig.command(['doctor', '--offline', '--json']);
  expect(doctor.stdout).toContain('"database_set_aside"');
  const kept = readdirSync(rig.stateDir).find((name) => name.includes('.corrupt-')) ?? '';
  renameSync(join(rig.stateDir, kept), join(rig.home, kept));
  await bridge.saw(() => bridge.stdout.includes('{"event":"ready","hub_url":"http'));
  await bridge.stop();
  const events = linesOf(bridge.stderr).map(({ event, ready }) => [event, ready]);
  expect(events.filter(([event]) => event === 'bridge_started')).toEqual([
    ['bridge_started', false],
  ]);
  expect(events.filter(([event]) => event === 'health_changed')).toEqual([
    ['health_changed', false],
    ['health_changed', true],
  ]);
});
