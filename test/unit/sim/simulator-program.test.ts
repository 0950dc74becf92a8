/** `lark-simulator` in this process: its options, its help, and what it says when something is wrong. */
import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { PROGRAM_FLAGS } from '../../../src/sim/program/flags.ts';
import { main } from '../../../src/sim/program/main.ts';

async function run(...words: string[]) {
  const [stdout, stderr] = [new PassThrough(), new PassThrough()];
  const stopping = new AbortController();
  const ended = main(words, stopping.signal, { env: {}, stdin: { isTTY: false }, stdout, stderr });
  const text = (stream: PassThrough) => String((stream.read() as Buffer | null) ?? '');
  return {
    stop: () => stopping.abort(),
    stdout,
    ended: ended.then((code) => ({
      code,
      stdout: text(stdout),
      stderr: text(stderr),
    })),
  };
}

test('--help names every option, and fits 100 columns', async () => {
  for (const word of ['--help', '-h']) {
    const { code, stdout, stderr } = await (await run(word)).ended;
    expect({ code, stderr }).toEqual({ code: 0, stderr: '' });
    for (const name of Object.keys(PROGRAM_FLAGS)) expect(stdout).toContain(`--${name}`);
    expect(stdout).toContain('lark-simulator -- pytest');
    expect(stdout.split('\n').filter((line) => line.length > 100)).toEqual([]);
  }
});

test('-V prints a version', async () => {
  expect(await (await run('-V')).ended).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(/^\d+\.\d+\.\d+\n$/) as string,
  });
});

test.each([
  [['--prot', '1'], "Unknown option '--prot'", 'Run `lark-simulator --help`'],
  [['--port'], "Option '--port <value>' argument missing", 'Run `lark-simulator --help`'],
  [['pytest'], 'unexpected argument "pytest"', 'Put a command to run after `--`'],
  [['--port', 'x'], '--port is not a whole number from 0 to 65535', 'Correct the options'],
  [['--', '/nowhere/x'], 'there is no program "/nowhere/x"', 'Check the command after `--`'],
])('%s: exit code 2, what is wrong and what to do', async (words, problem, next) => {
  const { code, stdout, stderr } = await (await run('--quiet', ...words)).ended;
  expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
  expect(stderr).toMatch(/^error: [^\n]+\nnext: [^\n]+\n$/);
  expect(stderr).toContain(`error: ${problem}`);
  expect(stderr).toContain(`next: ${next}`);
});

test.each([
  [[], /^# The simulator is ready: .*\nexport LARK_APP_ID=cli_\w+\n/],
  [['--json'], /^\{"event":"ready","open_base_url":"http/],
])('it runs until it is stopped: %s', async (words, line) => {
  const { ended, stop, stdout } = await run(...words);
  await expect.poll(() => stdout.readableLength).toBeGreaterThan(0);
  stop();
  expect(await ended).toMatchObject({
    code: 0,
    stdout: expect.stringMatching(line) as string,
    stderr: expect.stringContaining('In it: Mia') as string,
  });
});
