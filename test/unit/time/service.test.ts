import { expect, test } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { closing, stopAll } from '../../../src/time/service.ts';
import { recordingLog } from '../../kit/log.ts';

test('one that fails to stop does not keep the others running; a bug is an error with its stack', async () => {
  const stopped: string[] = [];
  const failing = (name: string, error: Error) =>
    closing(name, () => {
      throw error;
    });
  const log = recordingLog();
  await stopAll(
    [
      closing('first', () => void stopped.push('first')),
      failing('refused', new BridgeError('unreachable', 'no way')),
      failing('broken', new TypeError('a bug')),
      closing('last', () => void stopped.push('last')),
    ],
    log,
  );
  expect(stopped).toEqual(['last', 'first']);
  const stack = expect.stringContaining('service.test.ts') as string;
  expect(log.lines).toEqual([
    { level: 'error', event: 'stop_failed', service: 'broken', error: 'a bug', stack },
    { level: 'warn', event: 'stop_failed', service: 'refused', error: 'no way' },
  ]);
});
