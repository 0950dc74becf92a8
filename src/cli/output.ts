/** What a command writes: results on stdout, progress and errors on stderr. */
import { BridgeError, errorText } from '../core/errors.ts';
import { inWords } from '../files/system-errors.ts';

interface OutputStreams {
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

export interface OutputOptions {
  readonly json: boolean;
  readonly quiet: boolean;
  readonly version: string;
}

export class Output {
  /** Results are written as JSON, one value a line. */
  readonly json: boolean;
  readonly quiet: boolean;
  readonly #streams: OutputStreams;
  readonly #version: string;

  constructor(streams: OutputStreams, options: OutputOptions) {
    this.json = options.json;
    this.quiet = options.quiet;
    this.#streams = streams;
    this.#version = options.version;
    ignoreLostReader(streams.stdout);
    ignoreLostReader(streams.stderr);
  }

  /** A result: `text` for people, or `data` as one line of JSON. */
  result(text: string, data: unknown): void {
    this.#streams.stdout.write(`${this.json ? JSON.stringify(data) : text}\n`);
  }

  /** Progress for people, on stderr; silent with --quiet. */
  note(text: string): void {
    if (!this.quiet) this.#streams.stderr.write(`${text}\n`);
  }

  /** Something that may be wrong, on stderr; also with --quiet. */
  warning(text: string): void {
    this.#streams.stderr.write(`warning: ${text}\n`);
  }

  /** Shows why a command ended, and returns the exit code for it. */
  failure(error: unknown): number {
    const expected = error instanceof BridgeError ? error : inWords(error);
    if (expected === undefined) return this.#bug(error);
    const { code, message, next } = expected;
    this.#streams.stderr.write(`error: ${message}\n${next === undefined ? '' : `next: ${next}\n`}`);
    if (this.json)
      this.#event({ event: 'error', code, message, ...(next !== undefined && { next }) });
    return expected.exitCode;
  }

  #bug(error: unknown): number {
    const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
    const next = 'Please report it, with the lines above.';
    this.#streams.stderr.write(
      `error: this is a bug in lark-bridge ${this.#version} (Node ${process.version}, ${process.platform})\n` +
        `${stack}\nnext: ${next}\n`,
    );
    if (this.json) this.#event({ event: 'error', code: 'bug', message: errorText(error), next });
    return 1;
  }

  #event(data: Record<string, unknown>): void {
    this.#streams.stdout.write(`${JSON.stringify(data)}\n`);
  }
}

/** The reader may stop early (`| head`, a closed terminal). The program then goes on without one. */
function ignoreLostReader(stream: NodeJS.WritableStream & { readonly isTTY?: boolean }): void {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    const isTerminalGone = error.code === 'EIO' && stream.isTTY === true;
    if (error.code !== 'EPIPE' && !isTerminalGone) throw error;
  });
}
