/** The result of one check of `doctor`. The command line says it in English, a chat in the language of the person. */
import { ERRORS, type ErrorCode } from '../core/errors.ts';
import type { Text } from '../core/language.ts';

export const LEVELS = ['ok', 'note', 'warning', 'problem'] as const;
export type Level = (typeof LEVELS)[number];

/** `Text`: a chat can say it too. */
type Words = string | Text;

interface Calm {
  /** Name of the check, the same in every release. */
  readonly check: string;
  readonly level: 'ok' | 'note';
  /** A chat only counts what is in order. */
  readonly finding: string;
  /** What it means, or where it comes from. Only the command line says it. */
  readonly reason?: string;
  /** The one thing to do about it. */
  readonly next?: string;
  readonly error?: undefined;
}

interface Trouble<W extends Words> {
  readonly check: string;
  readonly level: 'warning' | 'problem';
  readonly finding: W;
  readonly reason: string;
  readonly next: W;
  /** Only problems have it. It decides the exit code. */
  readonly error?: ErrorCode;
}

export type Finding<W extends Words = Words> = Calm | Trouble<W>;

export function ok(check: string, finding: string): Calm {
  return { check, level: 'ok', finding };
}

export function note(
  check: string,
  finding: string,
  more: { readonly reason?: string; readonly next?: string } = {},
): Calm {
  return { check, level: 'note', finding, ...more };
}

/** Every warning and every problem has both. */
interface Advice<W extends Words> {
  readonly reason: string;
  readonly next: W;
}

export function warning<W extends Words>(check: string, finding: W, advice: Advice<W>): Trouble<W> {
  return { check, level: 'warning', finding, ...advice };
}

export function problem<W extends Words>(
  check: string,
  finding: W,
  advice: Advice<W> & { readonly error: ErrorCode },
): Trouble<W> {
  return { check, level: 'problem', finding, ...advice };
}

/** As the command line says it. */
export function inEnglish(found: Finding): Finding<string> {
  switch (found.level) {
    case 'ok':
    case 'note':
      return found;
    case 'warning':
    case 'problem':
      return { ...found, finding: englishOf(found.finding), next: englishOf(found.next) };
  }
}

function englishOf(words: Words): string {
  return typeof words === 'string' ? words : words.en;
}

export function worstOf(findings: readonly Pick<Finding, 'level'>[]): Level {
  const worst = Math.max(0, ...findings.map(({ level }) => LEVELS.indexOf(level)));
  return LEVELS[worst] ?? 'ok';
}

/** What must be corrected first comes first: without settings nothing else can be checked, and so on. */
const EXITS = [2, 3, 4];

/** The exit code of the problem that must be corrected first; 0 if there is no problem. */
export function exitCodeOf(findings: readonly Pick<Finding, 'error'>[]): number {
  const codes = findings.flatMap(({ error }) => (error === undefined ? [] : ERRORS[error].exit));
  return EXITS.find((exit) => codes.some((code) => code === exit)) ?? Math.min(1, codes.length);
}
