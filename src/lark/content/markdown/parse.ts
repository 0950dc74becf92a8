/** Parses an answer. Only this file and `inline.ts` know the parser. */
import { Lexer, type Token, type Tokens } from 'marked';
import { withoutTerminalControls } from '../../../text/visible.ts';
import { LIMITS } from '../limits.ts';
import { MENTION_MARK } from '../mentions.ts';
import { InlineReader, type InlineContext } from './inline.ts';
import { segmentsOf, type Footnote, type Segment } from './segments.ts';
import type { Block, Inline, ListItem } from './tree.ts';

/** The lines of lists and quotes that the parser nests although the reader of lines saw fewer levels. */
const DEPTH_MAX = LIMITS.nestingMax * 2 + 4;

/** What is known about the chat and the files of an answer. */
type ParseContext = Omit<InlineContext, 'footnotes'>;

/** The answer as a tree. It never throws, and its work is bounded, whatever the text is. */
export function parseAnswer(text: string, context: ParseContext): readonly Block[] {
  const { segments, definitions, footnotes } = segmentsOf(cleaned(text));
  const inline = new InlineReader({
    ...context,
    footnotes: new Set(footnotes.map(({ label }) => label)),
  });
  const reader = new BlockReader(inline, definitions);
  const blocks = segments.flatMap((segment) => reader.segment(segment));
  return [...blocks, ...footnotes.flatMap((footnote) => reader.footnote(footnote))];
}

/** Line ends in one form, and nothing that Lark would refuse, a terminal would obey or we use as a mark ourselves. */
function cleaned(text: string): string {
  const lines = withoutTerminalControls(text.replaceAll(/\r\n?|[\u0085\u2028\u2029]/g, '\n'));
  return lines.replaceAll(/\p{Surrogate}/gu, '\uFFFD').replaceAll(MENTION_MARK, '\uFFFD');
}

class BlockReader {
  readonly #inline: InlineReader;
  readonly #definitions: ReadonlyMap<string, string>;

  constructor(inline: InlineReader, definitions: ReadonlyMap<string, string>) {
    this.#inline = inline;
    this.#definitions = definitions;
  }

  segment(segment: Segment): readonly Block[] {
    switch (segment.kind) {
      case 'code':
        return [{ kind: 'code_block', language: segment.language, lines: segment.lines }];
      case 'quote':
        return [{ kind: 'quote', children: segment.segments.flatMap((one) => this.segment(one)) }];
      case 'plain':
        return [plainParagraph(segment.text)];
      case 'markdown':
        return this.#parsed(segment.text);
    }
  }

  /** A footnote is a line below the answer, or a few. */
  footnote({ label, text }: Footnote): readonly Block[] {
    const [first, ...others] = this.#parsed(text);
    const sign: Inline = { kind: 'text', text: `[${label}] ` };
    if (first?.kind === 'paragraph') {
      return [{ kind: 'paragraph', children: [sign, ...first.children] }, ...others];
    }
    const blocks = first === undefined ? [] : [first, ...others];
    return [{ kind: 'paragraph', children: [sign] }, ...blocks];
  }

  #parsed(text: string): readonly Block[] {
    const tokens = this.#tokens(text);
    return tokens === undefined ? [plainParagraph(text)] : this.#blocks(tokens, 0);
  }

  #tokens(text: string): readonly Token[] | undefined {
    const lexer = new Lexer({ gfm: true });
    for (const [label, href] of this.#definitions) {
      lexer.tokens.links[label] = { href, title: null };
    }
    try {
      return lexer.lex(text);
    } catch {
      // Whatever it is: a parser that fails on a text must not cost the answer. Nothing of ours runs in there.
      return undefined;
    }
  }

  #blocks(tokens: readonly Token[], depth: number): Block[] {
    return tokens.flatMap((token) => this.#block(token as Tokens.Generic, depth));
  }

  #block(token: Tokens.Generic, depth: number): Block[] {
    if (depth > DEPTH_MAX) return [plainParagraph(token.raw)];
    switch (token.type) {
      case 'space':
      case 'checkbox':
        return [];
      case 'paragraph':
      case 'text':
        return this.#paragraph(token.tokens ?? [token]);
      case 'heading':
        return [
          {
            kind: 'heading',
            level: (token as Tokens.Heading).depth,
            children: this.#inline.read(token.tokens ?? []),
          },
        ];
      case 'code':
        return [codeBlock(token as Tokens.Code)];
      case 'blockquote':
        return [{ kind: 'quote', children: this.#blocks(token.tokens ?? [], depth + 1) }];
      case 'list':
        return [this.#list(token as Tokens.List, depth)];
      case 'table':
        return [this.#table(token as Tokens.Table)];
      case 'hr':
        return [{ kind: 'rule' }];
      case 'html':
        return [this.#html(token.raw)];
      default:
        // An inline token stands alone where a list item has nothing else.
        return this.#paragraph([token]);
    }
  }

  #paragraph(tokens: readonly Token[]): Block[] {
    const children = this.#inline.read(tokens);
    return children.length === 0 ? [] : [{ kind: 'paragraph', children }];
  }

  /** HTML is shown as text, except for the line breaks in it. */
  #html(raw: string): Block {
    const lines = raw.trimEnd().split(/<br\s*\/?>|\n/i);
    const children = lines.flatMap((line, at): Inline[] => [
      ...(at === 0 ? [] : [{ kind: 'break' as const }]),
      ...this.#inline.words(withWideIndent(line)),
    ]);
    return { kind: 'paragraph', children };
  }

  #list(token: Tokens.List, depth: number): Block {
    const items = token.items.map((item): ListItem => {
      const children = this.#blocks(item.tokens, depth + 1);
      return item.task ? { done: item.checked === true, children } : { children };
    });
    return { kind: 'list', ...(token.ordered ? { start: Number(token.start) } : {}), items };
  }

  #table(token: Tokens.Table): Block {
    const cells = (row: readonly Tokens.TableCell[]) =>
      row.map((cell) => this.#inline.read(cell.tokens));
    return {
      kind: 'table',
      align: token.align.map((side) => side ?? 'left'),
      head: cells(token.header),
      rows: token.rows.map(cells),
    };
  }
}

function codeBlock({ text, lang = '' }: Tokens.Code): Block {
  return { kind: 'code_block', language: /^\S*/.exec(lang)?.[0] ?? '', lines: text.split('\n') };
}

function plainParagraph(text: string): Block {
  return { kind: 'paragraph', children: [{ kind: 'text', text: withWideIndent(text.trimEnd()) }] };
}

/** Spaces at the beginning of a line would be lost. These are kept. */
function withWideIndent(text: string): string {
  return text.replaceAll(/^[ \t]+/gm, (indent) =>
    '\u00A0'.repeat(indent.replaceAll('\t', '    ').length),
  );
}
