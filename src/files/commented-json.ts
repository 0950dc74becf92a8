/**
 * JSON that people edit: comments as in JavaScript and a comma after the last value are allowed. A change of one value
 * leaves the rest of the text as it is, comments too.
 */
import { parseJsonObject } from './json-text.ts';

const TEXT = String.raw`"(?:[^"\\\n]|\\.)*"`;
const TEXT_OR_COMMENT = new RegExp(String.raw`${TEXT}|//[^\n]*|/\*[\s\S]*?\*/`, 'g');
const TEXT_OR_LAST_COMMA = new RegExp(String.raw`${TEXT}|,(?=\s*[}\]])`, 'g');
const FIELD = new RegExp(String.raw`(${TEXT})\s*:\s*(${TEXT}|[^\s,{}[\]]+)`, 'g');

const LAST_COMMA = /,(?=\s*\}\s*$)/;

/** Throws a `SyntaxError` with the line and column of the first mistake. */
export function parseCommented(text: string): Record<string, unknown> {
  const bare = withoutComments(text).replace(TEXT_OR_LAST_COMMA, (part) =>
    part === ',' ? ' ' : part,
  );
  return parseJsonObject(bare);
}

/** The text with another value of one field; undefined removes it. Its values are texts and numbers. */
export function withField(text: string, name: string, value: string | number | undefined): string {
  const fields = [...withoutComments(text).matchAll(FIELD)];
  const found = fields.find(([, key = '']) => JSON.parse(key) === name);
  if (found === undefined) return value === undefined ? text : withNewField(text, name, value);
  const end = found.index + found[0].length;
  if (value === undefined) return withoutSpan(text, found.index, end);
  const start = end - (found[2]?.length ?? 0);
  return text.slice(0, start) + JSON.stringify(value) + text.slice(end);
}

function withNewField(text: string, name: string, value: string | number): string {
  const bare = withoutComments(text);
  const close = bare.lastIndexOf('}');
  const last = bare.slice(0, close).trimEnd();
  const comma = /[{,]$/.test(last) ? '' : ',';
  const before = text.slice(0, last.length) + comma + text.slice(last.length, close).trimEnd();
  return `${before}\n  ${JSON.stringify(name)}: ${JSON.stringify(value)}\n${text.slice(close)}`;
}

function withoutSpan(text: string, start: number, end: number): string {
  const hadLastComma = LAST_COMMA.test(withoutComments(text));
  const left = cutLine(text, start, end);
  const comma = hadLastComma ? undefined : LAST_COMMA.exec(withoutComments(left))?.index;
  return comma === undefined ? left : left.slice(0, comma) + left.slice(comma + 1);
}

/** With the comma behind it, and with its line if nothing else is there. */
function cutLine(text: string, start: number, end: number): string {
  const after = text.slice(end).replace(/^[ \t]*,?[ \t]*/, '');
  const before = text.slice(0, start).replace(/[ \t]+$/, '');
  const isLine = before.endsWith('\n') && after.startsWith('\n');
  return isLine ? before + after.slice(1) : before + after;
}

/** As long as before, so that places stay the same. */
function withoutComments(text: string): string {
  return text.replace(TEXT_OR_COMMENT, (part) =>
    part.startsWith('"') ? part : part.replaceAll(/[^\n]/g, ' '),
  );
}
