/** What can follow on a command line, for a shell that asks. */
import { BridgeError } from '../../core/errors.ts';
import type { Offer, Options, Positional } from '../command.ts';
import type { Grammar } from '../command-table.ts';
import {
  findCommand,
  type FoundCommand,
  type FoundGroup,
  nameOf,
  standardOf,
} from '../find-command.ts';
import { GLOBAL_OPTIONS } from '../global-options.ts';
import { dashed } from '../mistakes.ts';
import { readWords, wordsAmong } from '../read-words.ts';
import { placesOf } from '../values.ts';

export interface Candidate {
  readonly word: string;
  /** What it means, in some words. */
  readonly about: string;
}

type Answer =
  /** The shell knows best which there are. */
  | { readonly kind: 'files' | 'folders' }
  | { readonly kind: 'words'; readonly words: readonly Candidate[] };

/** Looks up what is stored. */
type Names = (offer: Exclude<Offer, 'file' | 'folder'>) => Promise<readonly Candidate[]>;

interface Known {
  readonly grammar: Grammar;
  readonly names: Names;
}

/** `typed`: the words after the program's name up to the cursor. The last one is being typed, and may be empty. */
export async function answerTo(typed: readonly string[], known: Known): Promise<Answer> {
  // Bash takes `--option=value` for three words.
  const words = typed.map((word) => (word === '=' ? '' : word));
  const before = words.slice(0, -1).filter((word) => word !== '');
  const current = words.at(-1) ?? '';
  const answer = await answerAfter(before, current, known);
  if (answer.kind !== 'words') return answer;
  return { kind: 'words', words: answer.words.filter(({ word }) => word.startsWith(current)) };
}

async function answerAfter(
  before: readonly string[],
  current: string,
  { grammar, names }: Known,
): Promise<Answer> {
  const isHelp = before[0] === 'help';
  const found = await foundAt(isHelp ? before.slice(1) : before, grammar);
  const options: Options = { ...GLOBAL_OPTIONS, ...optionsOf(found) };
  const valueOf = optionNamed(before.at(-1) ?? '', options);
  if (valueOf !== undefined && valueOf.type !== 'boolean') return valuesOf(valueOf, names);
  if (current.startsWith('-')) return optionAnswer(current, before, { options, names });
  if (found.kind !== 'command') return { kind: 'words', words: commandsAfter(found, grammar) };
  const { command, nameWords } = found;
  const { words } = readWords(before, options);
  const place = isHelp ? undefined : placesOf(command.usage)[words.length - nameWords];
  if (place !== undefined) return valuesOf(command.positionals?.[place.name], names);
  // Nothing else can follow, so what can follow at all is worth to be seen.
  const more = current === '' && !isHelp ? unused(options, before) : [];
  return { kind: 'words', words: more };
}

type Found =
  | FoundCommand
  | FoundGroup
  /** No command is named, so what runs then is the one that takes options. */
  | { readonly kind: 'program'; readonly standard: FoundCommand | FoundGroup }
  | { readonly kind: 'unknown' };

/** What the words name already. */
async function foundAt(before: readonly string[], grammar: Grammar): Promise<Found> {
  try {
    const found = await findCommand(before, grammar);
    const isNamed = found.kind === 'group' || isTyped(before, found);
    return isNamed ? found : { kind: 'program', standard: found };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return { kind: 'unknown' };
  }
}

function isTyped(before: readonly string[], { command }: FoundCommand): boolean {
  return wordsAmong(before, { ...GLOBAL_OPTIONS, ...command.options }).length > 0;
}

function optionsOf(found: Found): Options | undefined {
  if (found.kind === 'command') return found.command.options;
  if (found.kind === 'program') return optionsOf(found.standard);
  return found.kind === 'group' ? standardOf(found)?.command.options : undefined;
}

function commandsAfter(found: Found, grammar: Grammar): Candidate[] {
  if (found.kind === 'group') {
    return found.group.commands.map((one) => ({ word: nameOf(one), about: one.describe }));
  }
  if (found.kind !== 'program') return [];
  return grammar.commands.map(({ name, describe }) => ({ word: name, about: describe }));
}

interface OptionsAt {
  readonly options: Options;
  readonly names: Names;
}

/** The names of options, or the values of one that is typed as `--option=value`. */
async function optionAnswer(
  current: string,
  before: readonly string[],
  { options, names }: OptionsAt,
): Promise<Answer> {
  const [, typed] = /^(--[\w-]+)=/.exec(current) ?? [];
  if (typed === undefined) return { kind: 'words', words: unused(options, before) };
  const answer = await valuesOf(optionNamed(typed, options), names);
  if (answer.kind !== 'words') return answer;
  const whole = answer.words.map(({ word, about }) => ({ word: `${typed}=${word}`, about }));
  return { kind: 'words', words: whole };
}

/** Those that are not typed yet, or may be typed again. */
function unused(options: Options, before: readonly string[]): Candidate[] {
  return Object.entries(options)
    .filter(([name, { type, alias }]) => {
      const typed = [dashed(name), ...(alias === undefined ? [] : [dashed(alias)])];
      return type === 'array' || !typed.some((one) => before.includes(one));
    })
    .map(([name, { describe }]) => ({ word: dashed(name), about: describe }));
}

function optionNamed(typed: string, options: Options) {
  return Object.entries(options).find(
    ([name, { alias = '' }]) => typed === dashed(name) || typed === dashed(alias),
  )?.[1];
}

async function valuesOf(row: Positional | undefined, names: Names): Promise<Answer> {
  const { choices, offers } = row ?? {};
  if (offers === 'file') return { kind: 'files' };
  if (offers === 'folder') return { kind: 'folders' };
  if (choices !== undefined) {
    return { kind: 'words', words: choices.map((word) => ({ word, about: '' })) };
  }
  return { kind: 'words', words: offers === undefined ? [] : await names(offers) };
}
