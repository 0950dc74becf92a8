import type { Content } from '../../core/content.ts';
import { COMMAND_NAMES, wordsOf } from './table.ts';

/** A command in a text of the bridge. In a path, such as `/usr/run`, there is none. */
const COMMAND = new RegExp(
  String.raw`(?<![\w./-])/(?=(?:${[...wordsOf(COMMAND_NAMES).keys()].join('|')})(?![\w./-]*\w))`,
  'g',
);

/** The table of texts has each command with a slash. People are shown the prefix that works. */
export function withPrefix(content: Content, prefix: string): Content {
  switch (content.kind) {
    case 'notice':
    case 'choice':
    case 'news':
    case 'menu':
      return { ...content, text: inWordsOf(prefix, content.text) };
    case 'question':
      return { ...content, note: inWordsOf(prefix, content.note) };
    case 'answer':
    case 'file':
    case 'raw_card':
      return content;
  }
}

export function inWordsOf(prefix: string, text: string): string {
  return prefix === '/' ? text : text.replaceAll(COMMAND, () => prefix);
}
