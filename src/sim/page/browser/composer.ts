/** Where the person writes: a plain text or a rich one. A name after an @ becomes a mention. */
import { lineOf } from '../view/message.ts';
import { sourceOf } from '../view/rich-text-source.ts';
import type { RichText } from '../view/rich-text.ts';
import type { MessageSeen } from '../view/wire.ts';
import {
  PICTURE_TYPES,
  say,
  sendFile,
  uploadPicture,
  type Content,
  type Written,
} from './actions.ts';
import { control } from './control.ts';
import { button, iconButton, make } from './dom.ts';
import { icon, type IconName } from './icons.ts';
import { namedIn, textContent } from './mentions.ts';
import { chooseFrom } from './notices.ts';
import { RichTextTools } from './rich-text-tools.ts';
import type { Session } from './session.ts';
import { insert, insertLines } from './text-box.ts';

interface ComposerOptions {
  readonly session: Session;
  /** The accessible names of the text box and of the button that sends. */
  readonly names: { readonly box: string; readonly send: string };
  /** The message that opens the thread, in the thread's panel. */
  readonly threadRoot: () => MessageSeen | undefined;
}

type Mode =
  | { readonly kind: 'new' }
  | { readonly kind: 'reply'; readonly to: MessageSeen }
  | { readonly kind: 'edit'; readonly message: MessageSeen };

export class Composer {
  readonly element: HTMLElement;
  readonly #options: ComposerOptions;
  readonly #box: HTMLTextAreaElement;
  readonly #bar = make('div', { class: 'composer-bar' });
  readonly #rich: RichTextTools;
  readonly #richButton = iconButton('rich', 'Rich text', () => {
    this.#setRich(!this.#rich.isOn);
    this.focus();
  });
  #mode: Mode = { kind: 'new' };

  constructor(options: ComposerOptions) {
    this.#options = options;
    const { session, names } = options;
    this.#box = this.#textBox(names.box);
    this.#rich = new RichTextTools({ session, box: this.#box, named: () => namedIn(session) });
    const tools = [
      this.#richButton,
      button('@', { class: 'tool', label: 'Mention', onClick: () => void this.#mention() }),
      this.#fileButton('picture', 'Picture', PICTURE_TYPES),
      this.#fileButton('file', 'File', ''),
      iconButton('voice', 'Voice sample', () => void this.#voice()),
    ];
    const submit = make('button', { class: 'primary' }, names.send);
    const form = make(
      'form',
      { class: 'composer' },
      this.#bar,
      this.#rich.buttons,
      this.#rich.title,
      this.#box,
      this.#rich.preview,
      make('div', { class: 'composer-tools' }, ...tools, submit),
    );
    form.addEventListener('keydown', ({ key }) => {
      if (key === 'Escape') this.reset();
    });
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send();
    });
    this.element = form;
    this.#setRich(false);
    this.reset();
  }

  focus(): void {
    this.#box.focus();
  }

  reset(): void {
    if (this.#mode.kind === 'edit') this.#clear();
    this.#begin({ kind: 'new' });
  }

  reply(to: MessageSeen): void {
    this.#begin({ kind: 'reply', to });
    this.focus();
  }

  edit(message: MessageSeen): void {
    this.#begin({ kind: 'edit', message });
    const { content = {}, type, mentions } = message;
    const source = type === 'post' ? sourceOf(content, namedIn(this.#options.session)) : undefined;
    const words = content['text'];
    this.#fill(source !== undefined, {
      title: source?.title ?? '',
      words:
        source?.words ??
        mentions.reduce(
          (text, { key, name }) =>
            text.replaceAll(new RegExp(`${key}(?!\\d)`, 'g'), () => `@${name}`),
          typeof words === 'string' ? words : '',
        ),
    });
    this.focus();
  }

  #textBox(label: string): HTMLTextAreaElement {
    const box = make('textarea', { label });
    box.rows = 2;
    box.placeholder = label;
    box.title = 'Enter sends, Shift+Enter begins a line';
    box.addEventListener('keydown', (event) => {
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      void this.#send();
    });
    return box;
  }

  #setRich(isOn: boolean): void {
    this.#rich.isOn = isOn;
    this.#richButton.setAttribute('aria-pressed', String(isOn));
  }

  #fill(isRich: boolean, { title, words }: RichText): void {
    this.#box.value = words;
    this.#rich.title.value = title;
    this.#setRich(isRich);
  }

  #clear(): void {
    this.#fill(false, { title: '', words: '' });
  }

  #begin(mode: Mode): void {
    this.#mode = mode;
    if (mode.kind === 'new') {
      this.#bar.replaceChildren();
      return;
    }
    const isReply = mode.kind === 'reply';
    const words = isReply
      ? `Reply to ${mode.to.from.name}: ${lineOf(mode.to, this.#options.session.people)}`
      : 'Edit your message';
    const label = isReply ? 'Cancel reply' : 'Cancel edit';
    const cancel = iconButton('close', label, () => this.reset());
    this.#bar.replaceChildren(make('span', {}, words), cancel);
  }

  /** Where the next message goes; undefined if there is no chat. */
  #written(): Written | undefined {
    const { session, threadRoot } = this.#options;
    const { me, chat } = session;
    if (me === undefined || chat === undefined) return undefined;
    const root = threadRoot();
    const replyTo = root ?? (this.#mode.kind === 'reply' ? this.#mode.to : undefined);
    const isInThread = root !== undefined;
    return { chatId: chat.chatId, me, replyTo: replyTo?.messageId, isInThread };
  }

  async #send(): Promise<void> {
    const written = this.#written();
    if (written === undefined || this.#rich.isEmpty()) return;
    const isRich = this.#rich.isOn;
    const text = { title: this.#rich.title.value, words: this.#box.value };
    const content: Content = isRich
      ? { messageType: 'post', content: this.#rich.content }
      : textContent(text.words, this.#options.session);
    const mode = this.#mode;
    // Who types on at once begins a new message.
    this.#clear();
    this.reset();
    const isSent =
      mode.kind === 'edit'
        ? await control('POST', '/edit', { messageId: mode.message.messageId, ...content })
        : await say(written, content);
    if (!isSent && this.#rich.isEmpty()) this.#fill(isRich, text);
  }

  async #voice(): Promise<void> {
    const written = this.#written();
    if (written !== undefined && (await say(written, { messageType: 'audio' }))) this.reset();
  }

  async #mention(): Promise<void> {
    const named = namedIn(this.#options.session);
    const choices = new Map(named.map(({ id, name }) => [id, name]));
    const id = await chooseFrom('Mention', choices);
    if (id === undefined) return;
    const before = this.#box.value.slice(0, this.#box.selectionStart);
    const space = before === '' || /\s$/.test(before) ? '' : ' ';
    insert(this.#box, `${space}@${choices.get(id) ?? ''} `);
  }

  #fileButton(name: IconName, label: string, accept: string): HTMLElement {
    const input = make('input', { label });
    input.type = 'file';
    input.multiple = true;
    input.accept = accept;
    input.addEventListener('change', () => void this.#files(input));
    return make('label', { class: 'tool file-tool', title: label }, icon(name), input);
  }

  /** One after the other, so that they arrive in their order. A picture goes into the rich text that is being written. */
  async #files(input: HTMLInputElement): Promise<void> {
    const written = this.#written();
    if (written === undefined) return;
    const isInText = this.#rich.isOn && input.accept === PICTURE_TYPES;
    for (const file of input.files ?? []) {
      if (isInText) await this.#insertPicture(written, file);
      else await sendFile(written, file);
    }
    input.value = '';
    if (!isInText) this.reset();
  }

  async #insertPicture(written: Written, file: File): Promise<void> {
    const key = await uploadPicture(written, file);
    if (key !== undefined) insertLines(this.#box, `![Picture](${key})\n`);
  }
}
