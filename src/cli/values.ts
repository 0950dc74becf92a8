/** Checks what was typed for a command against its options and its positional arguments. */
import type { Option, Options, Positional } from './command.ts';
import type { FoundCommand } from './find-command.ts';
import { GLOBAL_OPTIONS } from './global-options.ts';
import {
  dashed,
  missingWord,
  unexpectedWord,
  unknownOption,
  valueMissing,
  wrongValue,
} from './mistakes.ts';

export type Values = Readonly<Record<string, unknown>>;

/** A positional argument as the usage of a command names it: `<name>` or `[text]`. */
interface Place {
  readonly name: string;
  readonly isRequired: boolean;
}

export function placesOf(usage: string): Place[] {
  return [...usage.matchAll(/([<[])([\w-]+)[>\]]/g)].map(([, bracket, name = '']) => ({
    name,
    isRequired: bracket === '<',
  }));
}

/** The options that were typed, and the defaults of the others. Throws `usage` for the first wrong one. */
export function checkedOptions(
  { name: command, command: { options = {} } }: FoundCommand,
  typed: Values,
): Values {
  const rows: Options = { ...GLOBAL_OPTIONS, ...options };
  const given = Object.entries(typed).map(([name, value]) => {
    const row = Object.hasOwn(rows, name) ? rows[name] : undefined;
    if (row === undefined) throw unknownOption(name, command, Object.keys(rows));
    return [name, optionValue(value, row, { name, command })] as const;
  });
  return { ...defaultsOf(rows), ...Object.fromEntries(given) };
}

/** The words after the name of the command, by their places. Throws `usage` for one too many or too few. */
export function checkedPositionals(
  { name: command, command: found }: FoundCommand,
  words: readonly string[],
): Values {
  const { usage, positionals = {} } = found;
  const places = placesOf(usage);
  const extra = words[places.length];
  if (extra !== undefined) throw unexpectedWord(extra, command);
  const given: [string, unknown][] = [];
  for (const [at, { name, isRequired }] of places.entries()) {
    const word = words[at];
    if (word === undefined && isRequired) throw missingWord(name, command);
    if (word !== undefined) {
      given.push([name, oneOfFew(word, positionals[name], { name: `<${name}>`, command })]);
    }
  }
  return { ...defaultsOf(positionals), ...Object.fromEntries(given) };
}

interface At {
  readonly name: string;
  readonly command: string;
}

function optionValue(typed: unknown, row: Option, { name, command }: At): unknown {
  const { type, range, valueIsOptional } = row;
  if (type === 'array') {
    const values: unknown[] = Array.isArray(typed) ? typed : [typed];
    if (values.length === 0) throw valueMissing(name, command);
    return values;
  }
  // Typed twice, the last one counts.
  const value: unknown = Array.isArray(typed) ? typed.at(-1) : typed;
  if (type === 'boolean' || typeof value !== 'string') return value;
  if (value === '' && valueIsOptional !== true) throw valueMissing(name, command);
  if (range === undefined) return oneOfFew(value, row, { name: dashed(name), command });
  const number = Number(value);
  if (/^\d{1,15}$/.test(value) && number >= range.min && number <= range.max) return number;
  throw wrongValue(dashed(name), value, { range, command });
}

function oneOfFew(value: string, row: Positional | undefined, { name, command }: At): string {
  const { choices } = row ?? {};
  if (choices === undefined) return value;
  const found = choices.find((choice) => choice === value.toLowerCase());
  if (found === undefined) throw wrongValue(name, value, { choices, command });
  return found;
}

function defaultsOf(rows: Readonly<Record<string, Positional>>): Values {
  const given = Object.entries(rows).filter(([, row]) => row.default !== undefined);
  return Object.fromEntries(given.map(([name, row]) => [name, row.default]));
}
