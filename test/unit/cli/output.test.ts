import { PassThrough } from 'node:stream';
import { expect, test } from 'vitest';
import { Output, type OutputOptions } from '../../../src/cli/output.ts';
import { BridgeError } from '../../../src/core/errors.ts';

function outputTo(options: Partial<OutputOptions> = {}) {
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  const output = new Output(
    { stdout, stderr },
    { version: '1.2.3', json: false, quiet: false, ...options },
  );
  return {
    output,
    streams: { stdout, stderr },
    stdout: () => String(stdout.read() ?? ''),
    stderr: () => String(stderr.read() ?? ''),
  };
}

test('results on stdout, as text or as one line of JSON; progress on stderr', () => {
  const text = outputTo();
  text.output.result('two\nlines', { a: 1 });
  text.output.note('working');
  expect([text.stdout(), text.stderr()]).toEqual(['two\nlines\n', 'working\n']);
  const json = outputTo({ json: true, quiet: true });
  json.output.result('two\nlines', { a: 1 });
  json.output.note('working');
  expect([json.stdout(), json.stderr()]).toEqual(['{"a":1}\n', '']);
});

test.each([
  ['usage', 2],
  ['credentials_refused', 3],
  ['unreachable', 4],
  ['already_running', 5],
  ['timed_out', 6],
  ['failed', 1],
] as const)('%s ends with %i, what happened and what to do', (code, exitCode) => {
  const { output, stdout, stderr } = outputTo({ json: true });
  expect(output.failure(new BridgeError(code, 'it broke', { next: 'Mend it.' }))).toBe(exitCode);
  expect(stderr()).toBe('error: it broke\nnext: Mend it.\n');
  expect(JSON.parse(stdout())).toEqual({
    event: 'error',
    code,
    message: 'it broke',
    next: 'Mend it.',
  });
});

test('anything else is a bug: it says so, with stack and version', () => {
  const { output, stdout, stderr } = outputTo({ json: true });
  expect(output.failure(new TypeError('x is not a function'))).toBe(1);
  expect(stderr()).toMatch(/bug in lark-bridge 1\.2\.3 .*\nTypeError: x is not a function\n +at /);
  expect(JSON.parse(stdout())).toMatchObject({ event: 'error', code: 'bug' });
});

test('a closed pipe and a closed terminal are harmless, other faults are not', () => {
  const { streams } = outputTo();
  const fault = (code: string) => Object.assign(new Error(code), { code });
  expect(() => streams.stdout.emit('error', fault('EPIPE'))).not.toThrow();
  expect(() => streams.stdout.emit('error', fault('ENOSPC'))).toThrow('ENOSPC');
  expect(() => streams.stdout.emit('error', fault('EIO'))).toThrow('EIO');
  const terminal = Object.assign(streams.stderr, { isTTY: true });
  expect(() => terminal.emit('error', fault('EIO'))).not.toThrow();
});
