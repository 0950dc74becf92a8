/** The connection with a program that ends, or stops reading, at a bad moment. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { AcpConnection } from '../../../../src/agents/acp/connection.ts';
import { systemClock } from '../../../../src/time/clock.ts';

function connectionWith(script: string) {
  const child = spawn('sh', ['-c', script]);
  onTestFinished(() => void child.kill('SIGKILL'));
  const noise: string[] = [];
  const nothing = () => Promise.resolve({});
  const connection = new AcpConnection({
    child,
    clock: systemClock,
    onUpdate: () => {},
    onPermission: nothing,
    onElicitation: nothing,
    onSign: () => {},
    onNoise: (text) => noise.push(text),
  });
  return { child, connection, noise };
}

test('R27: what a program says as it ends is heard, although the SDK is not loaded yet', async () => {
  const { child, connection, noise } = connectionWith('echo Please log in');
  await once(child, 'close');
  expect(noise).toEqual(['Please log in']);
  await connection.open();
  await expect(connection.request('initialize', {})).rejects.toMatchObject({
    trouble: { kind: 'gone' },
  });
});

test('R5: a program that takes no input any more and ends later is gone, and nothing else happens', async () => {
  const { child, connection, noise } = connectionWith(
    'exec 0<&-; echo closed; sleep 0.3; echo over',
  );
  await connection.open();
  await expect.poll(() => noise).toContain('closed');
  const first = expect(connection.request('one', {})).rejects.toThrow();
  await expect.poll(() => child.stdin.writable).toBe(false);
  // The SDK can't write it, and closes what it reads.
  await expect(connection.request('two', {})).rejects.toThrow();
  expect(await connection.closed).toEqual({ kind: 'gone' });
  expect(noise).toEqual(['closed', 'over']);
  await first;
});
