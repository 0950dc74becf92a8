/**
 * Writes blocks so that people can read them as they are: for texts, files, and the Markdown of posts, which knows
 * neither headings nor tables nor escapes (Lark's document "Send message content structure").
 */
import type { Person } from '../../core/content.ts';
import { lettersOf } from './letters.ts';
import type { Block, Inline } from './markdown/tree.ts';
import { markedMention } from './mentions.ts';
import { fenceFor, listPrefix, taskSign } from './signs.ts';

/** What a text is for. In a file nobody can be called, and a post shows pictures beside its text. */
type Use = 'post' | 'text' | 'file';

export function plainMarkdown(blocks: readonly Block[], use: Use): string {
  return blocks.map((block) => textOf(block, use)).join('\n\n');
}

function textOf(block: Block, use: Use): string {
  switch (block.kind) {
    case 'paragraph':
      return inline(block.children, use);
    case 'heading': {
      const text = inline(block.children, use).replaceAll('\n', ' ');
      // In a post what is bold holds nothing else.
      return use === 'post'
        ? `**${lettersOf(block.children).replaceAll('\n', ' ')}**`
        : `${'#'.repeat(block.level)} ${text}`;
    }
    case 'quote':
      return plainMarkdown(block.children, use)
        .split('\n')
        .map((line) => `> ${line}`.trimEnd())
        .join('\n');
    case 'list':
      return block.items
        .map(({ done, children }, at) => {
          const sign = listPrefix(block.start, at);
          const text = children.map((child) => textOf(child, use)).join('\n');
          return `${sign}${taskSign(done)}${text.replaceAll('\n', `\n${' '.repeat(Math.max(4, sign.length))}`)}`;
        })
        .join('\n');
    case 'table':
      return [block.head, ...block.rows]
        .map((row) => row.map((cell) => inline(cell, use).replaceAll('\n', ' ')).join(' | '))
        .join('\n');
    case 'code_block': {
      const fence = fenceFor(block.lines);
      return [`${fence}${block.language}`, ...block.lines, fence].join('\n');
    }
    case 'picture':
      return `[${block.label === '' ? 'image' : block.label}]`;
    case 'rule':
      return '---';
  }
}

function inline(children: readonly Inline[], use: Use): string {
  return children.map((child) => node(child, use)).join('');
}

function node(child: Inline, use: Use): string {
  switch (child.kind) {
    case 'text':
      return child.text;
    case 'code':
      return `\`${child.text}\``;
    case 'strong':
      return `**${inline(child.children, use)}**`;
    case 'emphasis':
      return `*${inline(child.children, use)}*`;
    case 'strike':
      return `~~${inline(child.children, use)}~~`;
    case 'link':
      return link(child, use);
    case 'image':
      return `[${child.label === '' ? 'image' : child.label}]`;
    case 'mention':
      return mention(child.person, use);
    case 'break':
      return '\n';
  }
}

function link({ address, children }: Extract<Inline, { kind: 'link' }>, use: Use): string {
  const label = inline(children, use);
  if (label === address || `mailto:${label}` === address) return label;
  return use === 'text' ? `${label} (${address})` : `[${label}](${address})`;
}

/** Until all tags of the agent are broken up, marks stand for the tag of a mention: see `withCalls`. */
function mention(person: Person, use: Use): string {
  return use === 'file' ? `@${person.name}` : markedMention(person);
}
