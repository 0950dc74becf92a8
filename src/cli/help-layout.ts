/** How rows of a help are laid out. */
import type { Examples, Option, Options, Positional } from './command.ts';
import { dashed } from './mistakes.ts';

/** What is typed, and what it does. */
export type Row = readonly [string, string];

/** On a terminal that is still narrower the lines break by themselves. */
const RIGHT_COLUMNS_MIN = 20;
const INDENT = '  ';

export function paragraphs(all: readonly string[]): string {
  return all.filter((one) => one !== '').join('\n\n');
}

/** What people type, each below what it does, so that a line can be copied as it is. */
export function exampleSection(examples: Examples): string {
  const lines = Object.entries(examples).map(
    ([typed, about]) => `${INDENT}# ${about}\n${INDENT}${typed}`,
  );
  return ['Examples:', ...lines].join('\n');
}

/** A heading and rows below it; empty without rows. */
export function section(title: string, rows: readonly Row[], width: number): string {
  return rows.length === 0 ? '' : [`${title}:`, ...rowLines(rows, width)].join('\n');
}

export function optionRows(options: Options = {}): Row[] {
  const rows = Object.entries(options);
  const hasLetters = rows.some(([, { alias }]) => alias !== undefined);
  return rows.map(([name, row]) => {
    const letter = row.alias === undefined ? '    ' : `${dashed(row.alias)}, `;
    const typed = [dashed(name), valueWord(row)].filter((word) => word !== '').join(' ');
    return [`${hasLetters ? letter : ''}${typed}`, aboutValue(row)];
  });
}

export function positionalRows(positionals: Readonly<Record<string, Positional>> = {}): Row[] {
  return Object.entries(positionals).map(([name, row]) => [name, aboutValue(row)]);
}

function rowLines(rows: readonly Row[], width: number): string[] {
  const left = Math.max(...rows.map(([typed]) => typed.length));
  const before = ' '.repeat(INDENT.length + left + 2);
  return rows.flatMap(([typed, about]) => {
    const right = wrapped(about, Math.max(RIGHT_COLUMNS_MIN, width - before.length));
    return right.map((line, at) =>
      at === 0 ? `${INDENT}${typed.padEnd(left)}  ${line}` : before + line,
    );
  });
}

/** What stands for the value after an option; empty if it takes none. */
function valueWord({ type = 'string', offers, valueIsOptional }: Option): string {
  if (type === 'boolean') return '';
  const word =
    offers === 'file' || offers === 'folder' ? offers : type === 'array' ? 'string' : type;
  return valueIsOptional === true ? `[${word}]` : word;
}

function aboutValue({ describe, choices, ...row }: Option): string {
  const standard = row.defaultDescription ?? row.default;
  return [
    describe,
    ...(choices === undefined ? [] : [`[choices: ${choices.join(', ')}]`]),
    ...(standard === undefined ? [] : [`[default: ${standard}]`]),
  ].join(' ');
}

export function wrapped(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(' ')) {
    if (line !== '' && line.length + 1 + word.length > width) {
      lines.push(line);
      line = word;
    } else line = line === '' ? word : `${line} ${word}`;
  }
  return [...lines, line];
}
