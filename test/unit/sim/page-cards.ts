/** Random cards of every component that the page draws. Each word in them is there once. */
import { createRandom } from '../../../src/sim/world/random.ts';
import type { JsonObject } from '../../../src/sim/world/json.ts';

const COLORS = ['blue', 'red', 'green', 'no-such-color'];
const UNKNOWN = ['shiny_new_thing', 'carousel'];

export interface MadeCard {
  readonly card: JsonObject;
  /** What a person has to find on the screen. */
  readonly words: readonly string[];
}

export function madeCard(seed: number): MadeCard {
  const random = createRandom(seed, 'card');
  const words: string[] = [];
  const below = (limit: number) => Math.floor(random() * limit);
  const one = <T>(of: readonly T[]): T => of[below(of.length)] as T;
  const word = () => {
    const made = `w${words.length}x`;
    words.push(made);
    return made;
  };
  const plainText = () => ({ tag: 'plain_text', content: `${word()}\n${word()} <b>` });
  const markup = [
    () => word(),
    () => `**${word()}** and *${word()}* and ~~${word()}~~`,
    () => `[${word()}](https://example.com/${below(9)})`,
    () => `[${word()}](javascript:alert)`,
    () => `\`${word()} < ${word()}\``,
    () => `<font color='${one(COLORS)}'>${word()} **${word()}**</font>`,
    () => `<text_tag color='${one(COLORS)}'>${word()}</text_tag>`,
    () => `<b>${word()}</b> <script>${word()}</script> <img src=x onerror=${word()}>`,
    () => `<at id=ou_${word()}></at> ${word()}_${word()}`,
    () => `**${word()} * ${word()} __ ${word()} ~~ \\*${word()} &#42; ${word()}`,
    () => `\n# ${word()}\n`,
    () => `\n- ${word()}\n  - ${word()}\n- [x] ${word()}\n`,
    () => `\n3. ${word()}\n   more ${word()}\n`,
    () => `\n> ${word()}\n> - ${word()}\n`,
    () => `\n| ${word()} | ${word()} |\n| :-- | --: |\n| ${word()} | ${word()} \\| ${word()} |\n`,
    () => `\n\`\`\`ts\n  if (${word()}) {\n\n${word()}\n\`\`\`\n`,
    () => `\n~~~\n${word()}\n`,
  ];
  const markdown = () => Array.from({ length: 1 + below(4) }, () => one(markup)()).join(' ');
  const richText = () => ({ tag: 'lark_md', content: markdown() });
  const elements = (depth: number): unknown[] =>
    Array.from({ length: 1 + below(3) }, () => one(depth > 3 ? leaves : all)(depth + 1));
  const options = () => [
    { text: plainText(), value: 'a' },
    { text: plainText(), value: 'b' },
  ];
  const leaves: ((depth: number) => JsonObject)[] = [
    () => ({ tag: 'markdown', content: markdown(), text_size: one(['notation', 'heading', '']) }),
    () => plainText(),
    () => ({ tag: 'div', text: one([plainText, richText])() }),
    () => ({ tag: 'div', fields: [{ is_short: true, text: richText() }, { text: plainText() }] }),
    () => ({ tag: 'div', text: plainText(), extra: { tag: 'button', text: plainText() } }),
    () => ({ tag: 'hr' }),
    () => ({ tag: 'img', img_key: 'k', alt: plainText(), title: plainText() }),
    () => ({ tag: 'button', text: plainText(), url: 'https://example.com' }),
    () => ({ tag: 'button', text: plainText(), type: one(['primary', 'danger', 'text']) }),
    () => ({ tag: 'input', label: plainText(), placeholder: plainText(), default_value: word() }),
    () => ({ tag: 'select_static', placeholder: plainText(), options: options() }),
    () => ({ tag: 'multi_select_static', placeholder: plainText(), options: options() }),
    () => ({ tag: 'overflow', options: options() }),
    () => ({ tag: 'checker', text: plainText(), checked: true }),
    () => ({ tag: 'date_picker', placeholder: plainText() }),
    () => ({ tag: 'person_list', persons: [{ id: word() }, { id: word() }] }),
    () => ({
      tag: 'table',
      columns: [
        { name: 'a', display_name: word() },
        { name: 'b', display_name: word(), data_type: 'markdown' },
        { name: 'c', data_type: 'options', display_name: word() },
        { name: 'd', data_type: 'number', display_name: word() },
      ],
      rows: [{ a: word(), b: markdown(), c: [{ text: word(), color: one(COLORS) }], d: 4 }],
    }),
    () => ({
      tag: 'chart',
      chart_spec: { title: { text: word() }, data: { values: [{ time: word(), value: 8 }] } },
    }),
    () => ({ tag: one(UNKNOWN), title: plainText(), inside: { deep: [{ text: word() }] } }),
  ];
  const all: typeof leaves = [
    ...leaves,
    (depth) => ({
      tag: 'column_set',
      columns: [
        { tag: 'column', elements: elements(depth) },
        { tag: 'column', width: 'weighted', weight: 2, elements: elements(depth) },
      ],
    }),
    (depth) => ({ tag: 'form', name: 'f', elements: elements(depth) }),
    (depth) => ({ tag: 'note', elements: elements(depth) }),
    (depth) => ({ tag: 'action', actions: elements(depth) }),
    (depth) => ({
      tag: 'collapsible_panel',
      header: { title: richText() },
      elements: elements(depth),
    }),
    (depth) => ({
      tag: 'interactive_container',
      behaviors: [{ type: 'callback', value: 1 }],
      elements: elements(depth),
    }),
  ];
  const header = {
    title: plainText(),
    subtitle: plainText(),
    text_tag_list: [{ tag: 'text_tag', text: plainText(), color: 'blue' }],
    template: one(COLORS),
  };
  const inside = { elements: elements(0) };
  const card = random() < 0.5 ? { schema: '2.0', header, body: inside } : { header, ...inside };
  return { card, words };
}
