/** What a rich text has beside its words: a title, buttons that write the signs, and how it will look. */
import { bodyOf } from '../view/message.ts';
import { postOf } from '../view/rich-text.ts';
import type { Named } from '../view/named.ts';
import { iconButton, make } from './dom.ts';
import { drawBlocks } from './draw-blocks.ts';
import type { Drawing } from './drawing.ts';
import type { IconName } from './icons.ts';
import { insertLines, wrap } from './text-box.ts';
import type { Session } from './session.ts';

interface RichTextOptions {
  readonly session: Session;
  readonly box: HTMLTextAreaElement;
  readonly named: () => readonly Named[];
}

/** With the keys of other editors. */
const SIGNS: readonly (readonly [IconName, string, string, readonly [string, string]])[] = [
  ['bold', 'Bold', 'b', ['**', '**']],
  ['italic', 'Italic', 'i', ['*', '*']],
  ['underline', 'Underline', 'u', ['<u>', '</u>']],
  ['strike', 'Strikethrough', '', ['~~', '~~']],
  ['link', 'Link', 'k', ['[', '](https://)']],
];

export class RichTextTools {
  readonly title = make('input', { class: 'rich-title', label: 'Title' });
  readonly buttons: HTMLElement;
  readonly preview = make('div', { class: 'preview bubble', role: 'region', label: 'Preview' });
  readonly #options: RichTextOptions;
  #isOn = false;

  constructor(options: RichTextOptions) {
    this.#options = options;
    const { box } = options;
    this.title.placeholder = 'Title';
    const signs = SIGNS.map(([icon, label, key, [before, after]]) => {
      const made = iconButton(icon, label, () => wrap(box, before, after));
      if (key !== '') made.title = `${label} (Ctrl+${key.toUpperCase()})`;
      return made;
    });
    this.buttons = make(
      'div',
      { class: 'rich-tools', role: 'toolbar', label: 'Format' },
      ...signs,
      iconButton('code', 'Code block', () => insertLines(box, '```\n', '\n```')),
      iconButton('rule', 'Divider', () => insertLines(box, '---\n')),
    );
    box.addEventListener('keydown', (event) => this.#key(event));
    for (const input of [box, this.title]) input.addEventListener('input', () => this.show());
    this.isOn = false;
  }

  get isOn(): boolean {
    return this.#isOn;
  }

  set isOn(isOn: boolean) {
    this.#isOn = isOn;
    this.title.hidden = !isOn;
    this.buttons.hidden = !isOn;
    this.show();
  }

  /** The content of the post. */
  get content(): ReturnType<typeof postOf> {
    const { box, named } = this.#options;
    return postOf({ title: this.title.value, words: box.value }, named());
  }

  isEmpty(): boolean {
    const title = this.#isOn ? this.title.value : '';
    return title.trim() === '' && this.#options.box.value.trim() === '';
  }

  /** How it will look. */
  show(): void {
    this.preview.hidden = !this.#isOn || this.isEmpty();
    this.preview.replaceChildren(...(this.preview.hidden ? [] : this.#drawn()));
  }

  #drawn(): readonly HTMLElement[] {
    const { session } = this.#options;
    const message = { type: 'post', content: this.content, mentions: [], files: {}, parts: [] };
    const body = bodyOf(message, session.people);
    const drawing = plainDrawing(session.me?.openId);
    return body.kind === 'blocks' ? drawBlocks(body.blocks, drawing) : [];
  }

  #key(event: KeyboardEvent): void {
    if (!this.#isOn || !(event.ctrlKey || event.metaKey)) return;
    const row = SIGNS.find(([, , key]) => key === event.key.toLowerCase());
    if (row === undefined) return;
    event.preventDefault();
    const [before, after] = row[3];
    wrap(this.#options.box, before, after);
  }
}

/** A post has nothing to press or to fill in. */
function plainDrawing(myId: string | undefined): Drawing {
  return {
    myId,
    values: new Map(),
    panels: new Map(),
    press: () => {},
    choose: () => {},
    redraw: () => {},
    form: undefined,
  };
}
