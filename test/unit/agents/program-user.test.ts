/** Programs that run as another user: real ones, so only root can run these tests. */
import { chmodSync, existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { ExecRuntime } from '../../../src/agents/exec.ts';
import type { LarkContext } from '../../../src/core/message.ts';
import { begin, turnOf } from '../../contract/agents/agent-contract.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { recordingLog, type RecordingLog } from '../../kit/log.ts';
import { isProcessAlive, pidIn } from '../../kit/processes.ts';
import { execOptions } from './exec-options.ts';

const isRoot = process.getuid?.() === 0;
const LARK: LarkContext = {
  brand: 'lark',
  chatId: 'oc_1',
  chatType: 'p2p',
  senderOpenId: 'ou_1',
  messageId: 'om_1',
};
/** On every Linux there is one. */
const USER = 'nobody';

let folder: string;
let log: RecordingLog;
beforeEach(() => {
  folder = temporaryFolder();
  chmodSync(folder, 0o777);
  log = recordingLog();
});

const start = (script: string, user = USER, env: Readonly<Record<string, string>> = {}) => {
  const spec = { kind: 'exec', argv: ['sh', '-c', script], user } as const;
  const all = { PATH: process.env['PATH'], ...env };
  return begin(new ExecRuntime(execOptions([], { spec, env: all, log })), turnOf('text'));
};
const resultOf = async (...call: Parameters<typeof start>) => (await start(...call)).result;

describe.runIf(isRoot && process.platform === 'linux')('with --user', () => {
  test('F5: the program runs as that user, with no other group, and with its names', async () => {
    const env = { HOME: '/root', USER: 'root', LOGNAME: 'root', SHELL: '/bin/x', XDG_X: '1' };
    const script =
      'id -un; id -G | wc -w; echo "$USER $LOGNAME $XDG_X"; [ "$HOME" = ~nobody ] && pwd';
    const { text } = (await resultOf(script, USER, env)) as { text: string };
    const [name, groups, names, home = ''] = text.split('\n');
    expect([name, Number(groups), names?.trim()]).toEqual([USER, 1, `${USER} ${USER}`]);
    expect(home).toMatch(/^\//);
  });

  test("F5: it can't read the files and the environment of the bridge", async () => {
    const state = join(folder, 'state');
    mkdirSync(state, { mode: 0o700 });
    writeFileSync(join(state, 'credentials.json'), 'the-secret');
    const script = `cat ${state}/credentials.json /proc/${process.pid}/environ; ls ${state}; kill -0 ${process.pid}; true`;
    expect(await resultOf(script)).toMatchObject({
      ok: true,
      text: '',
      output: { stderr: expect.stringContaining('Permission denied') as string },
    });
  });

  test('it gets copies of the files of its turn that only it can read, and they are gone with the turn', async () => {
    const closed = join(folder, 'attachments');
    mkdirSync(closed, { mode: 0o700 });
    const files = ['a', 'b'].map((bytes, at) => {
      const path = join(closed, `${at}-notes.txt`);
      writeFileSync(path, bytes, { mode: 0o600 });
      const about = { kind: 'file', name: 'notes.txt', mimeType: 'text/plain' } as const;
      return { ...about, path, bytes: 1 };
    });
    const script = [
      'paths=$(printf %s "$LARK_ATTACHMENTS" | tr , "\\n" | sed -n \'s/.*"path":"\\(.*\\)"/\\1/p\')',
      'for path in $paths; do echo "$(cat "$path") $(stat -c "%a %U" "$path") $path"; done',
      'for path in $paths; do rm -f "$path" 2> /dev/null && echo removed; done; true',
    ].join('; ');
    const spec = { kind: 'exec', argv: ['sh', '-c', script], user: USER } as const;
    const options = execOptions([], { spec, env: { PATH: process.env['PATH'] }, log });
    const turn = { ...turnOf('text', { lark: LARK }), details: { attachments: files } };
    const { text } = (await (
      await begin(new ExecRuntime(options), turn)
    ).result) as {
      text: string;
    };
    const lines = text.split('\n').map((line) => line.split(' '));
    expect(lines.map(([bytes, mode, owner]) => [bytes, mode, owner])).toEqual([
      ['a', '400', USER],
      ['b', '400', USER],
    ]);
    const paths = lines.map(([, , , path = '']) => path);
    expect(paths.every((path) => path.endsWith('/notes.txt'))).toBe(true);
    expect(paths.filter((path) => existsSync(dirname(dirname(path))))).toEqual([]);
  });

  test('F18: its processes end with the turn, in its group or not', async () => {
    const inBackground = (file: string, before = '') =>
      `${before} sh -c 'echo $$ > ${file}; sleep 60' > /dev/null 2>&1 < /dev/null & while ! test -s ${file}; do sleep 0.01; done`;
    const script = `cd ${folder}; ${inBackground('one')}; ${inBackground('two', 'setsid')}; echo fine`;
    expect(await resultOf(script)).toEqual({ ok: true, text: 'fine' });
    const pids = await Promise.all(['one', 'two'].map((name) => pidIn(join(folder, name))));
    expect(pids.map(isProcessAlive)).toEqual([false, false]);
  });
});

test.runIf(isRoot).each([
  ['who does not exist', 'no-such-user'],
  ['who is root', 'root'],
])('a user %s fails the turn in words', async (_, user) => {
  expect(await resultOf('echo ran', user)).toMatchObject({ ok: false, reason: 'failed' });
  expect(log.lines).toEqual([
    expect.objectContaining({ level: 'error', event: 'agent_program_not_started' }),
  ]);
  expect(JSON.stringify(log.lines)).toContain(user);
});

test.skipIf(isRoot)('without root, another user is refused in words', async () => {
  expect(await resultOf('echo ran')).toMatchObject({ ok: false, reason: 'failed' });
  expect(JSON.stringify(log.lines)).toContain('only root can run');
});
