/** `lark-bridge agents test` with an agent that works in steps, asks, and needs a login. */
import { realpathSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { beforeEach, expect, test } from 'vitest';
import { main, type ProcessParts } from '../../../src/cli/main.ts';
import { fakeAcpAgent } from '../../kit/fake-acp-agent.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { runProgram } from './program.ts';

let home: string;
beforeEach(() => {
  home = realpathSync(temporaryFolder());
});

const env = () => ({ HOME: home, PATH: process.env['PATH'] ?? '' });
const agents = (...words: string[]) => runProgram(['agents', ...words], env());

async function addFake(script = ''): Promise<void> {
  const command = fakeAcpAgent(home, script).argv.join(' ');
  expect((await agents('add', 'fake', '--acp', command, '--folder', home)).stderr).toBe('');
}

test('shows steps on stderr, the answer on stdout, the time and what was used', async () => {
  await addFake();
  const { code, stdout, stderr } = await agents(
    'test',
    'fake',
    'tool execute\nusage\nsay all done',
  );
  expect({ code, stdout }).toEqual({
    code: 0,
    stdout: expect.stringContaining('all done') as string,
  });
  expect(stderr).toMatch(/^✓ .+$/m);
  expect(stderr).toMatch(/^\d+\.\d s, \d+ tokens in, \d+ tokens out/m);
});

test('R16: without a terminal the answer to a question is no, and that is said', async () => {
  await addFake();
  const { stdout, stderr } = await agents('test', 'fake', 'perm');
  expect(stderr).toContain('Nobody is at a terminal, so the answer is no.');
  expect(stdout).toMatch(/reject/);
});

test('at a terminal a person chooses by number', async () => {
  await addFake();
  const screen = () => Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true });
  const [stdin, stdout, stderr] = [screen(), screen(), screen()];
  const streams = { stdin, stdout, stderr };
  const around = { env: env(), execPath: process.execPath, argv: process.argv, ...streams };
  const ended = main(
    ['agents', 'test', 'fake', 'perm'],
    new AbortController().signal,
    around as unknown as ProcessParts,
  );
  let said = '';
  stderr.on('data', (text: string) => (said += text));
  await expect.poll(() => said).toMatch(/1-\d> $/);
  const number = said
    .split('\n')
    .find((line) => /allow|yes/i.test(line))
    ?.trim()
    .split(' ')[0];
  stdin.write(`9\n${number}\n`);
  expect(await ended).toBe(0);
  expect(String(stdout.read())).toMatch(/allow/);
});

test('R11: an agent that needs a login names the command to run', async () => {
  await addFake('auth=new');
  const { code, stdout, stderr } = await agents('test', 'fake', 'say hello');
  expect({ code, stdout }).toEqual({ code: 1, stdout: '' });
  expect(stderr).toMatch(/^next: Log in once, as the user of lark-bridge/m);
});

test('R8: the program gets the PATH and HOME of whoever added it', async () => {
  await addFake();
  const other = {
    ...env(),
    PATH: '/usr/bin:/bin',
    LARK_CHANNEL_STATE_DIR: join(home, '.lark-bridge'),
  };
  const { stdout } = await runProgram(['agents', 'test', 'fake', 'env HOME\nenv PATH'], {
    ...other,
    HOME: '/',
  });
  expect(stdout).toContain(home);
  expect(stdout).toContain(process.env['PATH'] ?? '-');
});
