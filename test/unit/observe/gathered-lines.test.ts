/** What a process logged before its end is all there, however it ends. Real processes, real pipes. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { gatherLines } from '../../../src/observe/log.ts';

const LOG = join(import.meta.dirname, '../../../dist/observe/log.js');

/** Runs `script` with a `log` on stderr that gathers its lines; returns the events in order. */
async function logged(script: string, kill?: NodeJS.Signals) {
  const source = `
    import { createLog, gatherLines } from ${JSON.stringify(LOG)};
    const stream = gatherLines(process.stderr);
    const log = createLog({ level: 'info', format: 'json', stream });
    ${script}`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', source], {
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const ended = once(child, 'close') as Promise<[number | null, NodeJS.Signals | null]>;
  let text = '';
  child.stderr.on('data', (chunk: Buffer) => (text += chunk.toString()));
  if (kill !== undefined) {
    await Promise.race([once(child.stdout, 'data'), ended]);
    child.kill(kill);
  }
  const [code, signal] = await ended;
  const lines = text.split('\n').filter((line) => line.startsWith('{'));
  const events = lines.map((line) => (JSON.parse(line) as { event: string }).event);
  return { code, signal, text, events };
}

/** Together less than a pipe takes while nobody reads: what is beyond that no ending process can write. */
const MANY = 200;
const many = `for (let at = 0; at < ${MANY}; at += 1) log.info('e' + at, { about: 'x'.repeat(100) });`;
const all = Array.from({ length: MANY }, (_, at) => `e${at}`);

describe('lines that were gathered are not lost', () => {
  test('when the process comes to its end', async () => {
    expect(await logged(many)).toMatchObject({ code: 0, events: all });
  });

  test('when it exits in the same turn', async () => {
    expect(await logged(`${many} process.exit(3);`)).toMatchObject({ code: 3, events: all });
  });

  test('when an error that nobody catches ends it', async () => {
    const { code, events, text } = await logged(`${many} throw new Error('a bug');`);
    expect({ code, events }).toEqual({ code: 1, events: all });
    // The last words before the crash stand before it.
    expect(text.lastIndexOf(`"e${MANY - 1}"`)).toBeLessThan(text.indexOf('Error: a bug'));
  });

  test('when a rejection that nobody handles ends it', async () => {
    const late = `setImmediate(async () => { ${many} throw new Error('a bug'); });`;
    expect(await logged(late)).toMatchObject({ code: 1, events: all });
  });

  test('when a handler of SIGTERM logs and exits', async () => {
    const script = `
      process.on('SIGTERM', () => { ${many} process.exit(0); });
      setInterval(() => {}, 1000);
      process.stdout.write('up');`;
    expect(await logged(script, 'SIGTERM')).toMatchObject({ code: 0, events: all });
  });

  test.each(['SIGTERM', 'SIGKILL'] as const)('when %s ends it after that turn', async (signal) => {
    const script = `
      ${many}
      setInterval(() => {}, 1000);
      setImmediate(() => process.stdout.write('up'));`;
    expect(await logged(script, signal)).toMatchObject({ code: null, signal, events: all });
  });

  test('when something is logged while it exits', async () => {
    const script = `
      log.info('before');
      process.once('exit', () => log.info('during'));
      process.exit(0);`;
    expect(await logged(script)).toMatchObject({ code: 0, events: ['before', 'during'] });
  });
});

test('lines of one turn of the event loop are one write, those of the next another', async () => {
  const writes: string[] = [];
  const stream = gatherLines({ write: (text) => void writes.push(text) });
  stream.write('a\n');
  await Promise.resolve();
  stream.write('b\n');
  expect(writes).toEqual([]);
  await new Promise((resolve) => setImmediate(resolve));
  stream.write('c\n');
  await new Promise((resolve) => setImmediate(resolve));
  expect(writes).toEqual(['a\nb\n', 'c\n']);
});
