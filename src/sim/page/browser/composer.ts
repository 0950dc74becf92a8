/** Where the person writes. A name after an @ becomes a mention. */
import type { MessageSeen } from '../view/wire.ts';
import { say, sendFile, type Written } from './actions.ts';
import { control } from './control.ts';
import { button, iconButton, make } from './dom.ts';
import { icon, type IconName } from './icons.ts';
import { chooseFrom } from './notices.ts';
import type { Session } from './session.ts';

/** Somebody who can be mentioned here. */
interface Named {
  readonly id: string;
  readonly name: string;
}

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
  #mode: Mode = { kind: 'new' };

  constructor(options: ComposerOptions) {
    this.#options = options;
    const { box, send } = options.names;
    this.#box = make('textarea', { label: box });
    this.#box.rows = 2;
    this.#box.placeholder = box;
    this.#box.title = 'Enter sends, Shift+Enter begins a line';
    this.#box.addEventListener('keydown', (event) => {
      if (event.key === 'Escape') this.reset();
      if (event.key !== 'Enter' || event.shiftKey || event.isComposing) return;
      event.preventDefault();
      void this.#send();
    });
    const tools = [
      button('@', { class: 'tool', label: 'Mention', onClick: () => void this.#mention() }),
      this.#fileButton('picture', 'Picture', 'image/png,image/jpeg,image/gif,image/webp,image/bmp'),
      this.#fileButton('file', 'File', ''),
      iconButton('voice', 'Voice sample', () => void this.#voice()),
    ];
    const submit = make('button', { class: 'primary' }, send);
    const row = make('div', { class: 'composer-tools' }, ...tools, submit);
    const form = make('form', { class: 'composer' }, this.#bar, this.#box, row);
    form.addEventListener('submit', (event) => {
      event.preventDefault();
      void this.#send();
    });
    this.element = form;
    this.reset();
  }

  focus(): void {
    this.#box.focus();
  }

  reset(): void {
    if (this.#mode.kind === 'edit') this.#box.value = '';
    this.#begin({ kind: 'new' });
  }

  reply(to: MessageSeen): void {
    this.#begin({ kind: 'reply', to });
    this.focus();
  }

  edit(message: MessageSeen): void {
    this.#begin({ kind: 'edit', message });
    const words = message.content?.['text'];
    this.#box.value = message.mentions.reduce(
      (text, { key, name }) => text.replaceAll(new RegExp(`${key}(?!\\d)`, 'g'), () => `@${name}`),
      typeof words === 'string' ? words : '',
    );
    this.focus();
  }

  #begin(mode: Mode): void {
    this.#mode = mode;
    if (mode.kind === 'new') {
      this.#bar.replaceChildren();
      return;
    }
    const isReply = mode.kind === 'reply';
    const words = isReply ? `Reply to ${mode.to.from.name}` : 'Edit your message';
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
    const words = this.#box.value;
    if (written === undefined || words.trim() === '') return;
    const { text, mentions } = this.#withMentions(words);
    const content = { content: { text }, mentions };
    const mode = this.#mode;
    // Who types on at once begins a new message.
    this.#box.value = '';
    this.reset();
    const isSent =
      mode.kind === 'edit'
        ? await control('POST', '/edit', { messageId: mode.message.messageId, ...content })
        : await say(written, content);
    if (!isSent && this.#box.value === '') this.#box.value = words;
  }

  async #voice(): Promise<void> {
    const written = this.#written();
    if (written !== undefined && (await say(written, { messageType: 'audio' }))) this.reset();
  }

  async #mention(): Promise<void> {
    const choices = new Map(this.#named().map(({ id, name }) => [id, name]));
    const id = await chooseFrom('Mention', choices);
    if (id === undefined) return;
    const { value, selectionStart } = this.#box;
    const before = value.slice(0, selectionStart);
    const space = before === '' || /\s$/.test(before) ? '' : ' ';
    this.#box.value = `${before}${space}@${choices.get(id) ?? ''} ${value.slice(selectionStart)}`;
    this.focus();
  }

  #fileButton(name: IconName, label: string, accept: string): HTMLElement {
    const input = make('input', { label });
    input.type = 'file';
    input.multiple = true;
    input.accept = accept;
    input.addEventListener('change', () => void this.#files(input));
    return make('label', { class: 'tool file-tool', title: label }, icon(name), input);
  }

  /** One after the other, so that they arrive in their order. */
  async #files(input: HTMLInputElement): Promise<void> {
    const written = this.#written();
    if (written === undefined) return;
    for (const file of input.files ?? []) await sendFile(written, file);
    input.value = '';
    this.reset();
  }

  #named(): readonly Named[] {
    const { world, chat, me } = this.#options.session;
    const members = (chat?.members ?? []).filter(({ openId }) => openId !== me?.openId);
    const bots = world.bots.filter(({ appId }) => chat?.bots.includes(appId));
    return [
      ...bots.map(({ appId, name }) => ({ id: appId, name })),
      ...members.map(({ openId, name }) => ({ id: openId, name })),
      ...(chat?.mode === 'p2p' ? [] : [{ id: 'all', name: 'all' }]),
    ];
  }

  /** Names become Lark's placeholders, each with its number. */
  #withMentions(words: string): { readonly text: string; readonly mentions: readonly string[] } {
    const named = this.#named().toSorted((one, other) => other.name.length - one.name.length);
    const mentions: string[] = [];
    let text = '';
    let at = 0;
    while (at < words.length) {
      const found =
        words[at] === '@' ? named.find(({ name }) => words.startsWith(name, at + 1)) : undefined;
      if (found === undefined) {
        text += words[at] ?? '';
        at += 1;
        continue;
      }
      const isAll = found.id === 'all';
      if (!isAll) mentions.push(found.id);
      text += isAll ? '@_all' : `@_user_${mentions.length}`;
      at += 1 + found.name.length;
    }
    return { text, mentions };
  }
}
