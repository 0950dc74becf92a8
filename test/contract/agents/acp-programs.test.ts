/** How many programs of agents live, where they work, and who shares them. */
import {
  chmodSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { ProgramPlaces } from '../../../src/agents/acp/places.ts';
import { RunningPrograms } from '../../../src/agents/running-programs.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { recordingLog } from '../../kit/log.ts';
import { isProcessAlive } from '../../kit/processes.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { AcpRig } from './acp-rig.ts';

const startsIn = (rig: AcpRig) => rig.methods().filter((method) => method === 'initialize').length;

test('sessions of one folder share a program, and those of another do not', async () => {
  const rig = new AcpRig();
  const other = temporaryFolder();
  const asked = [
    rig.ask('readcwd', { session: 'one' }),
    rig.ask('readcwd', { session: 'two' }),
    rig.ask('readcwd', { session: 'three', folder: other }),
  ];
  const [one, two, three] = await Promise.all(asked);
  const own = join(rig.folder, 'own');
  expect(one).toMatchObject({ text: `process ${own}\nsession ${own}` });
  expect(two).toEqual(one);
  expect(three).toMatchObject({ text: `process ${other}\nsession ${other}` });
  expect(startsIn(rig)).toBe(2);
  expect(statSync(own).mode & 0o777).toBe(0o700);
});

test('R4: a turn that needs one program more waits in line, and its chat is told', async () => {
  const places = new ProgramPlaces(1);
  const rig = new AcpRig({ places });
  const folders = [temporaryFolder(), temporaryFolder()];
  const first = await rig.give('perm', { session: 'one', folder: folders[0]! });
  await expect.poll(() => first.questions().length).toBe(1);
  const second = await rig.give('say second', { session: 'two', folder: folders[1]! });
  await expect.poll(() => second.told()).toEqual(['waits_for_program']);
  expect(places.taken).toBe(1);
  await first.answer('allow-once');
  expect(await second.result).toMatchObject({ ok: true, text: 'second' });
  expect(first.told()).toEqual([]);
  expect(startsIn(rig)).toBe(2);
});

test('R4: a turn that waits in line can be stopped', async () => {
  const rig = new AcpRig({ places: new ProgramPlaces(1) });
  const first = await rig.give('hang', { session: 'one' });
  await expect.poll(() => rig.methods()).toContain('session/prompt');
  const second = await rig.give('say x', { session: 'two', folder: temporaryFolder() });
  await expect.poll(() => second.told()).toEqual(['waits_for_program']);
  second.run.cancel();
  expect(await second.result).toMatchObject({ ok: false, reason: 'cancelled' });
  first.run.cancel();
  await first.result;
  expect(startsIn(rig)).toBe(1);
});

test('R4: an idle program is ended after its time, and its memory stays', async () => {
  const rig = new AcpRig({ idleMs: 50 });
  await rig.ask('remember blue');
  const { places } = rig;
  await expect.poll(() => places.taken).toBe(0);
  expect(await rig.ask('recall')).toMatchObject({ ok: true, text: 'blue' });
  expect(startsIn(rig)).toBe(2);
  expect(rig.methods()).toContain('session/resume');
});

test('R4: a program is never ended while it works', async () => {
  const rig = new AcpRig({ idleMs: 20 });
  const one = await rig.give('sleep 400\nsay done', { session: 'one' });
  await rig.ask('say quick', { session: 'two' });
  expect(await one.result).toMatchObject({ ok: true, text: 'done' });
  expect(startsIn(rig)).toBe(1);
});

test('turns without a memory stand for themselves', async () => {
  const rig = new AcpRig();
  expect(await rig.ask('count', { session: null })).toMatchObject({ text: 'prompt 1' });
  expect(await rig.ask('count', { session: null })).toMatchObject({ text: 'prompt 1' });
  await expect.poll(() => rig.methods()).toContain('session/close');
});

test.each([
  [
    'does not exist',
    (folder: string) => rmSync(folder, { recursive: true }),
    /^The folder .* does not exist\.$/,
  ],
  [
    'is a file',
    (folder: string) => {
      rmSync(folder, { recursive: true });
      writeFileSync(folder, '');
    },
    /^The path .* is not a folder that can be used\.$/,
  ],
])('R34: a folder that %s is told before anything starts', async (_what, spoil, detail) => {
  const rig = new AcpRig();
  const folder = join(rig.folder, 'place');
  mkdirSync(folder);
  spoil(folder);
  const result = await rig.ask('say x', { folder });
  expect(result).toEqual({ ok: false, reason: 'failed', detail: expect.stringMatching(detail) });
  expect(rig.methods()).toEqual([]);
});

test('R34: a folder must be named with its full path', async () => {
  const rig = new AcpRig();
  expect(await rig.ask('say x', { folder: 'here' })).toMatchObject({
    ok: false,
    detail: 'The folder here is not named with its full path.',
  });
});

test('R8, R10: the program gets a PATH and a HOME, and nothing that is not allowed', async () => {
  const env = { CLAUDECODE: '1', LARK_APP_SECRET: 'do-not-show', MY_KEY: 'key', OTHER: 'x' };
  const rig = new AcpRig({ env, spec: { variables: ['MY_KEY'] } });
  const names = ['PATH', 'HOME', 'LANG', 'CLAUDECODE', 'LARK_APP_SECRET', 'MY_KEY', 'OTHER'];
  const result = await rig.ask(names.map((name) => `env ${name}`).join('\n'));
  const [path, home, ...rest] = result.ok ? result.text.split('\n\n') : [];
  expect(path).toMatch(/^PATH=\//);
  expect(home).toMatch(/^HOME=\//);
  expect(rest).toEqual([
    'LANG=C.UTF-8',
    'CLAUDECODE is not set',
    'LARK_APP_SECRET is not set',
    'MY_KEY=key',
    'OTHER is not set',
  ]);
});

test('a program that is not there is told in words, with what to do for the operator', async () => {
  const rig = new AcpRig({ spec: { argv: ['no-such-agent', '--acp'] } });
  expect(await rig.ask('say x')).toEqual({
    ok: false,
    reason: 'failed',
    detail: "The agent's program was not found.",
    output: {
      stdout: '',
      stderr: 'there is no program no-such-agent on the PATH\nInstall it, or give its full path.',
    },
  });
});

test('a program with line ends of Windows is told in words', async () => {
  const folder = temporaryFolder();
  const program = join(folder, 'agent');
  writeFileSync(program, '#!/bin/sh\r\nexit 0\r\n');
  chmodSync(program, 0o755);
  const result = await new AcpRig({ spec: { argv: [program] } }).ask('say x');
  expect(result).toMatchObject({ ok: false, detail: "The agent's program was not found." });
  expect(result.output?.stderr).toContain('carriage return');
});

test('a program that may not be executed is told in words', async () => {
  const program = join(temporaryFolder(), 'agent');
  writeFileSync(program, '#!/bin/sh\n');
  const result = await new AcpRig({ spec: { argv: [program] } }).ask('say x');
  expect(result).toMatchObject({ ok: false, reason: 'failed' });
  expect(result.output?.stderr).toContain('may not be executed');
});

test('R29: a program that needs another Node says so', async () => {
  const script = 'echo "agent requires Node >= 22.19" >&2; exit 1';
  const result = await new AcpRig({ spec: { argv: ['sh', '-c', script] } }).ask('say x');
  expect(result).toMatchObject({
    ok: false,
    detail: "The agent's program needs another version of Node than the one that it got.",
    output: { stderr: 'agent requires Node >= 22.19' },
  });
});

test('what is given to an agent as a secret is not shown to the operator', async () => {
  const script = 'echo "bad key: $MY_KEY"; exit 3';
  const spec = { argv: ['sh', '-c', script], variables: ['MY_KEY'] };
  const rig = new AcpRig({ spec, env: { PATH: process.env['PATH'], MY_KEY: 'very-secret-key' } });
  expect(await rig.ask('say x')).toMatchObject({
    detail: "The agent's program ended with exit code 3.",
    output: { stdout: 'bad key: [secret]' },
  });
  expect(JSON.stringify(rig.log.lines)).not.toContain('very-secret');
});

test('programs are noted for the next process, and what a dead bridge left is ended', async () => {
  const folder = join(temporaryFolder(), 'notes');
  const programs = new RunningPrograms({ folder, clock: systemClock, log: recordingLog() });
  const rig = new AcpRig({ programs });
  await rig.ask('child away');
  await expect.poll(() => rig.pids().length).toBe(1);
  expect(readdirSync(folder)).toHaveLength(1);
  // As a later process does it.
  await new RunningPrograms({ folder, clock: systemClock, log: recordingLog() }).endLeftovers();
  expect(rig.pids().filter(isProcessAlive)).toEqual([]);
  expect(await rig.ask('say again')).toMatchObject({ ok: true, text: 'again' });
  await rig.runtime.stop();
  expect(readdirSync(folder)).toEqual([]);
});

test('SIGKILL of a program ends its work with words, and the next turn goes on', async () => {
  const rig = new AcpRig();
  await rig.ask('remember blue');
  const given = await rig.give('say begun\nchild\nhang');
  await expect.poll(() => rig.pids().length).toBe(1);
  const agent = readFileSync(`/proc/${rig.pids()[0]}/stat`, 'utf8').split(') ')[1]!.split(' ')[1];
  process.kill(Number(agent), 'SIGKILL');
  expect(await given.result).toMatchObject({
    ok: true,
    text: expect.stringContaining('begun'),
    warning: "The agent's program was ended by SIGKILL.",
  });
  expect(rig.pids().filter(isProcessAlive)).toEqual([]);
  expect(await rig.ask('recall')).toMatchObject({ ok: true, text: 'blue' });
});

test('what agents do is counted', async () => {
  const counted: string[] = [];
  const rig = new AcpRig({
    observer: {
      programStarted: (isRestart) => counted.push(isRestart ? 'restarted' : 'started'),
      programEnded: () => counted.push('ended'),
      sessionOpened: (memory) => counted.push(memory),
      promptSent: () => counted.push('prompt'),
      firstUpdateAfter: () => counted.push('first'),
    },
  });
  await rig.ask('say x');
  expect(counted).toEqual(['started', 'begun', 'prompt', 'first']);
  await rig.ask('crash 3');
  expect(counted.splice(0).slice(4)).toEqual(['prompt', 'ended']);
  await rig.ask('say x');
  expect(counted).toEqual(['restarted', 'kept', 'prompt', 'first']);
});

test('R33: an error of the agent is told in words, and logged without secrets', async () => {
  const spec = { variables: ['MY_KEY'] };
  const env = { PATH: process.env['PATH'], MY_KEY: 'very-secret-key' };
  const rig = new AcpRig({ spec, env });
  expect(await rig.ask('error -32603 bad key very-secret-key.')).toEqual({
    ok: false,
    reason: 'failed',
    detail: 'The agent reported an error: bad key [secret].',
  });
  expect(rig.log.lines).toContainEqual(
    expect.objectContaining({
      event: 'agent_request_failed',
      code: -32603,
      message: 'bad key [secret].',
      data: '{"detail":"made by the fake agent"}',
    }),
  );
});

test('R4: a program that nobody waits for any more is ended in its time', async () => {
  const rig = new AcpRig({ script: 'slowstart=200', idleMs: 20 });
  const given = await rig.give('say x');
  await expect.poll(() => rig.places.taken).toBe(1);
  given.run.cancel();
  expect(await given.result).toMatchObject({ ok: false, reason: 'cancelled' });
  await expect.poll(() => rig.places.taken).toBe(0);
});

test('a memory that moves from one conversation to another is heard where it is', async () => {
  const rig = new AcpRig();
  await rig.ask('remember blue', { session: 'one' });
  rig.stored.set('two', rig.stored.get('one'));
  expect(await rig.ask('recall', { session: 'two' })).toMatchObject({ text: 'blue' });
  expect(await rig.ask('recall', { session: 'one' })).toMatchObject({ text: 'blue' });
  expect(rig.methods().filter((method) => /load|resume/.test(method))).toEqual([]);
});
