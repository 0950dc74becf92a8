/** The questions of a program: lines `ask` out, lines `answer` in. */
import type { ChildProcessWithoutNullStreams } from 'node:child_process';
import type { Json } from '../../core/json-object.ts';
import { asObject } from '../../core/json-object.ts';
import type { QuestionAnswer, QuestionOption, TurnUpdate } from '../../core/turn-update.ts';
import { isBlank, withoutTerminalControls } from '../../text/visible.ts';

/** Lark shows the text and the options in one card, which has at most 30 KB. */
const TEXT_CHARS_MAX = 4_000;
const OPTIONS_MAX = 20;
/** A button shows less than this. */
const LABEL_CHARS_MAX = 100;
/** Ids come back as they are. A UUID with a prefix fits. */
const ID_CHARS_MAX = 200;
/** A person can't follow more questions of one turn at the same time. */
const OPEN_MAX = 5;
/** A program that asks more often does not end by itself, because the time limit stands still for each question. */
const ASKED_MAX = 100;
/** Answers that a program does not read wait here. The first line, with the turn, may wait too. */
const UNREAD_BYTES_MAX = 1024 * 1024;

type Question = Extract<TurnUpdate, { kind: 'question' }>;

interface AsksParts {
  readonly onUpdate: (update: TurnUpdate) => void;
  /** Writes a line to the program. False if it takes none. */
  readonly reply: (line: string) => boolean;
}

export class Asks {
  readonly #parts: AsksParts;
  /** The answers by the ids of their questions. Undefined: not answered yet. */
  readonly #answers = new Map<string, QuestionAnswer | undefined>();

  constructor(parts: AsksParts) {
    this.#parts = parts;
  }

  /** Why the line is left out, if it is. A program that waits for the answer is told that none comes. */
  take(said: Json): string | undefined {
    const { id } = said;
    if (!isId(id)) return 'wrong_fields';
    if (this.#answers.has(id)) {
      // The same question again. It is asked once, and has one answer.
      const answer = this.#answers.get(id);
      if (answer !== undefined) this.#say(id, answer);
      return undefined;
    }
    const question = this.#questionOf(id, said);
    if (typeof question === 'string') {
      this.#say(id, { kind: 'cancelled' });
      return question;
    }
    this.#answers.set(id, undefined);
    this.#parts.onUpdate(question);
    return undefined;
  }

  answer(id: string, answer: QuestionAnswer): boolean {
    if (!this.#answers.has(id) || this.#answers.get(id) !== undefined) return false;
    this.#answers.set(id, answer);
    return this.#say(id, answer);
  }

  #questionOf(id: string, said: Json): Question | string {
    const { text, only, words } = said;
    const open = [...this.#answers.values()].filter((answer) => answer === undefined);
    if (open.length >= OPEN_MAX || this.#answers.size >= ASKED_MAX) return 'too_many_questions';
    const options = optionsOf(said['options']);
    if (options === undefined || !isWords(text, TEXT_CHARS_MAX)) return 'wrong_fields';
    if (only !== undefined && only !== 'owner') return 'wrong_fields';
    if (words !== undefined && typeof words !== 'boolean') return 'wrong_fields';
    // Without options and words there would be no answer.
    if (options.length === 0 && words === false) return 'wrong_fields';
    const asked = { kind: 'question', id, text: clean(text), options } as const;
    return { ...asked, ...(words === true && { takesWords: words }), ...(only && { only }) };
  }

  #say(id: string, answer: QuestionAnswer): boolean {
    const { reply } = this.#parts;
    const { kind, ...said } = answer;
    // For a program it does not matter why nobody answers.
    const isAnswered = kind === 'chosen' || kind === 'said';
    return reply(lineOf(isAnswered ? { id, ...said } : { id, cancelled: true }));
  }
}

/** False if the program does not read, or has closed its input. */
export function writeLine(stdin: ChildProcessWithoutNullStreams['stdin'], line: string): boolean {
  if (!stdin.writable || stdin.writableLength > UNREAD_BYTES_MAX) return false;
  stdin.write(`${line}\n`);
  return true;
}

function lineOf(fields: Json): string {
  return JSON.stringify({ type: 'answer', ...fields });
}

/** Undefined if one of them is wrong. A question without options is answered in words. */
function optionsOf(given: unknown): readonly QuestionOption[] | undefined {
  if (given === undefined) return [];
  if (!Array.isArray(given) || given.length === 0 || given.length > OPTIONS_MAX) return undefined;
  const options = given.map(optionOf).filter((option) => option !== undefined);
  const ids = new Set(options.map(({ id }) => id));
  return options.length === given.length && ids.size === given.length ? options : undefined;
}

function optionOf(given: unknown): QuestionOption | undefined {
  const { id, label, style = 'default' } = asObject(given) ?? {};
  if (!isId(id) || !isWords(label, LABEL_CHARS_MAX)) return undefined;
  if (style !== 'primary' && style !== 'danger' && style !== 'default') return undefined;
  return { id, label: clean(label).replaceAll(/\s+/g, ' '), style };
}

function isId(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && value.length <= ID_CHARS_MAX;
}

function isWords(value: unknown, charsMax: number): value is string {
  return typeof value === 'string' && value.length <= charsMax && !isBlank(value);
}

/** Half a character becomes U+FFFD. */
function clean(text: string): string {
  return Buffer.from(withoutTerminalControls(text)).toString('utf8').trim();
}
