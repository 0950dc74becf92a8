/** The result of one check of `doctor`. */
import { ERRORS, type ErrorCode } from '../core/errors.ts';

export const LEVELS = ['ok', 'note', 'warning', 'problem'] as const;
export type Level = (typeof LEVELS)[number];

export interface Finding {
  /** Name of the check, the same in every release. */
  readonly check: string;
  readonly level: Level;
  readonly finding: string;
  /** What it means, or where it comes from. */
  readonly reason?: string;
  /** The one thing to do about it. */
  readonly next?: string;
  /** Only problems have it. It decides the exit code. */
  readonly error?: ErrorCode;
}

export function ok(check: string, finding: string): Finding {
  return { check, level: 'ok', finding };
}

export function note(
  check: string,
  finding: string,
  more: { readonly reason?: string; readonly next?: string } = {},
): Finding {
  return { check, level: 'note', finding, ...more };
}

/** Every warning and every problem has both. */
export interface Advice {
  readonly reason: string;
  readonly next: string;
}

export function warning(check: string, finding: string, advice: Advice): Finding {
  return { check, level: 'warning', finding, ...advice };
}

export function problem(
  check: string,
  finding: string,
  advice: Advice & { readonly error: ErrorCode },
): Finding {
  return { check, level: 'problem', finding, ...advice };
}

export function worstOf(findings: readonly Finding[]): Level {
  const worst = Math.max(0, ...findings.map(({ level }) => LEVELS.indexOf(level)));
  return LEVELS[worst] ?? 'ok';
}

/** What must be corrected first comes first: without settings nothing else can be checked, and so on. */
const EXITS = [2, 3, 4];

/** The exit code of the problem that must be corrected first; 0 if there is no problem. */
export function exitCodeOf(findings: readonly Finding[]): number {
  const codes = findings.flatMap(({ error }) => (error === undefined ? [] : ERRORS[error].exit));
  return EXITS.find((exit) => codes.some((code) => code === exit)) ?? Math.min(1, codes.length);
}
