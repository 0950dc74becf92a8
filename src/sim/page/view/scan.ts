/** A text that is read from left to right, and what helps to read it. */
import type { Inline } from './nodes.ts';

/** The name of a person or bot; undefined if nobody has the id. */
export type NameOf = (id: string) => string | undefined;

export interface Scan {
  readonly source: string;
  readonly nameOf: NameOf;
  /** Reads what stands inside of other markup. */
  readonly parse: (inside: string) => readonly Inline[];
  /** What closes nothing from here to the end. Without it, many signs without a partner would take long. */
  readonly unclosed: Set<string>;
}

/** What was found at a place, and where it ends. */
export interface Found {
  readonly inlines: readonly Inline[];
  readonly end: number;
}

/** A pattern with the flag `y`, at this place. */
export function matchAt(pattern: RegExp, { source }: Scan, at: number): RegExpExecArray | null {
  pattern.lastIndex = at;
  return pattern.exec(source);
}

/** Where the sign comes next; undefined if it does not. */
export function nextOf(scan: Scan, sign: string, from: number): number | undefined {
  if (scan.unclosed.has(sign)) return undefined;
  const at = scan.source.indexOf(sign, from);
  if (at >= 0) return at;
  scan.unclosed.add(sign);
  return undefined;
}

/** Only these open something that a person expects. */
export function safeUrl(url: string): string | undefined {
  return /^(?:https?:\/\/|mailto:)[^\s]+$/i.test(url) ? url : undefined;
}
