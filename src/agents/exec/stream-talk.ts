/** JSON lines on stdin and stdout, for programs that tell what they do while they work. */
import { asObject, type Json } from '../../core/json-object.ts';
import { byteLength, shortened } from '../../text/cut.ts';
import type { QuestionAnswer, TurnUpdate } from '../../core/turn-update.ts';
import type { Log } from '../../core/log.ts';
import type { AgentTurn } from '../runtime.ts';
import { turnFields } from '../turn-fields.ts';
import { Asks } from './asks.ts';
import { Lines } from '../program/lines.ts';
import type { NamedFile, Talk } from './talk.ts';

/** A line can hold a whole answer, in which JSON may escape each character. */
const LINE_BYTES_MAX = 8 * 1024 * 1024;
/** An answer of 1 MB in pieces of two letters. A program that writes more lines does not end by itself. */
const LINES_MAX = 500_000;
/** Lines that are left out are logged up to this number a turn, so that they do not fill the log. */
const LINES_LOGGED_MAX = 5;
const LINE_LOGGED_CHARS_MAX = 200;
/** Files of one answer. A chat with more files helps nobody. */
const FILES_MAX = 100;

interface StreamTalkParts {
  readonly turn: AgentTurn;
  readonly bytesMax: number;
  readonly onUpdate: (update: TurnUpdate) => void;
  /** Writes a line to the program. False if it takes none. */
  readonly reply: (line: string) => boolean;
  /** The text without secrets, at a length for the log. */
  readonly masked: (text: string) => string;
  readonly log: Log;
}

export class StreamTalk implements Talk {
  readonly input;
  readonly files: NamedFile[] = [];
  readonly #parts: StreamTalkParts;
  readonly #lines: Lines;
  readonly #asks: Asks;
  #text = '';
  #textBytes = 0;
  #count = 0;
  #leftOut = 0;

  constructor(parts: StreamTalkParts) {
    this.#parts = parts;
    this.#asks = new Asks(parts);
    const line = JSON.stringify({ type: 'turn', ...turnFields(parts.turn) });
    this.input = { text: `${line}\n`, isAll: false };
    this.#lines = new Lines({
      bytesMax: LINE_BYTES_MAX,
      onLine: (one) => this.#takeLine(one),
      onTooLong: () => this.#leaveOut('too_long', ''),
    });
  }

  take(chunk: Buffer): boolean {
    this.#lines.take(chunk);
    return this.#textBytes <= this.#parts.bytesMax && this.#count <= LINES_MAX;
  }

  end(): void {
    this.#lines.end();
    const { log } = this.#parts;
    if (this.#leftOut > LINES_LOGGED_MAX) {
      log.warn('agent_lines_left_out', { count: this.#leftOut });
    }
  }

  /** Halves of a character may come in two lines, so only the whole is made well-formed. */
  answer(): string {
    return wellFormed(this.#text);
  }

  shown(): string | undefined {
    return this.#text === '' ? undefined : wellFormed(this.#text);
  }

  tell(questionId: string, answer: QuestionAnswer): boolean {
    return this.#asks.answer(questionId, answer);
  }

  #takeLine(line: string): void {
    this.#count += 1;
    if (line.trim() === '') return;
    const said = objectIn(line);
    const why = said === undefined ? 'no_json' : this.#takeSaid(said);
    if (why !== undefined) this.#leaveOut(why, line);
  }

  /** Why the line is left out, if it is. */
  #takeSaid(said: Json): string | undefined {
    const { onUpdate } = this.#parts;
    const { type, text } = said;
    switch (type) {
      case 'text':
        if (typeof text !== 'string') return 'wrong_fields';
        this.#text += text;
        this.#textBytes += byteLength(text);
        onUpdate({ kind: 'text_added', text });
        return undefined;
      case 'final':
        if (typeof text !== 'string') return 'wrong_fields';
        this.#text = text;
        this.#textBytes = byteLength(text);
        onUpdate({ kind: 'text_replaced', text });
        return undefined;
      case 'status':
        if (typeof text !== 'string') return 'wrong_fields';
        onUpdate({ kind: 'status', text });
        return undefined;
      case 'step':
        return this.#takeStep(said);
      case 'file':
        return this.#takeFile(said);
      case 'ask':
        return this.#asks.take(said);
      default:
        return 'unknown_type';
    }
  }

  #takeStep({ id, title, status }: Json): string | undefined {
    if (typeof id !== 'string' || typeof title !== 'string') return 'wrong_fields';
    if (status !== 'running' && status !== 'done' && status !== 'failed') return 'wrong_fields';
    this.#parts.onUpdate({ kind: 'step', step: { id, title, status } });
    return undefined;
  }

  #takeFile({ path, name }: Json): string | undefined {
    if (typeof path !== 'string' || path === '') return 'wrong_fields';
    if (name !== undefined && typeof name !== 'string') return 'wrong_fields';
    if (this.files.length >= FILES_MAX) return 'too_many_files';
    this.files.push(name === undefined ? { path } : { path, name });
    return undefined;
  }

  #leaveOut(why: string, line: string): void {
    this.#leftOut += 1;
    if (this.#leftOut > LINES_LOGGED_MAX) return;
    const { log, masked } = this.#parts;
    const shown = masked(shortened(line, LINE_LOGGED_CHARS_MAX));
    log.warn('agent_line_left_out', { why, line: shown });
  }
}

/** Half a character becomes U+FFFD. */
function wellFormed(text: string): string {
  return Buffer.from(text).toString('utf8');
}

function objectIn(line: string): Json | undefined {
  try {
    return asObject(JSON.parse(line));
  } catch {
    return undefined;
  }
}
