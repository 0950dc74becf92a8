import { expect, test } from 'vitest';
import { UpgradeWatch } from '../../../src/host/upgrade-watch.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';
import { recordingLog } from '../../kit/log.ts';

async function pass(clock: VirtualClock, durationMs: number): Promise<void> {
  const untilMs = clock.nowMs() + durationMs;
  while (clock.step(untilMs)) await settle();
}

test('another version on the disk is noted within seconds, logged once, and forgotten when it is gone', async () => {
  let installed: string | undefined = '0.1.0';
  const clock = new VirtualClock(0);
  const log = recordingLog();
  const watch = new UpgradeWatch({ version: '0.1.0', installed: () => installed, clock, log });
  await watch.start();
  await pass(clock, 30_000);
  expect(watch.note()).toBeUndefined();
  // npm removes the old files before it writes the new ones.
  installed = undefined;
  await pass(clock, 10_000);
  expect(watch.note()).toBeUndefined();
  installed = '0.2.0';
  await pass(clock, 30_000);
  expect(watch.note()).toMatch(/0\.2\.0 is installed.* still runs 0\.1\.0\. Restart it/);
  expect(log.lines).toMatchObject([
    { level: 'info', event: 'version_installed', installed: '0.2.0', running: '0.1.0' },
  ]);
  installed = '0.1.0';
  await pass(clock, 10_000);
  expect(watch.note()).toBeUndefined();
  await watch.stop();
});
