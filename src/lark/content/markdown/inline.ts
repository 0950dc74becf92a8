/** Reads what stands inside a paragraph, and decides about links, images and mentions. */
import type { Token, Tokens } from 'marked';
import { linkAddress } from '../links.ts';
import type { Mentions } from '../mentions.ts';
import { withoutEntities } from './entities.ts';
import type { Inline } from './tree.ts';

export interface InlineContext {
  readonly mentions: Mentions;
  /** Keys of uploaded images by the paths that the agent may use for them. Empty where Lark refused the image. */
  readonly images: ReadonlyMap<string, string>;
  /** Labels of the footnotes of this answer. */
  readonly footnotes: ReadonlySet<string>;
}

const DEPTH_MAX = 20;
/** What is longer is no name, and stays. */
const NAME_CHARS_MAX = 40;
const LINE_BREAK = /^<br\s*\/?>$/i;
/** The parser takes these as part of an address that somebody wrote into a Chinese sentence. */
const AFTER_ADDRESS =
  /[\u3000-\u303F\uFF00-\uFF0F\uFF1A-\uFF20\uFF3B-\uFF40\uFF5B-\uFF65\u2018-\u201D].*$/su;

export class InlineReader {
  readonly #context: InlineContext;

  constructor(context: InlineContext) {
    this.#context = context;
  }

  read(tokens: readonly Token[], depth = 0): Inline[] {
    const nodes: Inline[] = [];
    for (let at = 0; at < tokens.length; at += 1) {
      const token = tokens[at] as Tokens.Generic;
      const person = token.type === 'html' ? this.#context.mentions.ofTag(token.raw) : undefined;
      if (person === undefined) {
        nodes.push(...this.#node(token, depth));
        continue;
      }
      nodes.push({ kind: 'mention', person });
      // The name inside the tag is replaced by the one that Lark knows.
      const end = tokens.findIndex(({ raw }, index) => index > at && /^<\/at>$/i.test(raw));
      const inside = tokens[at + 1]?.raw ?? '';
      const isName = end === at + 2 && inside.length <= NAME_CHARS_MAX && !inside.includes('\n');
      if (isName || end === at + 1) at = end;
    }
    return this.#withMentions(joined(nodes));
  }

  /** A text that is no Markdown. */
  words(text: string): Inline[] {
    return text === '' ? [] : this.#withMentions([{ kind: 'text', text }]);
  }

  #node(token: Tokens.Generic, depth: number): Inline[] {
    if (depth > DEPTH_MAX) return [{ kind: 'text', text: token.raw }];
    const children = () => this.read(token.tokens ?? [], depth + 1);
    switch (token.type) {
      case 'strong':
        return [{ kind: 'strong', children: children() }];
      case 'em':
        return [{ kind: 'emphasis', children: children() }];
      case 'del':
        return strike(token.raw, children());
      case 'codespan':
        return [{ kind: 'code', text: (token as Tokens.Codespan).text.replaceAll('\n', ' ') }];
      case 'br':
        return [{ kind: 'break' }];
      case 'link':
        return this.#link(token as Tokens.Link, children());
      case 'image':
        return this.#image(token as Tokens.Image);
      case 'escape':
        return [{ kind: 'text', text: (token as Tokens.Escape).text }];
      case 'html':
        return LINE_BREAK.test(token.raw)
          ? [{ kind: 'break' }]
          : [{ kind: 'text', text: token.raw }];
      case 'checkbox':
        return [];
      case 'text':
        // Loose items of a list hold their text one level deeper.
        return token.tokens === undefined
          ? [{ kind: 'text', text: this.#text(token.raw) }]
          : children();
      default:
        return [{ kind: 'text', text: token.raw }];
    }
  }

  #text(raw: string): string {
    const text = withoutEntities(raw);
    if (this.#context.footnotes.size === 0) return text;
    return text.replaceAll(/\[\^([^\]\s]{1,40})\]/g, (whole, label: string) =>
      this.#context.footnotes.has(label) ? `[${label}]` : whole,
    );
  }

  #link(token: Tokens.Link, children: readonly Inline[]): Inline[] {
    if (token.autolink === true) return this.#autolink(token);
    const href = withoutEntities(token.href);
    const address = linkAddress(href);
    if (address === undefined) return withAddress(children, href);
    const label = withoutLinks(children);
    return [
      {
        kind: 'link',
        address,
        children: label.length === 0 ? [{ kind: 'text', text: href }] : label,
      },
    ];
  }

  /** An address that stands in the text by itself. */
  #autolink({ text, href }: Tokens.Link): Inline[] {
    const rest = AFTER_ADDRESS.exec(text)?.[0] ?? '';
    const shown = text.slice(0, text.length - rest.length);
    const address = linkAddress(href.slice(0, href.length - rest.length));
    const link: Inline[] =
      address === undefined || shown === ''
        ? [{ kind: 'text', text: shown }]
        : [{ kind: 'link', address, children: [{ kind: 'text', text: shown }] }];
    return rest === '' ? link : [...link, { kind: 'text', text: rest }];
  }

  /** An image with a key is shown. Any other one is a link: nothing is fetched because an answer names it. */
  #image({ href, text }: Tokens.Image): Inline[] {
    const path = withoutEntities(href);
    const key = this.#keyOf(path);
    const label = withoutEntities(text).replaceAll(/\s+/g, ' ');
    // Lark refused it.
    if (key === '') return [{ kind: 'text', text: `[${label === '' ? 'image' : label}]` }];
    if (key !== undefined) return [{ kind: 'image', key, label }];
    const address = linkAddress(path);
    const children: Inline[] = [{ kind: 'text', text: label === '' ? path : label }];
    return address === undefined
      ? withAddress(children, path)
      : [{ kind: 'link', address, children }];
  }

  #keyOf(path: string): string | undefined {
    const { images } = this.#context;
    const plain = path.replace(/^(?:\.\/)+/, '');
    return images.get(path) ?? images.get(plain) ?? images.get(decoded(plain));
  }

  #withMentions(nodes: readonly Inline[]): Inline[] {
    return nodes.flatMap((node): Inline[] => {
      if (node.kind !== 'text') return [node];
      return this.#context.mentions
        .inText(node.text)
        .map((part) =>
          typeof part === 'string'
            ? { kind: 'text', text: part }
            : { kind: 'mention', person: part },
        );
    });
  }
}

/** With one sign it means "about" more often than that something is struck out. */
function strike(raw: string, children: readonly Inline[]): Inline[] {
  if (raw.startsWith('~~')) return [{ kind: 'strike', children }];
  return [{ kind: 'text', text: '~' }, ...children, { kind: 'text', text: '~' }];
}

/** A link that is none is shown as its text with the address after it. */
function withAddress(children: readonly Inline[], href: string): Inline[] {
  const [only] = children;
  const isSame = children.length === 1 && only?.kind === 'text' && only.text === href;
  if (href === '' || isSame) return [...children];
  return [...children, { kind: 'text', text: children.length === 0 ? href : ` (${href})` }];
}

/** A link can't hold another one. An image that became a link leaves its text. */
function withoutLinks(children: readonly Inline[]): readonly Inline[] {
  return children.flatMap((child) => (child.kind === 'link' ? child.children : [child]));
}

/** Texts that stand side by side become one. The parser cuts them at each sign that might mean something. */
function joined(nodes: readonly Inline[]): Inline[] {
  const result: Inline[] = [];
  let texts: string[] = [];
  const end = () => {
    if (texts.length > 0) result.push({ kind: 'text', text: texts.join('') });
    texts = [];
  };
  for (const node of nodes) {
    if (node.kind === 'text') texts.push(node.text);
    else {
      end();
      result.push(node);
    }
  }
  end();
  return result.filter((node) => node.kind !== 'text' || node.text !== '');
}

function decoded(path: string): string {
  try {
    return decodeURIComponent(path);
  } catch (error) {
    if (error instanceof URIError) return path;
    throw error;
  }
}
