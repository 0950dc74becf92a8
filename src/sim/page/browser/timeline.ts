/** The messages of a chat or of a thread, one below the other. Only what has changed is drawn again. */
import type { MessageSeen } from '../view/wire.ts';
import { arrange, make } from './dom.ts';
import { drawRow, type RowContext, type RowMemory } from './message-row.ts';

/** Closer to the end than this, it follows new messages. */
const NEAR_END_PX = 80;
/** Messages of one author within this time have one name. */
const TOGETHER_MS = 5 * 60_000;

export class Timeline {
  readonly #list: HTMLElement;
  readonly #content = make('div', { class: 'rows' });
  readonly #context: RowContext;
  readonly #rows = new Map<string, HTMLElement>();
  /** True: the end stays in sight. */
  #isFollowing = true;
  readonly #memories = new Map<string, RowMemory>();

  /** `list` is the element that scrolls. */
  constructor(list: HTMLElement, context: RowContext) {
    this.#list = list;
    this.#context = context;
    list.append(this.#content);
    list.addEventListener('scroll', () => {
      const fromEnd = list.scrollHeight - list.scrollTop - list.clientHeight;
      this.#isFollowing = fromEnd < NEAR_END_PX;
    });
    // Pictures that have come, and lines that wrap in another way, move the end.
    const sizes = new ResizeObserver(() => this.#follow());
    sizes.observe(list);
    sizes.observe(this.#content);
  }

  clear(): void {
    this.#rows.clear();
    this.#memories.clear();
    this.#content.replaceChildren();
    this.#isFollowing = true;
  }

  /** `changed`: ids of messages to draw again, if they are among those to show. */
  show(messages: readonly MessageSeen[], changed: ReadonlySet<string>): void {
    const list = this.#list;
    const fromEnd = list.scrollHeight - list.scrollTop;
    const first = list.querySelector<HTMLElement>('article')?.dataset['message'];
    for (const message of messages) {
      if (changed.has(message.messageId) || !this.#rows.has(message.messageId)) this.#draw(message);
    }
    arrange(this.#content, this.#withDays(messages));
    // Older messages came in above: what the person reads stays where it is.
    if (!this.#isFollowing && first !== messages[0]?.messageId) {
      list.scrollTop = list.scrollHeight - fromEnd;
    }
    this.#follow();
  }

  #follow(): void {
    if (this.#isFollowing) this.#list.scrollTop = this.#list.scrollHeight;
  }

  #draw(message: MessageSeen): void {
    const { messageId } = message;
    const memory = this.#memories.get(messageId) ?? { values: new Map(), panels: new Map() };
    this.#memories.set(messageId, memory);
    const redraw = () => this.#draw(message);
    const row = drawRow({ message, memory, context: this.#context, redraw });
    const old = this.#rows.get(messageId);
    this.#rows.set(messageId, row);
    if (old === undefined) return;
    if (old.classList.contains('follows')) row.classList.add('follows');
    const focus = focusIn(old);
    old.replaceWith(row);
    focus?.(row);
  }

  /** The rows, with the day before the first of each. */
  #withDays(messages: readonly MessageSeen[]): readonly HTMLElement[] {
    let day = '';
    let before: MessageSeen | undefined;
    return messages.flatMap((message) => {
      const row = this.#rows.get(message.messageId) ?? make('div');
      const date = new Date(message.atMs).toLocaleDateString([], { dateStyle: 'long' });
      const isNewDay = date !== day;
      const isTogether =
        !isNewDay &&
        before?.from.id === message.from.id &&
        !before.isRecalled &&
        message.replyTo === undefined &&
        message.atMs - before.atMs < TOGETHER_MS;
      row.classList.toggle('follows', isTogether);
      day = date;
      before = message;
      return isNewDay
        ? [make('div', { class: 'day', role: 'separator', label: date }, date), row]
        : [row];
    });
  }
}

/** Puts the focus on the same field or button of the new row; undefined if the old row did not have it. */
function focusIn(old: HTMLElement): ((row: HTMLElement) => void) | undefined {
  const active = document.activeElement;
  if (!(active instanceof HTMLElement) || !old.contains(active)) return undefined;
  const name = active.dataset['focus'] ?? active.getAttribute('aria-label');
  const isText = active instanceof HTMLTextAreaElement || isTextInput(active);
  const place = isText ? ([active.selectionStart, active.selectionEnd] as const) : undefined;
  return (row) => {
    const same = [
      ...row.querySelectorAll<HTMLElement>('button, input, textarea, select, summary'),
    ].find((one) => (one.dataset['focus'] ?? one.getAttribute('aria-label')) === name);
    same?.focus();
    if (place === undefined) return;
    if (same instanceof HTMLTextAreaElement || (same !== undefined && isTextInput(same))) {
      same.setSelectionRange(...place);
    }
  };
}

function isTextInput(element: HTMLElement): element is HTMLInputElement {
  return element instanceof HTMLInputElement && element.type === 'text';
}
