import { closeSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { devNull } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { ExecRuntime } from '../../../src/agents/exec.ts';
import type { ExecOptions } from '../../../src/agents/exec/run.ts';
import type { AgentRun } from '../../../src/agents/runtime.ts';
import type { LarkContext } from '../../../src/core/message.ts';
import { begin, turnOf } from '../../contract/agents/agent-contract.ts';
import { execOptions } from './exec-options.ts';
import { isProcessAlive, pidIn } from '../../kit/processes.ts';
import { type Clock, systemClock } from '../../../src/time/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { recordingLog } from '../../kit/log.ts';

let folder: string;
beforeEach(() => {
  folder = temporaryFolder();
});

const LARK: LarkContext = {
  brand: 'lark',
  chatId: 'oc_1',
  chatType: 'p2p',
  senderOpenId: 'ou_1',
  messageId: 'om_1',
};

type More = Parameters<typeof execOptions>[1];

const start = (argv: readonly string[], more?: More, lark?: LarkContext) =>
  begin(new ExecRuntime(execOptions(argv, more)), turnOf('the text', { lark }));
const sh = (script: string, more?: More) => start(['sh', '-c', script], more);
const resultOf = async (script: string, more?: More) => (await sh(script, more)).result;

async function environmentOf(env: ExecOptions['env'], lark?: LarkContext): Promise<string[]> {
  const result = await (
    await start(['env'], { env: { PATH: process.env['PATH'], ...env } }, lark)
  ).result;
  const text = result.ok ? result.text : '';
  return text.split('\n').filter((line) => !/^(?:PATH|PWD|SHLVL|_|LARK_RUN_ID)=/.test(line));
}

/** Processes of the tree write their ids into the folder. */
const isAlive = (pidFile: string) =>
  isProcessAlive(Number(readFileSync(join(folder, pidFile), 'utf8')));

const pidWritten = (file: string) => pidIn(join(folder, file));

/** Skips over the waits that a test does not want to wait for. */
function clockWith(shorten: (delayMs: number) => number): Clock {
  return {
    nowMs: systemClock.nowMs,
    after: (delayMs, run) => systemClock.after(shorten(delayMs), run),
  };
}

test('exit 0: stdout is the answer, without the newline at its end', async () => {
  expect(await resultOf('cat; echo " read"')).toEqual({ ok: true, text: 'the text read' });
  expect(await resultOf('printf "a\\n\\n"')).toEqual({ ok: true, text: 'a\n' });
  expect(await resultOf('printf "a\\r\\n"')).toEqual({ ok: true, text: 'a' });
  expect(await resultOf('true')).toEqual({ ok: true, text: '' });
});

test('no shell reads the arguments', async () => {
  const result = await (await start(['echo', '$HOME', '`id`', '; ls', '*'])).result;
  expect(result).toEqual({ ok: true, text: '$HOME `id` ; ls *' });
});

test('a character that is spread over two writes is not broken', async () => {
  const script = String.raw`printf '\344\270'; sleep 0.05; printf '\226\347\225\214'`;
  expect(await resultOf(script)).toEqual({ ok: true, text: '世界' });
});

test.each([
  ['exit 3', "The agent's program ended with exit code 3.", { exitCode: 3 }],
  ['kill -SEGV $$', "The agent's program was ended by SIGSEGV.", {}],
])('%s is a failure: %s', async (script, detail, end) => {
  expect(await resultOf(`echo half; ${script}`)).toEqual({
    ok: false,
    reason: 'failed',
    detail,
    ...end,
    output: { stdout: 'half', stderr: '' },
  });
});

test('a program that is missing or can not be started is a failure in plain words', async () => {
  const log = recordingLog();
  expect(await (await start(['/no/such/program'], { log })).result).toEqual({
    ok: false,
    reason: 'failed',
    detail: "The agent's program was not found.",
  });
  const notStarted = log.lines.filter(({ event }) => event !== 'agent_stdin_closed');
  expect(notStarted).toMatchObject([{ level: 'error', event: 'agent_program_not_started' }]);
  const notExecutable = join(folder, 'notes.txt');
  writeFileSync(notExecutable, 'x', { mode: 0o600 });
  expect(await (await start([notExecutable])).result).toEqual({
    ok: false,
    reason: 'failed',
    detail:
      "The agent's program could not be started, because lark-bridge has no right to run that file.",
  });
  expect(await (await start(['echo', 'a\0b'])).result).toMatchObject({
    ok: false,
    reason: 'failed',
  });
});

test('F26: without open files left a turn fails in words, with the next step in the log', async () => {
  const log = recordingLog();
  const runtime = new ExecRuntime(execOptions(['cat'], { log }));
  await runtime.start();
  const opened: number[] = [];
  const openAll = () => {
    for (;;) opened.push(openSync(devNull, 'r'));
  };
  let run: AgentRun;
  try {
    expect(openAll).toThrow('EMFILE');
    run = runtime.prompt(turnOf('x'), { onUpdate: () => {} });
  } finally {
    for (const file of opened) closeSync(file);
  }
  expect(await run.result).toEqual({
    ok: false,
    reason: 'failed',
    detail:
      "The agent's program could not be started, because this process has reached its limit of open files.",
  });
  expect(log.lines).toMatchObject([
    {
      level: 'error',
      event: 'agent_program_not_started',
      error: expect.stringContaining('EMFILE') as string,
      next: expect.stringContaining('ulimit -n') as string,
    },
  ]);
  expect(await runtime.prompt(turnOf('and on'), { onUpdate: () => {} }).result).toEqual({
    ok: true,
    text: 'and on',
  });
  await runtime.stop();
});

test('a program that says on stdout why it failed: the end of both streams is for the operator', async () => {
  const log = recordingLog();
  const result = await resultOf('echo "no credit left"; echo "at line 3" >&2; exit 1', { log });
  const output = { stdout: 'no credit left', stderr: 'at line 3' };
  expect(result).toMatchObject({ ok: false, output });
  expect(!result.ok && result.detail).not.toContain('credit');
  expect(log.lines.filter(({ event }) => event === 'agent_program_failed')).toEqual([
    expect.objectContaining({ level: 'debug', ...output }),
  ]);
});

test('a program that ends well without an answer: what it said on stderr is for the operator', async () => {
  const log = recordingLog();
  const result = await resultOf(String.raw`printf '\033[0m\n'; echo "not logged in" >&2`, {
    log,
  });
  expect(result).toMatchObject({ ok: true, output: { stdout: '', stderr: 'not logged in' } });
  expect(log.lines).toContainEqual(
    expect.objectContaining({ level: 'warn', event: 'agent_program_gave_no_answer' }),
  );
  expect(await resultOf('echo fine; echo chatter >&2')).toEqual({ ok: true, text: 'fine' });
});

test('what is kept of the streams is short, of whole characters, and without secrets', async () => {
  const script = String.raw`yes 漢字 | head -c 28000; printf 'key %s token=abc123 \033[31mred\033[0m' "$MY_API_KEY"; exit 1`;
  const env = { PATH: process.env['PATH'], MY_API_KEY: 'sk-0123456789' };
  const variables = ['MY_API_KEY'];
  const spec = { kind: 'exec', argv: ['sh', '-c', script], variables } as const;
  const result = await resultOf(script, { env, spec });
  const stdout = result.output?.stdout ?? '';
  expect(stdout).toMatch(/key \[secret\] token=\[secret\] red$/);
  expect(stdout).toMatch(/^[漢字\n]/);
  expect(stdout).not.toContain('\uFFFD');
  expect(stdout.length).toBeLessThanOrEqual(2_000);
});

test('the output of a cancelled program is not reported', async () => {
  const log = recordingLog();
  const run = await sh(`cd ${folder}; echo words >&2; echo $$ > begun; sleep 60`, { log });
  await pidWritten('begun');
  run.cancel();
  expect(await run.result).toEqual({
    ok: false,
    reason: 'cancelled',
    detail: 'The turn was cancelled.',
  });
  expect(JSON.stringify(log.lines)).not.toContain('words');
});

test('stderr is never part of the answer; its end is in the log for debugging', async () => {
  const log = recordingLog();
  const result = await resultOf('echo first >&2; echo "the cause" >&2; exit 1', { log });
  expect(!result.ok && result.detail).not.toContain('cause');
  const aboutStderr = log.lines.filter(({ event }) => event !== 'agent_stdin_closed');
  expect(aboutStderr).toEqual([
    {
      level: 'debug',
      event: 'agent_program_failed',
      hub_turn: 'turn-1',
      detail: "The agent's program ended with exit code 1.",
      stdout: '',
      stderr: 'first\nthe cause',
    },
  ]);
});

test('only the end of a very long stderr is kept', async () => {
  const log = recordingLog();
  const result = await resultOf('yes x | head -c 300000 >&2; echo end >&2; echo fine', { log });
  expect(result).toEqual({ ok: true, text: 'fine' });
  const written = log.lines.find(({ event }) => event === 'agent_stderr_written');
  const stderr = String(written?.['stderr']);
  expect(stderr).toHaveLength(2_000);
  expect(stderr.endsWith('end')).toBe(true);
});

test('a program that does not read its input can still answer', async () => {
  const agent = new ExecRuntime(execOptions(['sh', '-c', 'exec 0<&-; echo fine']));
  const result = await (await begin(agent, turnOf('x'.repeat(4 * 1024 * 1024)))).result;
  expect(result).toEqual({ ok: true, text: 'fine' });
});

test('the environment names where the message came from, and its files; what is empty is absent', async () => {
  const plain = await environmentOf({ HOME: '/home/me' }, LARK);
  expect(plain.toSorted()).toEqual([
    'HOME=/home/me',
    'LARK_ATTACHMENTS=[]',
    'LARK_BRAND=lark',
    'LARK_CHAT_ID=oc_1',
    'LARK_CHAT_TYPE=p2p',
    'LARK_MESSAGE_ID=om_1',
    'LARK_SENDER_OPEN_ID=ou_1',
  ]);
  const threaded = await environmentOf({}, { ...LARK, threadId: 'omt_1', parentId: 'om_0' });
  expect(threaded).toEqual(expect.arrayContaining(['LARK_THREAD_ID=omt_1', 'LARK_PARENT_ID=om_0']));
});

test('the program gets no setting and no secret of the bridge, and no variable that lets it write to systemd', async () => {
  const ours = {
    LARK_APP_SECRET: 's1',
    LARK_APP_ID: 'a',
    LARK_JWT_SECRET: 's2',
    LARK_S3_SECRET: 's3',
    LARK_BRAND: 'feishu',
    MOLECULE_WORKSPACE_TOKEN: 's4',
    MOLECULE_CHANNEL_A2A_TOKEN: 's5',
    WORKSPACE_ID: 'w',
    PLATFORM_URL: 'p',
    NOTIFY_SOCKET: '/run/systemd/notify',
    WATCHDOG_USEC: '1',
    WATCHDOG_PID: '1',
    CREDENTIALS_DIRECTORY: '/run/credentials/x',
  };
  expect(await environmentOf({ ...ours, TZ: 'UTC' })).toEqual(['TZ=UTC']);
});

test('an answer over the limit is cut, says so, and the program is stopped', async () => {
  const result = await resultOf('yes 漢字', { outputBytesMax: 100 * 1024 });
  const text = result.ok ? result.text : '';
  const said = '\n\n[The answer was longer than 100 KB. It was cut here.]';
  expect(text.endsWith(said)).toBe(true);
  const kept = text.slice(0, -said.length);
  expect(kept).toMatch(/^(?:漢字\n)+漢?字?\n?$/);
  expect(Buffer.byteLength(kept)).toBeGreaterThan(100 * 1024 - 4);
  expect(Buffer.byteLength(kept)).toBeLessThanOrEqual(100 * 1024);
});

test('when the time is over, all processes of the program are stopped', async () => {
  const clock = clockWith((delayMs) => (delayMs === 600_000 ? 300 : delayMs));
  const script = `cd ${folder}; sh -c 'echo $$ > child; sleep 60' & echo $$ > parent; wait`;
  const run = await sh(script, { clock, timeoutMs: 600_000 });
  await Promise.all([pidWritten('child'), pidWritten('parent')]);
  expect(await run.result).toEqual({
    ok: false,
    reason: 'timed_out',
    detail: 'The agent gave no answer within 600 seconds.',
  });
  await expect.poll(() => [isAlive('child'), isAlive('parent')]).toEqual([false, false]);
});

test('processes that ignore SIGTERM are killed after the grace period', async () => {
  const clock = clockWith((delayMs) => (delayMs === 2_000 ? 100 : delayMs));
  const stubborn = (file: string) => `trap '' TERM; echo $$ > ${file}; while :; do sleep 60; done`;
  writeFileSync(join(folder, 'child.sh'), stubborn('child'));
  const run = await sh(`cd ${folder}; sh child.sh & ${stubborn('parent')}`, { clock });
  await Promise.all([pidWritten('child'), pidWritten('parent')]);
  run.cancel();
  expect(await run.result).toMatchObject({ ok: false, reason: 'cancelled' });
  await expect.poll(() => [isAlive('child'), isAlive('parent')]).toEqual([false, false]);
});

test('a child that outlives a cancelled parent is killed with it', async () => {
  const child = `(trap '' TERM; sh -c 'echo $PPID > child'; sleep 60) > /dev/null 2>&1`;
  const script = `cd ${folder}; ${child} & wait`;
  const run = await sh(script);
  await pidWritten('child');
  run.cancel();
  expect(await run.result).toMatchObject({ ok: false, reason: 'cancelled' });
  await expect.poll(() => isAlive('child')).toBe(false);
});

test('an answer counts although a process in the background holds the output open', async () => {
  const script = `cd ${folder}; sh -c 'echo $$ > child; sleep 60' & while ! test -s child; do sleep 0.01; done; echo fine`;
  expect(await resultOf(script)).toEqual({ ok: true, text: 'fine' });
  await expect.poll(() => isAlive('child')).toBe(false);
});
