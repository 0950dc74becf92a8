import { Parser } from 'yargs/helpers';
import type { Option, Options } from './command.ts';

interface Read {
  /** What is no option and no value of one. */
  readonly words: readonly string[];
  readonly options: Readonly<Record<string, unknown>>;
}

/** Splits words into options and others. What looks like an option and is none is read as one with a value. */
export function readWords(typed: readonly string[], options: Options): Read {
  const { _: words, ...read } = Parser([...typed], parserOptions(options));
  return { words: words.map(String), options: read };
}

/** The words alone, if not all options are known yet: what looks like another one is taken for one without a value. */
export function wordsAmong(typed: readonly string[], options: Options): string[] {
  const known = parserOptions(options);
  const { _: words } = Parser([...typed], {
    ...known,
    configuration: { ...known.configuration, 'unknown-options-as-args': true },
  });
  return words.map(String).filter((word) => !word.startsWith('-'));
}

function parserOptions(options: Options) {
  const rows = Object.entries(options);
  const namesOf = (...types: (Option['type'] | undefined)[]) =>
    rows.filter(([, { type }]) => types.includes(type)).map(([name]) => name);
  return {
    boolean: namesOf('boolean'),
    array: namesOf('array'),
    // A number is checked as it was typed.
    string: namesOf('string', 'number', 'array', undefined),
    alias: Object.fromEntries(
      rows.flatMap(([name, { alias }]) => (alias === undefined ? [] : [[name, alias]])),
    ),
    configuration: {
      'boolean-negation': false,
      'camel-case-expansion': false,
      'dot-notation': false,
      'parse-numbers': false,
      'parse-positional-numbers': false,
      'strip-aliased': true,
    },
  };
}
