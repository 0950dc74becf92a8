import type { ExecOptions } from '../../../src/agents/exec/run.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { silentLog } from '../../kit/log.ts';

export function execOptions(argv: readonly string[], more: Partial<ExecOptions> = {}): ExecOptions {
  return {
    spec: { kind: 'exec', argv },
    env: { PATH: process.env['PATH'] },
    timeoutMs: 60_000,
    outputBytesMax: 1024 * 1024,
    clock: systemClock,
    log: silentLog,
    ...more,
  };
}
