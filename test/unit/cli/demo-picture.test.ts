/** docs/demo.svg shows what the demo says today. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect, test } from 'vitest';
import { main, type ProcessParts } from '../../../src/cli/main.ts';
import { demoPicture } from '../../demo-picture.ts';
import { ROOT, textOf } from '../../documents.ts';
import { temporaryFolder } from '../../kit/folder.ts';

const PICTURE = 'docs/demo.svg';
/** It is loaded with README.md. */
const BYTES_MAX = 60_000;

/** Both streams in the order in which a terminal shows them. */
async function demo(): Promise<string[]> {
  const terminal = new PassThrough();
  const { execPath, argv } = process;
  const env = { HOME: temporaryFolder() };
  const parts = {
    env,
    execPath,
    argv,
    stdin: new PassThrough(),
    stdout: terminal,
    stderr: terminal,
  };
  const words = ['demo', '--once'];
  const code = await main(words, new AbortController().signal, parts as unknown as ProcessParts);
  terminal.end();
  const shown = await text(terminal);
  expect(code, shown).toBe(0);
  // The ports are others each time.
  return shown
    .trimEnd()
    .replaceAll(/(?<=127\.0\.0\.1:)\d+/g, '40001')
    .split('\n');
}

test('docs/demo.svg is the picture of the demo (DOCS=write writes it)', async () => {
  const lines = await demo();
  const picture = demoPicture('lark-bridge demo --once', lines);
  if (process.env['DOCS'] === 'write') writeFileSync(join(ROOT, PICTURE), picture);
  expect(textOf(PICTURE)).toBe(picture);
  expect(picture.length).toBeLessThan(BYTES_MAX);
  const texts = [...picture.matchAll(/<text .*<\/text>/g)].map(([row]) =>
    row.replaceAll(/<[^>]+>/g, ''),
  );
  expect(texts.join('')).toBe(['$ lark-bridge demo --once', ...lines].join(''));
  expect(texts).toContain('   Echo, in the thread: And who broke it?');
  expect(texts.at(-1)).toBe('All 5 replies arrived: each once, each under its message.');
});
