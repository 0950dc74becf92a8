import type { Log, LogFields } from '../../src/core/log.ts';

export type Line = { readonly level: string; readonly event: string } & Record<string, unknown>;

export interface RecordingLog extends Log {
  readonly lines: Line[];
  /** The names of what was logged, in order. */
  events(): string[];
  /** The names of the warnings and errors, in order. */
  warnings(): string[];
}

/** A log that a test can read. */
export function recordingLog(): RecordingLog {
  const lines: Line[] = [];
  const at = (level: string) => (event: string, fields?: LogFields) => {
    lines.push({ level, event, ...fields });
  };
  return {
    lines,
    events: () => lines.map(({ event }) => event),
    warnings: () =>
      lines.filter(({ level }) => level === 'warn' || level === 'error').map(({ event }) => event),
    debug: at('debug'),
    info: at('info'),
    warn: at('warn'),
    error: at('error'),
  };
}

/** For tests that do not care what is logged. */
export const silentLog: Log = { debug() {}, info() {}, warn() {}, error() {} };
