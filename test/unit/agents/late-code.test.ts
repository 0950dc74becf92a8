/** Code that only some agents need is of the version that runs, or it is not loaded. */
import { expect, test } from 'vitest';
import { LateCode } from '../../../src/agents/late-code.ts';
import { recordingLog } from '../../kit/log.ts';

test('what the agents of the start need is there after an upgrade; a kind that nobody had waits for a restart', async () => {
  let isInstalled = true;
  const log = recordingLog();
  const code = new LateCode({ isInstalled: () => isInstalled, log });
  await code.load(['echo', 'a2a', 'exec']);
  isInstalled = false;
  expect(['echo', 'exec', 'a2a', 'acp'].map((kind) => code.isThere(kind))).toEqual([
    true,
    true,
    true,
    false,
  ]);
  expect(log.lines).toMatchObject([{ level: 'warn', event: 'agent_needs_restart', kind: 'acp' }]);
});

test('the first agent of a kind has all of its code loaded, as long as it is the same version', async () => {
  let isInstalled = true;
  const code = new LateCode({ isInstalled: () => isInstalled, log: recordingLog() });
  expect(code.isThere('acp')).toBe(true);
  isInstalled = false;
  expect(code.isThere('acp')).toBe(true);
});
