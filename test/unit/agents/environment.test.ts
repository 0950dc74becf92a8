/** What a program gets of the bridge's environment, and what a person chose for it. */
import { execFileSync } from 'node:child_process';
import { chmodSync, chownSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ExecRuntime } from '../../../src/agents/exec.ts';
import type { ExecSpec } from '../../../src/agents/runtime.ts';
import { begin, turnOf } from '../../contract/agents/agent-contract.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { recordingLog, type RecordingLog } from '../../kit/log.ts';
import { execOptions } from './exec-options.ts';

let folder: string;
let log: RecordingLog;
beforeEach(() => {
  folder = temporaryFolder();
  log = recordingLog();
});

type More = Partial<ExecSpec> & { readonly env?: Readonly<Record<string, string>> };

async function resultOf(argv: readonly string[], { env = {}, ...more }: More = {}) {
  const spec = { kind: 'exec', argv, ...more } as const;
  const all = { PATH: process.env['PATH'], ...env };
  return (await begin(new ExecRuntime(execOptions([], { spec, env: all, log })), turnOf('text')))
    .result;
}

async function environmentOf(more: More = {}) {
  const result = await resultOf(['env', '-0'], more);
  const entries = (result.ok ? result.text : '').split('\0').filter((line) => line !== '');
  const all = Object.fromEntries(
    entries.map((line) => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)]),
  );
  const { PATH: _path, LARK_RUN_ID: _mark, ...rest } = all;
  return rest;
}

function fileOf(text: string, mode = 0o600): string {
  const path = join(folder, 'variables');
  writeFileSync(path, text);
  chmodSync(path, mode);
  return path;
}

const ALLOWED = {
  HOME: '/home/me',
  USER: 'me',
  LOGNAME: 'me',
  SHELL: '/bin/sh',
  LANG: 'C.UTF-8',
  LC_ALL: 'C.UTF-8',
  LANGUAGE: 'en',
  TZ: 'UTC',
  TERM: 'dumb',
  TMPDIR: '/tmp',
  XDG_CONFIG_HOME: '/home/me/.config',
  HTTPS_PROXY: 'http://proxy:1',
  no_proxy: 'localhost',
  SSL_CERT_FILE: '/etc/ca.pem',
  NODE_EXTRA_CA_CERTS: '/etc/ca.pem',
};
const OTHERS = {
  ANTHROPIC_API_KEY: 'sk-1',
  OTEL_EXPORTER_OTLP_HEADERS: 'authorization=x',
  GITHUB_TOKEN: 'ghp',
  DATABASE_URL: 'postgres://user:secret@host/',
  NODE_OPTIONS: '--no-warnings',
  LD_LIBRARY_PATH: '/lib',
  LARK_APP_SECRET: 's',
  MOLECULE_WORKSPACE_TOKEN: 't',
  NOTIFY_SOCKET: '/run/systemd/notify',
  SSH_AUTH_SOCK: '/tmp/agent',
  MY_PATH: 'x',
  XDG: 'x',
};

test('F5: a program gets the variables of the list, and no other', async () => {
  expect(await environmentOf({ env: { ...ALLOWED, ...OTHERS } })).toEqual(ALLOWED);
});

test('F5: what a person names for it reaches it, from the environment and from a file', async () => {
  const variablesFile = fileOf('FROM_FILE=one\nBOTH=file\n');
  const env = { ANTHROPIC_API_KEY: 'sk-1', BOTH: 'environment', ELSE: 'no' };
  const variables = ['ANTHROPIC_API_KEY', 'BOTH'];
  expect(await environmentOf({ env, variables, variablesFile })).toEqual({
    ANTHROPIC_API_KEY: 'sk-1',
    BOTH: 'file',
    FROM_FILE: 'one',
  });
});

test('one that is named and not set is told at the start', async () => {
  expect(await environmentOf({ variables: ['ANTHROPIC_API_KEY'] })).toEqual({});
  expect(log.lines).toContainEqual(
    expect.objectContaining({ event: 'agent_variables_not_set', names: 'ANTHROPIC_API_KEY' }),
  );
});

test('F5: their values are masked in what is shown, whatever their names', async () => {
  const variablesFile = fileOf('PLAIN=value-of-a-file\nSHORT=ok');
  const env = { ORDINARY: 'value-of-the-environment' };
  const script = 'echo "$PLAIN $ORDINARY $SHORT"; exit 1';
  const result = await resultOf(['sh', '-c', script], {
    env,
    variables: ['ORDINARY'],
    variablesFile,
  });
  expect(result).toMatchObject({ ok: false, output: { stdout: '[secret] [secret] ok' } });
});

test('a file of variables has comments, quotes and line ends of Windows', async () => {
  const variablesFile = fileOf(
    [
      '# a comment',
      '',
      'PLAIN=a b=c   # and why',
      'HASH=a#b',
      'export SPACED = x',
      `SINGLE='a "b" \\n # c' # d`,
      String.raw`DOUBLE="a 'b' \"c\" \n\\ # d"`,
      'EMPTY=',
    ].join('\r\n'),
  );
  expect(await environmentOf({ variablesFile })).toEqual({
    PLAIN: 'a b=c',
    HASH: 'a#b',
    SPACED: 'x',
    SINGLE: String.raw`a "b" \n # c`,
    DOUBLE: 'a \'b\' "c" \n\\ # d',
  });
});

describe('F5: a file of variables that', () => {
  const isRoot = process.getuid?.() === 0;
  test.each([
    ['is not there', () => join(folder, 'none'), 'no such file'],
    ['others may read', () => fileOf('A=1', 0o640), 'chmod 600'],
    ['is a folder', () => folder, 'not a file'],
    ['is a pipe', pipe, 'not a file'],
    ['is no file of variables', () => fileOf('A=1\nthe-secret\n'), 'line 2 is not KEY=VALUE'],
    ['has an open quote', () => fileOf('A="the-secret'), 'line 1 is not KEY=VALUE'],
    ['sets what is ours', () => fileOf('LARK_SENDER_OPEN_ID=ou_boss'), 'LARK_SENDER_OPEN_ID'],
    ['is huge', () => fileOf(`A=${'x'.repeat(70_000)}`), 'too large'],
    ...(isRoot ? [['is of another user', foreign, 'uid 6666'] as const] : []),
  ] as const)('%s fails the turn in words', async (_, make, word) => {
    const result = await resultOf(['echo', 'ran'], { variablesFile: make() });
    expect(result).toMatchObject({
      ok: false,
      reason: 'failed',
      detail: expect.stringMatching(/^[A-Z][^\n]*file of variables[^\n]*\.$/) as string,
    });
    const [line] = log.lines;
    expect(line).toMatchObject({ level: 'error', event: 'agent_program_not_started' });
    expect(JSON.stringify(line).toLowerCase()).toContain(word.toLowerCase());
    expect(JSON.stringify(line)).not.toContain('the-secret');
  });

  test('changes counts from the next turn on', async () => {
    const variablesFile = fileOf('A=1');
    expect(await environmentOf({ variablesFile })).toEqual({ A: '1' });
    fileOf('A=2');
    expect(await environmentOf({ variablesFile })).toEqual({ A: '2' });
  });
});

function pipe(): string {
  const path = join(folder, 'pipe');
  execFileSync('mkfifo', ['-m', '600', path]);
  return path;
}

function foreign(): string {
  const inside = join(folder, 'theirs');
  mkdirSync(inside);
  chownSync(inside, 6666, 6666);
  const path = join(inside, 'variables');
  writeFileSync(path, 'A=1', { mode: 0o600 });
  chownSync(path, 6666, 6666);
  return path;
}
