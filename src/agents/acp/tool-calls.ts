/** The uses of tools that an agent tells of, put together from its updates, and how they are shown. */
import { relative } from 'node:path';
import { asObject, isObject, type Json } from '../../core/json-object.ts';
import type { FileDiff, ToolKind, TurnStep } from '../../core/turn-update.ts';
import { headOf, shortened } from '../../text/cut.ts';
import { withoutTerminalControls } from '../../text/visible.ts';

const KINDS: ReadonlySet<string> = new Set<ToolKind>([
  'read',
  'edit',
  'delete',
  'move',
  'search',
  'execute',
  'think',
  'fetch',
  'switch_mode',
  'other',
]);

/** A card shows one line of each step. */
const TITLE_CHARS_MAX = 200;
const COMMAND_LINE_CHARS_MAX = 80;
/** The output of a command that people look at in a chat. Agents read logs of megabytes. */
const DETAIL_CHARS_MAX = 4_000;
/** Controls of terminals are left out of this much. */
const DETAIL_LOOKED_AT_MAX = 4 * DETAIL_CHARS_MAX;
const LINE_LOOKED_AT_MAX = 4_000;
/** No system has longer paths. */
const PATH_CHARS_MAX = 4_096;
/** A person reads no longer command before allowing it. */
const COMMAND_CHARS_MAX = 8_000;
/** The command itself, and what agents say beside it. */
const NOT_OF_COMMAND: ReadonlySet<string> = new Set(['command', 'description', 'timeout']);
/** A change that is larger is not read in a chat. Its beginning is kept. */
const DIFF_CHARS_MAX = 200_000;
const DIFFS_MAX = 20;
const PATHS_MAX = 20;
/** Calls of one turn. An agent that makes more of them is shown without the oldest ones changing. */
const CALLS_MAX = 2_000;

/** A use of a tool, as far as the agent has told of it. */
export interface ToolCall {
  readonly id: string;
  readonly kind: ToolKind;
  readonly title: string;
  readonly status: TurnStep['status'];
  readonly command: string | undefined;
  readonly paths: readonly string[];
  readonly diffs: readonly FileDiff[];
  /** What the tool gets, besides all this. */
  readonly input: string | undefined;
  /** All words of the agent about it, if its title has only the first of them. */
  readonly words: string | undefined;
  readonly detail: string;
}

/** What is kept of the updates about one use. All of it is bounded: agents send files and logs of megabytes. */
interface Told {
  readonly title?: string;
  readonly words?: string | undefined;
  readonly name?: string;
  readonly kind?: ToolKind;
  readonly status?: TurnStep['status'];
  readonly input?: Input;
  readonly places?: readonly string[];
  readonly diffs?: readonly FileDiff[];
  /** How many more there are. */
  readonly diffsLeft?: number;
  readonly content?: string;
  readonly output?: string;
}

/** What it is used on. */
interface Input {
  readonly command?: string | undefined;
  readonly path?: string | undefined;
  readonly wanted?: string | undefined;
  readonly url?: string | undefined;
  /** All that none of these shows. */
  readonly rest?: string | undefined;
}

export class ToolCalls {
  readonly #folder: string;
  readonly #told = new Map<string, Told>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Adds what an update says. What it leaves out stays as it was. Undefined: it names no use of a tool. */
  take(update: Json): ToolCall | undefined {
    const { toolCallId: id } = update;
    if (typeof id !== 'string') return undefined;
    if (!this.#told.has(id) && this.#told.size >= CALLS_MAX) return undefined;
    const told = { ...this.#told.get(id), ...toldIn(update) };
    this.#told.set(id, told);
    return callOf(id, told, this.#folder);
  }
}

export function stepOf({ id, title, status, detail, diffs }: ToolCall): TurnStep {
  return {
    id,
    title,
    status,
    ...(detail !== '' && { detail }),
    ...(diffs.length > 0 && { diffs }),
  };
}

function toldIn(update: Json): Told {
  const { title, name, kind, status, rawInput, rawOutput, locations, content } = update;
  const parts = Array.isArray(content) ? listOf(content) : undefined;
  const raw = rawOutput == null ? '' : rawText(rawOutput);
  return {
    ...(typeof title === 'string' && { title: line(title), words: wordsBeyond(title) }),
    ...(typeof name === 'string' && { name: line(name) }),
    ...(typeof kind === 'string' && { kind: kindOf(kind) }),
    ...(typeof status === 'string' && { status: statusOf(status) }),
    ...(!isEmpty(rawInput) && { input: inputIn(rawInput) }),
    ...(Array.isArray(locations) && { places: pathsIn(locations) }),
    ...(parts && diffsIn(parts)),
    ...(parts && {
      content: shownOutput(parts.flatMap((part) => contentText(part) ?? []).join('\n')),
    }),
    ...(raw !== '' && { output: shownOutput(raw) }),
  };
}

/** Before an agent knows what a tool gets, it may say that it gets nothing. */
function isEmpty(input: unknown): boolean {
  return input == null || (typeof input === 'object' && Object.keys(input).length === 0);
}

function inputIn(given: unknown): Input {
  if (!isObject(given)) return { rest: bounded(JSON.stringify(given), COMMAND_CHARS_MAX) };
  const input = given;
  const path = textOf(input['file_path']) ?? textOf(input['path']) ?? textOf(input['abs_path']);
  const wanted = textOf(input['pattern']) ?? textOf(input['query']);
  const command = commandIn(input);
  return {
    command: command === undefined ? undefined : bounded(command, COMMAND_CHARS_MAX),
    rest: restOf(input, { path, command }),
    path: path && shortened(path, PATH_CHARS_MAX),
    wanted: wanted && line(wanted),
    url: line(textOf(input['url']) ?? ''),
  };
}

/** Of what a tool gets nothing is left out, except what says nothing of what a command does. */
function restOf(
  input: Json,
  shown: { readonly path: string | undefined; readonly command: string | undefined },
): string | undefined {
  const rest = Object.entries(input).filter(([name, value]) => {
    if (shown.command !== undefined && NOT_OF_COMMAND.has(name)) return false;
    return shown.path === undefined || value !== shown.path || !name.endsWith('path');
  });
  if (rest.length === 0) return undefined;
  const texts = rest.map(([name, value]) => [
    name,
    typeof value === 'string' ? bounded(value, COMMAND_CHARS_MAX) : value,
  ]);
  return bounded(JSON.stringify(Object.fromEntries(texts), undefined, 2), COMMAND_CHARS_MAX);
}

/** Undefined: the first line is all of them. */
function wordsBeyond(title: string): string | undefined {
  const words = title.trim();
  return words === line(title) ? undefined : bounded(words, COMMAND_CHARS_MAX);
}

/** Changes are made of what a tool gets, so they are shown in place of it. */
function diffsBeyond({ diffsLeft = 0 }: Told): string | undefined {
  return diffsLeft === 0 ? undefined : `[… ${diffsLeft} more changes of files]`;
}

function callOf(id: string, told: Told, folder: string): ToolCall {
  const { kind = 'other', status = 'running', input = {}, diffs = [], content, output } = told;
  const paths = [...new Set([...(told.places ?? []), ...(input.path ? [input.path] : [])])];
  const place = diffs[0]?.path ?? paths[0];
  return {
    id,
    kind,
    title: titleOf(told, place === undefined ? undefined : within(folder, place)),
    status,
    command: input.command,
    paths,
    diffs,
    input: diffs.length === 0 ? input.rest : diffsBeyond(told),
    words: told.words,
    detail: content || output || '',
  };
}

/** What is done, and to what; else the words of the agent. */
function titleOf(told: Told, place: string | undefined): string {
  const { kind = 'other', name, input = {}, diffs = [] } = told;
  const given = told.title || name || kind;
  const named = (what: string, of: string | undefined) => (of ? line(`${what}: ${of}`) : given);
  switch (kind) {
    case 'execute':
      return named('Bash', input.command && shortened(line(input.command), COMMAND_LINE_CHARS_MAX));
    case 'read':
      return named('Read', place);
    case 'edit':
      return named(diffs[0]?.before === null ? 'Write' : 'Edit', place);
    case 'delete':
      return named('Delete', place);
    case 'search':
      return named(searchName(name), input.wanted);
    case 'fetch':
      return named('Fetch', input.url);
    case 'move':
    case 'think':
    case 'switch_mode':
    case 'other':
      return given;
  }
}

function searchName(name: string | undefined): string {
  return name === 'Grep' || name === 'Glob' ? name : 'Search';
}

function kindOf(value: string): ToolKind {
  return KINDS.has(value) ? (value as ToolKind) : 'other';
}

function statusOf(value: string): TurnStep['status'] {
  if (value === 'completed') return 'done';
  return value === 'failed' ? 'failed' : 'running';
}

/** A command is one text, or the words of one. */
function commandIn({ command }: Json): string | undefined {
  if (typeof command === 'string') return command;
  if (!Array.isArray(command) || command.length === 0) return undefined;
  return command.map(asWord).join(' ');
}

/** Where a word of a command begins and ends can be seen. */
function asWord(word: unknown): string {
  return typeof word === 'string' && /^[^\s"'\\]+$/.test(word) ? word : JSON.stringify(word);
}

function pathsIn(locations: readonly unknown[]): string[] {
  const paths = listOf(locations).flatMap(({ path }) => textOf(path) ?? []);
  const shown = paths.slice(0, PATHS_MAX).map((path) => shortened(path, PATH_CHARS_MAX));
  return paths.length > PATHS_MAX ? [...shown, `[… ${paths.length - PATHS_MAX} more]`] : shown;
}

function diffsIn(parts: readonly Json[]): Pick<Told, 'diffs' | 'diffsLeft'> {
  const diffs = parts.flatMap((part) => diffIn(part) ?? []);
  const diffsLeft = Math.max(0, diffs.length - DIFFS_MAX);
  return { diffs: diffs.slice(0, DIFFS_MAX), diffsLeft };
}

function diffIn({ type, path, oldText, newText }: Json): FileDiff | undefined {
  if (type !== 'diff' || typeof path !== 'string' || typeof newText !== 'string') return undefined;
  const before = typeof oldText === 'string' ? bounded(oldText, DIFF_CHARS_MAX) : null;
  return { path, before, after: bounded(newText, DIFF_CHARS_MAX) };
}

/** The output of a command, as it is shown. Only its beginning is looked at. */
function shownOutput(text: string): string {
  const begun = withoutTerminalControls(text.slice(0, DETAIL_LOOKED_AT_MAX)).trim();
  const left = text.length - Math.min(text.length, DETAIL_LOOKED_AT_MAX);
  return bounded(begun, DETAIL_CHARS_MAX, left);
}

function contentText({ type, content, _meta: meta }: Json): string | undefined {
  if (type === 'content') return textOf(asObject(content)?.['text']);
  if (type !== 'terminal') return undefined;
  return textOf(asObject(asObject(meta)?.['terminal_output'])?.['data']);
}

function rawText(output: unknown): string {
  if (typeof output === 'string') return output;
  if (Array.isArray(output)) {
    return output.map((part) => rawText(asObject(part)?.['text'] ?? part)).join('\n');
  }
  const { stdout, stderr, output: text, formatted_output: formatted } = asObject(output) ?? {};
  const said = [formatted ?? text, stdout, stderr].filter((one) => typeof one === 'string');
  return said.filter((one) => one !== '').join('\n');
}

function within(folder: string, path: string): string {
  const inside = relative(folder, path);
  return inside === '' || inside.startsWith('..') ? path : inside;
}

function line(text: string): string {
  const [first = ''] = withoutTerminalControls(text.slice(0, LINE_LOOKED_AT_MAX))
    .trim()
    .split(/\r?\n/);
  return copyOf(shortened(first, TITLE_CHARS_MAX));
}

/** What is cut says so. `left`: how many characters were cut before. */
export function bounded(text: string, charsMax: number, left = 0): string {
  if (text.length <= charsMax && left === 0) return text;
  const kept = headOf(text, { chars: charsMax });
  return copyOf(`${kept}\n[… ${text.length - kept.length + left} characters more]`);
}

/** A part of a string keeps the whole of it in memory. */
export function copyOf(text: string): string {
  return Buffer.from(text).toString('utf8');
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
