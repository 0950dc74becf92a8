/** In which language the bot of the demo speaks to the person at the terminal. */
import { PassThrough } from 'node:stream';
import { expect, onTestFinished, test } from 'vitest';
import { main, type ProcessParts } from '../../../src/cli/main.ts';
import { temporaryFolder } from '../../kit/folder.ts';

/** Types a command to the bridge into the demo, and waits for what the bridge says. */
async function skipInDemo(args: readonly string[], env: Readonly<Record<string, string>>) {
  const streams = {
    stdin: Object.assign(new PassThrough(), { isTTY: true }),
    stdout: Object.assign(new PassThrough({ encoding: 'utf8' }), { isTTY: true, columns: 80 }),
    stderr: new PassThrough({ encoding: 'utf8' }),
  };
  let out = '';
  streams.stdout.on('data', (text: string) => (out += text));
  const { execPath, argv } = process;
  const parts = { env: { HOME: temporaryFolder(), ...env }, execPath, argv, ...streams };
  const stop = new AbortController();
  const ended = main(['demo', ...args], stop.signal, parts as unknown as ProcessParts);
  onTestFinished(async () => {
    stop.abort();
    await ended;
  });
  await expect.poll(() => out).toContain('> ');
  streams.stdin.write('/skip\n');
  await expect.poll(() => out).toMatch(/Nothing of yours|没有需要你决定/);
  return out;
}

test.each([
  ['English, as its script does', [], {}, 'Nothing of yours'],
  ['the language of --lang', ['--lang', 'zh'], {}, '没有需要你决定'],
  ['the language of the environment', [], { LARK_BRIDGE_LANG: 'zh' }, '没有需要你决定'],
])('the demo speaks %s', async (_language, args, env, said) => {
  expect(await skipInDemo(args, env)).toContain(said);
});
