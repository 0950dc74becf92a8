/** What a command writes: results on stdout, progress and errors on stderr. */
import { BridgeError, errorText } from '../core/errors.ts';
import { inWords } from '../files/system-errors.ts';
import { shownText } from '../observe/shown-text.ts';

interface OutputStreams {
  readonly stdout: NodeJS.WritableStream & {
    readonly isTTY?: boolean;
    readonly columns?: number;
  };
  readonly stderr: NodeJS.WritableStream;
}

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly version: string;
  /** Colors on a terminal. */
  readonly color?: boolean;
}

/** Marks at the beginning of a line, and the number of their color on a terminal. */
const MARK_COLORS: Readonly<Record<string, number>> = {
  '●': 32,
  '✓': 32,
  '◐': 33,
  '!': 33,
  '○': 31,
  '✗': 31,
};
const MARK = /^([●✓◐!○✗])(?= )/gmu;

/**
 * The one way to the terminal. What is written may quote anybody: arguments, messages, servers. So control
 * characters are made visible here, in texts and in JSON.
 */
export class Output {
  /** Results are written as JSON, one value a line. */
  readonly json: boolean;
  readonly quiet: boolean;
  /** Columns of the terminal on stdout. Undefined: it is none, and nothing may be cut. */
  readonly width: number | undefined;
  readonly #color: boolean;
  readonly #streams: OutputStreams;
  readonly #version: string;

  constructor(streams: OutputStreams, options: OutputOptions) {
    const { stdout } = streams;
    this.json = options.json;
    this.quiet = options.quiet;
    this.width = stdout.isTTY === true ? stdout.columns : undefined;
    this.#color = options.color === true && stdout.isTTY === true;
    this.#streams = streams;
    this.#version = options.version;
    ignoreLostReader(streams.stdout);
    ignoreLostReader(streams.stderr);
  }

  /** A result: `text` for people, or `data` as one line of JSON. */
  result(text: string, data: unknown): void {
    this.#line('stdout', this.json ? JSON.stringify(data) : text);
  }

  /** Like `result`, with a color for each mark (●, ✓, !, ✗) that begins a line. */
  marked(text: string, data: unknown): void {
    if (this.json || !this.#color) return this.result(text, data);
    const colored = shownText(text).replace(
      MARK,
      (mark) => `\u001B[${MARK_COLORS[mark] ?? 0}m${mark}\u001B[39m`,
    );
    this.#streams.stdout.write(`${colored}\n`);
  }

  /** A text for people, whether JSON is asked for or not. */
  text(text: string): void {
    this.#line('stdout', text);
  }

  /** What we draw ourselves: it may have colours, move the cursor and leave its line open. Not for JSON. */
  draw(text: string): void {
    this.#streams.stdout.write(text);
  }

  /** Progress for people, on stderr; silent with --quiet. */
  note(text: string): void {
    if (!this.quiet) this.#line('stderr', text);
  }

  /** Something that may be wrong, on stderr; also with --quiet. */
  warning(text: string): void {
    this.#line('stderr', `warning: ${text}`);
  }

  /** Shows why a command ended, and returns the exit code for it. */
  failure(error: unknown): number {
    const expected = error instanceof BridgeError ? error : inWords(error);
    if (expected === undefined) return this.#bug(error);
    const { code, message, next } = expected;
    this.#line('stderr', `error: ${message}${next === undefined ? '' : `\nnext: ${next}`}`);
    if (this.json)
      this.#event({ event: 'error', code, message, ...(next !== undefined && { next }) });
    return expected.exitCode;
  }

  #bug(error: unknown): number {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const next = 'Please report it, with the lines above.';
    this.#line(
      'stderr',
      `error: this is a bug in lark-bridge ${this.#version} (Node ${process.version}, ${process.platform})\n` +
        `${stack}\nnext: ${next}`,
    );
    if (this.json) this.#event({ event: 'error', code: 'bug', message: errorText(error), next });
    return 1;
  }

  #event(data: Record<string, unknown>): void {
    this.#line('stdout', JSON.stringify(data));
  }

  #line(stream: keyof OutputStreams, text: string): void {
    this.#streams[stream].write(`${shownText(text)}\n`);
  }
}

/** The reader may stop early (`| head`, a closed terminal). The program then goes on without one. */
function ignoreLostReader(stream: NodeJS.WritableStream & { readonly isTTY?: boolean }): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    const isTerminalGone = error.code === 'EIO' && stream.isTTY === true;
    if (error.code !== 'EPIPE' && !isTerminalGone) throw error;
  });
}
