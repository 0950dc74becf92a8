import type { ExecOptions } from '../../../src/agents/exec.ts';
import type { LogFields } from '../../../src/core/log.ts';
import { systemClock } from '../../../src/time/clock.ts';

export interface LogLine {
  readonly level: string;
  readonly event: string;
  readonly fields: LogFields;
}

export function execOptions(
  argv: readonly string[],
  more: Partial<ExecOptions> & { readonly lines?: LogLine[] } = {},
): ExecOptions {
  const { lines = [], ...rest } = more;
  const at =
    (level: string) =>
    (event: string, fields: LogFields = {}) =>
      void lines.push({ level, event, fields });
  return {
    argv,
    env: { PATH: process.env['PATH'] },
    timeoutMs: 60_000,
    outputBytesMax: 1024 * 1024,
    clock: systemClock,
    log: { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') },
    ...rest,
  };
}
