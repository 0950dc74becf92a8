/** The log: one line for each event, as JSON or as text for people, without secrets. */
import { styleText } from 'node:util';
import { type DestinationStream, pino } from 'pino';
import { Secret, withoutSecrets } from '../core/secret.ts';
import { shownText } from './shown-text.ts';
import type { Log, LogFields } from '../core/log.ts';

type LogLevel = 'debug' | 'info' | 'warn' | 'error';

export interface LogOptions {
  readonly level: LogLevel;
  readonly format: 'text' | 'json';
  readonly stream: DestinationStream;
  readonly color?: boolean;
}

const LEVELS: readonly LogLevel[] = ['debug', 'info', 'warn', 'error'];
const COLORS = { debug: 'gray', info: 'green', warn: 'yellow', error: 'red' } as const;
const MASK = '[secret]';
/** Names of fields whose values are always secrets. */
const SECRET_NAME = /(secret|password|token|authorization|cookie|api[_-]?key|device[_-]?code)$/i;
/** Deeper values are cut. Fields should be flat. */
const DEPTH_MAX = 4;

/** Writes all lines of one turn of the event loop together, because each write is a system call. */
export function gatherLines(stream: DestinationStream): DestinationStream {
  let lines = '';
  let exiting = false;
  const flush = () => {
    const written = lines;
    lines = '';
    if (written !== '') stream.write(written);
  };
  // When an exception ends the process, no next tick comes.
  process.once('exit', () => {
    exiting = true;
    flush();
  });
  return {
    write(line) {
      if (lines === '' && !exiting) process.nextTick(flush);
      lines += line;
      if (exiting) flush();
    },
  };
}

export function createLog(options: LogOptions): Log {
  const write = options.format === 'json' ? jsonWriter(options) : textWriter(options);
  const least = LEVELS.indexOf(options.level);
  const at =
    (level: LogLevel) =>
    (event: string, fields: LogFields = {}): void => {
      if (LEVELS.indexOf(level) >= least) write(level, event, masked(fields));
    };
  return { debug: at('debug'), info: at('info'), warn: at('warn'), error: at('error') };
}

type Write = (level: LogLevel, event: string, fields: LogFields) => void;

function jsonWriter({ level, stream }: LogOptions): Write {
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
    },
    { write: (line) => stream.write(shownText(line)) },
  );
  return (at, event, fields) => logger[at]({ event, ...fields });
}

function textWriter({ stream, color }: LogOptions): Write {
  return (at, event, fields) => {
    const label = at.toUpperCase().padEnd(5);
    const level = color === true ? styleText(COLORS[at], label, { validateStream: false }) : label;
    const pairs = Object.entries(fields).map(([name, value]) => ` ${name}=${readable(value)}`);
    stream.write(`${new Date().toISOString()} ${level} ${event}${pairs.join('')}\n`);
  };
}

/** One word, or JSON: a value can't end the line, add another line or control the terminal. */
function readable(value: unknown): string {
  if (typeof value === 'string' && /^[^\s"=\p{C}]+$/u.test(value)) return value;
  const json = JSON.stringify(value) as string | undefined;
  return (json ?? 'null').replace(
    /[\p{C}\u2028\u2029]/gu,
    (char) => `\\u${char.codePointAt(0)?.toString(16).padStart(4, '0') ?? ''}`,
  );
}

function masked(fields: LogFields): LogFields {
  return maskedObject(fields, DEPTH_MAX);
}

function maskedObject(value: object, depth: number): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, one]) => [
      name,
      SECRET_NAME.test(name) && holdsText(one) ? MASK : maskedValue(one, depth),
    ]),
  );
}

/** Flags and counts such as `has_token: true` contain no secret. */
function holdsText(value: unknown): boolean {
  return typeof value === 'string' ? value !== '' : typeof value === 'object' && value !== null;
}

function maskedValue(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return withoutSecrets(value);
  if (typeof value === 'bigint') return String(value);
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Secret) return MASK;
  if (value instanceof Error) return maskedValue(value.message, depth);
  if (value instanceof Date) return value;
  if (depth === 0) return '[cut]';
  if (Array.isArray(value)) return value.map((one) => maskedValue(one, depth - 1));
  return maskedObject(value, depth - 1);
}
