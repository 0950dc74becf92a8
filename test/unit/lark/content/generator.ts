/** Makes Markdown from a seed, and knows which words and lines of code are in it, in order. Each one is different. */

interface Generated {
  readonly markdown: string;
  readonly words: readonly string[];
  readonly codeLines: readonly string[];
  /** Words in heads of tables. They may be shown again where a table goes on. */
  readonly heads: ReadonlySet<string>;
}

export function generated(seed: number): Generated {
  return new Generator(seed).generate();
}

/** Signs that mean something in Markdown, as people type them by mistake. */
const NOISE = [
  '*',
  '**',
  '_',
  '__',
  '~',
  '~~',
  '`',
  '``',
  '[',
  ']',
  '(',
  ')',
  '![',
  '](',
  '<',
  '>',
  '</',
  '<!--',
  '-->',
  '<b>',
  '|',
  '#',
  '##',
  '+',
  '-',
  '--',
  '=',
  '\\',
  '\\*',
  '&',
  '&amp;',
  '&lt;',
  '&#60;',
  '$',
  '!',
  ':',
  ':OK:',
  '1.',
  '@all',
  '<at id=all>',
  '</at>',
  '<at user_id="all">',
  '&lt;at id=all&gt;',
  '​',
  '中文，',
  '“',
  '😀',
  '…',
  '<br>',
];
const CODE_NOISE = [
  '\t',
  '  ',
  '`',
  '```',
  '~~~',
  '*',
  '<b>',
  '&amp;',
  '\\',
  '"',
  "'",
  '|',
  '{',
  '}',
  '中',
  '😀',
  '#',
  '> ',
  '- ',
];

class Generator {
  #state: number;
  readonly #words: string[] = [];
  readonly #codeLines: string[] = [];
  readonly #footnotes: {
    readonly label: string;
    readonly words: readonly string[];
    text: string;
  }[] = [];
  readonly #heads = new Set<string>();
  #count = 0;

  constructor(seed: number) {
    this.#state = seed * 2_654_435_761;
  }

  generate(): Generated {
    // One in ten is so long that it has to be divided.
    const count = this.#below(10) === 0 ? 60 + this.#below(60) : 1 + this.#below(12);
    const blocks = Array.from({ length: count }, () => this.#block());
    const notes = this.#footnotes.map(({ label, text }) => `[^${label}]: ${text}`);
    return {
      markdown: [...blocks, ...notes].join('\n\n'),
      words: [...this.#words, ...this.#footnotes.flatMap(({ words }) => words)],
      codeLines: this.#codeLines,
      heads: this.#heads,
    };
  }

  #block(): string {
    const kinds = [
      () => this.#paragraph(),
      () => this.#paragraph(),
      () => `${'#'.repeat(1 + this.#below(6))} ${this.#inline(1 + this.#below(6))}`,
      () => this.#code(''),
      () => this.#list(0),
      () => this.#quote(),
      () => this.#table(),
      () => this.#pick(['---', '***', '___']),
      () => `<div>\n${this.#word()} <b>${this.#word()}</b>\n</div>`,
      () => this.#noisy(),
    ];
    return this.#pick(kinds)();
  }

  #paragraph(): string {
    const lines = 1 + this.#below(this.#below(20) === 0 ? 200 : 4);
    const text = Array.from({ length: lines }, () => this.#inline(1 + this.#below(8))).join('\n');
    if (this.#below(12) !== 0) return text;
    const label = `n${this.#count}`;
    const own = [this.#newWord(), this.#newWord()];
    this.#footnotes.push({ label, words: own, text: own.join(' ') });
    return `${text} [^${label}]`;
  }

  /** Words between signs that fit together by accident or not. */
  #noisy(): string {
    const count = 2 + this.#below(12);
    // What begins a line may be a block of its own, in which nothing is shown: a row of signs is a line.
    return Array.from({ length: count }, () =>
      this.#below(2) === 0
        ? `${this.#pick(NOISE)} ${this.#word()}`
        : `${this.#word()}${this.#pick(NOISE)}`,
    ).join(this.#pick([' ', '', ' \n', '  ']));
  }

  #inline(count: number): string {
    const forms: ((words: string) => string)[] = [
      (words) => words,
      (words) => words,
      (words) => words,
      (words) => `**${words}**`,
      (words) => `*${words}*`,
      (words) => `_${words}_`,
      (words) => `~~${words}~~`,
      (words) => `\`${words}\``,
      (words) => `[${words}](https://example.com/a_(b)?x=1)`,
      (words) => `[${words}](javascript:alert)`,
      (words) => `![${words}](https://example.com/x.png)`,
      (words) => `**a *${words}* b**`,
      (words) => `${words}  \n`,
    ];
    return Array.from({ length: count }, () =>
      this.#pick(forms)(this.#below(3) === 0 ? `${this.#word()} ${this.#word()}` : this.#word()),
    )
      .join(' ')
      .trim();
  }

  #code(indent: string): string {
    const count = this.#below(15) === 0 ? 300 + this.#below(900) : 1 + this.#below(6);
    const lines = Array.from({ length: count }, () => this.#codeLine());
    this.#codeLines.push(...lines);
    const language = this.#pick(['', 'js', 'python', 'mermaid', 'c++', 'text']);
    return ['~~~~~', ...lines, '~~~~~']
      .map((line, at) => (at === 0 ? `${line}${language}` : line === '' ? '' : `${indent}${line}`))
      .join('\n');
  }

  #codeLine(): string {
    if (this.#below(8) === 0) return '';
    const noise = () => (this.#below(2) === 0 ? this.#pick(CODE_NOISE) : '');
    this.#count += 1;
    return `${noise()}${noise()}code${this.#count} ${noise()}${noise()}end${noise()}`;
  }

  #list(depth: number): string {
    const isOrdered = this.#below(2) === 0;
    const count = depth === 0 && this.#below(20) === 0 ? 200 : 1 + this.#below(4);
    // Only a list that begins with 1 can follow a text without an empty line.
    const start = depth === 0 ? this.#below(120) : 1;
    const items = Array.from({ length: count }, (_, at) => {
      const sign = isOrdered ? `${start + at}. ` : '- ';
      const indent = ' '.repeat(sign.length);
      const task = !isOrdered && this.#below(4) === 0 ? this.#pick(['[x] ', '[ ] ']) : '';
      const inside = [`${task}${this.#inline(1 + this.#below(4)).replaceAll('\n', ' ')}`];
      if (depth < 3 && this.#below(4) === 0) inside.push(this.#list(depth + 1));
      if (this.#below(8) === 0) inside.push(this.#code(''));
      if (this.#below(8) === 0) inside.push(`\n${this.#inline(2).replaceAll('\n', ' ')}`);
      return inside
        .join('\n')
        .split('\n')
        .map((line, index) =>
          index === 0 ? `${sign}${line}` : line === '' ? '' : `${indent}${line}`,
        )
        .join('\n');
    });
    return items.join('\n');
  }

  #quote(): string {
    const inside = [this.#inline(1 + this.#below(20))];
    if (this.#below(3) === 0) inside.push(this.#list(2).replaceAll(/~~~~~\w*/g, '~~~~~'));
    return inside
      .join('\n\n')
      .split('\n')
      .map((line) => `> ${line}`)
      .join('\n');
  }

  #table(): string {
    const columns = 1 + this.#below(this.#below(4) === 0 ? 12 : 5);
    const rows = this.#below(20) === 0 ? 150 : 1 + this.#below(5);
    const row = (cells: readonly string[]) => `| ${cells.join(' | ')} |`;
    const head = Array.from({ length: columns }, () => {
      const word = this.#word();
      this.#heads.add(word);
      return word;
    });
    const cell = () => this.#inline(1 + this.#below(2)).replaceAll(/\s*\n/g, ' ');
    return [
      row(head),
      row(head.map(() => this.#pick(['---', ':-:', '--:']))),
      ...Array.from({ length: rows }, () => row(head.map(cell))),
    ].join('\n');
  }

  #word(): string {
    const word = this.#newWord();
    this.#words.push(word);
    return word;
  }

  #newWord(): string {
    this.#count += 1;
    return `w${this.#count}x`;
  }

  #pick<T>(items: readonly T[]): T {
    return items[this.#below(items.length)] as T;
  }

  #below(limit: number): number {
    // mulberry32
    this.#state = (this.#state + 0x6d2b79f5) | 0;
    let value = Math.imul(this.#state ^ (this.#state >>> 15), 1 | this.#state);
    value = (value + Math.imul(value ^ (value >>> 7), 61 | value)) ^ value;
    return ((value ^ (value >>> 14)) >>> 0) % limit;
  }
}
