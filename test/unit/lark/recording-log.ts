import type { Log, LogFields } from '../../../src/core/log.ts';

export type Line = { readonly level: string; readonly event: string } & Record<string, unknown>;

/** A log that a test can read. */
export function recordingLog(): Log & { readonly lines: Line[] } {
  const lines: Line[] = [];
  const at = (level: string) => (event: string, fields?: LogFields) => {
    lines.push({ level, event, ...fields });
  };
  return { lines, debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}
