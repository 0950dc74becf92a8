/** What is said about a wrong command line: one wording for one mistake, with the word that was meant. */
import { BridgeError } from '../core/errors.ts';
import { notInRange, notOneOf } from '../config/values.ts';
import { shortened } from '../text/cut.ts';
import { nearestOf } from '../text/nearest.ts';
import { NAME, type Option } from './command.ts';

/** A wrong value is quoted up to here. */
const VALUE_CHARS_MAX = 100;

/** What people type who know other tools, and what they want with it. */
export const WORDS_OF_OTHERS: Readonly<Record<string, string>> = {
  start:
    'Run `lark-bridge run` to start it here, or `lark-bridge service start` if it is installed as a service.',
  stop: 'Press Ctrl-C where it runs, or run `lark-bridge service stop` if it is installed as a service.',
  restart: 'Run `lark-bridge service restart` if it is installed as a service.',
  init: 'Run `lark-bridge connect` to create the bot.',
  login: 'Run `lark-bridge connect` to create the bot, or to use an existing app.',
  logout: 'Run `lark-bridge disconnect` to remove the credentials of the bot.',
  install: 'Run `lark-bridge service install` to start the bot with the machine.',
  uninstall: 'Run `lark-bridge service uninstall` to remove the service. Its state stays.',
};

export function unknownCommand(
  typed: string,
  { group, names }: { readonly group?: string; readonly names: readonly string[] },
): BridgeError {
  const above = group === undefined ? NAME : `${NAME} ${group}`;
  const meant = didYouMean(typed, names, (name) => `${above} ${name}`);
  const others = group === undefined ? WORDS_OF_OTHERS[typed] : undefined;
  const all = `Run \`${above} --help\` to see all commands.`;
  return new BridgeError('usage', `unknown command ${quoted(typed, group)}`, {
    next: others ?? [...(meant === undefined ? [] : [meant]), all].join(' '),
  });
}

export function missingCommand(group: string, names: readonly string[]): BridgeError {
  return mistake(group, `\`${group}\` needs one of: ${names.join(', ')}`);
}

export function unknownOption(
  typed: string,
  command: string,
  known: readonly string[],
): BridgeError {
  const meant = didYouMean(typed, known, dashed);
  return mistake(command, `unknown option ${dashed(typed)}`, meant);
}

export function valueMissing(option: string, command: string): BridgeError {
  return mistake(command, `${dashed(option)} needs a value`);
}

/** `name` is that of an option with its dashes, or of an argument. */
export function wrongValue(
  name: string,
  value: string,
  {
    command,
    choices = [],
    range,
  }: Pick<Option, 'choices' | 'range'> & { readonly command: string },
): BridgeError {
  const must = range === undefined ? notOneOf(choices) : notInRange(range);
  const meant = didYouMean(value.toLowerCase(), choices, (choice) => choice);
  return mistake(command, `${name} ${must}, not ${quoted(value)}`, meant);
}

export function unexpectedWord(word: string, command: string): BridgeError {
  return mistake(command, `unexpected argument ${quoted(word)}`);
}

export function missingWord(name: string, command: string): BridgeError {
  return mistake(command, `\`${command}\` needs <${name}>`);
}

/** `list`: the command that shows which names there are. */
export function unknownName(
  what: string,
  name: string,
  { names, list }: { readonly names: readonly string[]; readonly list: string },
): BridgeError {
  const meant = didYouMean(name, names, (one) => one);
  const all = `Run \`${NAME} ${list}\` to see all of them.`;
  return new BridgeError('usage', `unknown ${what} ${quoted(name)}`, {
    next: meant === undefined ? all : `${meant} ${all}`,
  });
}

/** A question with the name that is most like the word; undefined if none is. */
function didYouMean(
  word: string,
  names: readonly string[],
  asTyped: (name: string) => string,
): string | undefined {
  const meant = nearestOf(word, names) ?? onlyOneWith(word, names);
  return meant === undefined ? undefined : `Did you mean \`${asTyped(meant)}\`?`;
}

/** An option as it is typed. */
export function dashed(option: string): string {
  return option.length === 1 ? `-${option}` : `--${option}`;
}

/** The beginning of one name alone. */
function onlyOneWith(beginning: string, names: readonly string[]): string | undefined {
  if (beginning === '') return undefined;
  const [only, ...more] = names.filter((name) => name.startsWith(beginning));
  return more.length === 0 ? only : undefined;
}

function mistake(command: string, message: string, meant?: string): BridgeError {
  const help = `Run \`${NAME} ${command} --help\` for usage.`;
  return new BridgeError('usage', message, {
    next: meant === undefined ? help : `${meant} ${help}`,
  });
}

function quoted(word: string, before?: string): string {
  const shown = shortened(word, VALUE_CHARS_MAX);
  return JSON.stringify(before === undefined ? shown : `${before} ${shown}`);
}
