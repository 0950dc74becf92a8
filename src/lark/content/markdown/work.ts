/**
 * Bounds the work of the parser before it begins. Some of its rules try all pairs of signs, so a text of a few
 * kilobytes can be built that takes seconds. What is beyond the bounds is shown as plain text.
 */
import { LIMITS } from '../limits.ts';

/** Signs between which the parser looks for pairs. People who write need far fewer in one paragraph. */
const SIGNS_MAX = 250;
/** Of all paragraphs together: the squares of their numbers of signs. It holds eight paragraphs of the largest size. */
const WORK_MAX = 8 * SIGNS_MAX ** 2;
/** The parser reads on from each place of a word, so a long word costs its square. */
const LONG_WORD_CHARS = 100;
const WORD_CHARS_MAX = 2_000;
const WORD_SQUARES = 64;

const SIGNS = /\*+|_+|~+|[[\]<`!@$]/g;
const LONG_WORD = new RegExp(`\\S{${LONG_WORD_CHARS},}`, 'g');
/** Signs of quotes and lists at the beginning of a line. */
const CONTAINERS = /^(?:[ \t]*(?:>|(?:[-*+]|\d{1,9}[.)])(?=[ \t]|$)))+/;
const CONTAINER = />|[-*+]|\d+[.)]/g;

export class Work {
  #left = WORK_MAX;

  /** Whether the parser may read these lines, which it takes for one paragraph. It counts them. */
  take(lines: readonly string[]): boolean {
    if (lines.some((line) => nestingOf(line) > LIMITS.nestingMax)) return false;
    const text = lines.join('\n');
    const signs = text.match(SIGNS)?.length ?? 0;
    const words = (text.match(LONG_WORD) ?? []).map((word) => word.length);
    const cost = signs ** 2 + words.reduce((sum, chars) => sum + chars ** 2 / WORD_SQUARES, 0);
    if (signs > SIGNS_MAX || words.some((chars) => chars > WORD_CHARS_MAX)) return false;
    if (cost > this.#left) return false;
    this.#left -= cost;
    return true;
  }
}

function nestingOf(line: string): number {
  return CONTAINERS.exec(line)?.[0].match(CONTAINER)?.length ?? 0;
}
