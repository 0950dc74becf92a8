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
/** A person reads no longer command before allowing it. */
const COMMAND_CHARS_MAX = 8_000;
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
  readonly detail: string;
}

export class ToolCalls {
  readonly #folder: string;
  readonly #told = new Map<string, Json>();

  constructor(folder: string) {
    this.#folder = folder;
  }

  /** Adds what an update says. What it leaves out stays as it was. Undefined: it names no use of a tool. */
  take(update: Json): ToolCall | undefined {
    const { toolCallId: id } = update;
    if (typeof id !== 'string') return undefined;
    if (!this.#told.has(id) && this.#told.size >= CALLS_MAX) return undefined;
    const said = Object.entries(update).filter(
      ([, value]) => value !== null && value !== undefined,
    );
    const all = { ...this.#told.get(id), ...Object.fromEntries(said) };
    this.#told.set(id, all);
    return callOf(id, all, this.#folder);
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

function callOf(id: string, told: Json, folder: string): ToolCall {
  const input = asObject(told['rawInput']) ?? {};
  const content = listOf(told['content']);
  const kind = kindOf(told['kind']);
  const command = commandIn(input);
  const paths = pathsIn(told, input);
  const diffs = content.flatMap((part) => diffIn(part) ?? []).slice(0, DIFFS_MAX);
  const about = { told, input, kind, command, diffs };
  const place = diffs[0]?.path ?? paths[0];
  return {
    id,
    kind,
    title: titleOf(about, place === undefined ? undefined : within(folder, place)),
    status: statusOf(told['status']),
    command: command === undefined ? undefined : bounded(command, COMMAND_CHARS_MAX),
    paths,
    diffs,
    detail: bounded(outputOf(content, told), DETAIL_CHARS_MAX),
  };
}

interface TitleParts {
  readonly told: Json;
  readonly input: Json;
  readonly kind: ToolKind;
  readonly command: string | undefined;
  readonly diffs: readonly FileDiff[];
}

/** What is done, and to what; else the words of the agent. */
function titleOf(parts: TitleParts, place: string | undefined): string {
  const { told, input, kind, command, diffs } = parts;
  const given = line(textOf(told['title']) ?? textOf(told['name']) ?? kind);
  const name = textOf(told['name']);
  const named = (what: string, of: string | undefined) =>
    of === undefined ? given : line(`${what}: ${of}`);
  switch (kind) {
    case 'execute':
      return named('Bash', command && shortened(line(command), COMMAND_LINE_CHARS_MAX));
    case 'read':
      return named('Read', place);
    case 'edit':
      return named(diffs[0]?.before === null ? 'Write' : 'Edit', place);
    case 'delete':
      return named('Delete', place);
    case 'search':
      return named(searchName(name), textOf(input['pattern']) ?? textOf(input['query']));
    case 'fetch':
      return named('Fetch', textOf(input['url']));
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

function kindOf(value: unknown): ToolKind {
  return typeof value === 'string' && KINDS.has(value) ? (value as ToolKind) : 'other';
}

function statusOf(value: unknown): TurnStep['status'] {
  if (value === 'completed') return 'done';
  return value === 'failed' ? 'failed' : 'running';
}

/** A command is one text, or the words of one. */
function commandIn({ command }: Json): string | undefined {
  if (typeof command === 'string') return command;
  if (!Array.isArray(command) || command.length === 0) return undefined;
  return command.map(String).join(' ');
}

function pathsIn(told: Json, input: Json): string[] {
  const places = listOf(told['locations']).map(({ path }) => path);
  const named = [input['file_path'], input['path'], input['abs_path']];
  const all = [...places, ...named].filter((path) => typeof path === 'string' && path !== '');
  return [...new Set(all as string[])].slice(0, PATHS_MAX);
}

function diffIn({ type, path, oldText, newText }: Json): FileDiff | undefined {
  if (type !== 'diff' || typeof path !== 'string' || typeof newText !== 'string') return undefined;
  const before = typeof oldText === 'string' ? bounded(oldText, DIFF_CHARS_MAX) : null;
  return { path, before, after: bounded(newText, DIFF_CHARS_MAX) };
}

/** What came of it. Agents give it as content, as their own output, or as a terminal that they run themselves. */
function outputOf(content: readonly Json[], told: Json): string {
  const texts = content.flatMap((part) => contentText(part) ?? []);
  const shown = texts.length > 0 ? texts.join('\n') : rawText(told['rawOutput']);
  return withoutTerminalControls(shown).trim();
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
  const [first = ''] = withoutTerminalControls(text).trim().split(/\r?\n/);
  return shortened(first, TITLE_CHARS_MAX);
}

/** What is cut says so. */
export function bounded(text: string, charsMax: number): string {
  if (text.length <= charsMax) return text;
  const kept = headOf(text, { chars: charsMax });
  return `${kept}\n[… ${text.length - kept.length} characters more]`;
}

function textOf(value: unknown): string | undefined {
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function listOf(value: unknown): readonly Json[] {
  return Array.isArray(value) ? value.filter(isObject) : [];
}
