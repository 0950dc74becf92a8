import type { Content } from '../../core/content.ts';
import { COMMAND_NAMES, wordsOf } from './table.ts';

/** A command in a text of the bridge. In a path, such as `/usr/run`, there is none. */
const COMMAND = new RegExp(
  String.raw`(?<![\w./-])/(?=(?:${[...wordsOf(COMMAND_NAMES).keys()].join('|')})(?![\w./-]*\w))`,
  'g',
);

/** The table of texts has each command with a slash. People are shown the prefix that works. */
export function withPrefix(content: Content, prefix: string): Content {
  if (content.kind === 'answer') return content;
  return { ...content, text: inWordsOf(prefix, content.text) };
}

export function inWordsOf(prefix: string, text: string): string {
  return prefix === '/' ? text : text.replaceAll(COMMAND, () => prefix);
}
