/** Makes elements. Every text becomes a text node, so none can become markup. */

import { icon, type IconName } from './icons.ts';

type Child = Node | string | undefined;

interface Attributes {
  readonly class?: string | undefined;
  readonly label?: string | undefined;
  readonly title?: string | undefined;
  readonly role?: string | undefined;
  /** Names an element in tests and styles, and finds the focus again. */
  readonly data?: Readonly<Record<string, string>>;
  readonly onClick?: (() => void) | undefined;
}

/** An element with these children. `label` is its accessible name. */
export function make<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  { class: names, label, title, role, data = {}, onClick }: Attributes = {},
  ...children: readonly Child[]
): HTMLElementTagNameMap[K] {
  const element = document.createElement(tag);
  if (names !== undefined) element.className = names;
  if (label !== undefined) element.setAttribute('aria-label', label);
  if (title !== undefined) element.title = title;
  if (role !== undefined) element.setAttribute('role', role);
  for (const [name, value] of Object.entries(data)) element.dataset[name] = value;
  if (onClick !== undefined) element.addEventListener('click', onClick);
  element.append(...children.filter((child) => child !== undefined));
  return element;
}

/** A button that does no more than `onClick`. Without `label` its text is its name. */
export function button(
  text: string,
  attributes: Attributes & { readonly isDisabled?: boolean },
): HTMLButtonElement {
  const made = make('button', attributes, text);
  made.type = 'button';
  made.disabled = attributes.isDisabled === true;
  return made;
}

/** A small button with a drawing. `label` is its name. */
export function iconButton(name: IconName, label: string, onClick: () => void): HTMLButtonElement {
  const made = button('', { class: 'tool', label, title: label, onClick });
  made.append(icon(name));
  return made;
}

/** A link that opens beside the page. */
export function outerLink(href: string, attributes: Attributes, ...children: readonly Child[]) {
  const link = make('a', attributes, ...children);
  link.href = href;
  link.target = '_blank';
  link.rel = 'noopener noreferrer';
  return link;
}

export function addressOf(fileKey: string): string {
  return `files/${encodeURIComponent(fileKey)}`;
}

/** The first letters of up to two words, on a colour that comes from the name. */
export function avatar(name: string, isBot: boolean): HTMLElement {
  const words = name.trim().split(/\s+/).slice(0, 2);
  const initials = words.map((word) => Array.from(word)[0] ?? '').join('');
  const look = `avatar tint-${hashOf(name) % 8}${isBot ? ' of-bot' : ''}`;
  const made = make('span', { class: look }, initials.toUpperCase());
  made.setAttribute('aria-hidden', 'true');
  return made;
}

/** A sum of the letters alone gives too many short names the same colour. */
function hashOf(name: string): number {
  return Array.from(name).reduce(
    (hash, letter) => (hash * 7 + (letter.codePointAt(0) ?? 0)) % 9_973,
    0,
  );
}

/** Makes the children of an element these, and moves as few of them as it can: what stays keeps focus and sound. */
export function arrange(parent: HTMLElement, wanted: readonly HTMLElement[]): void {
  const kept = new Set<Node>(wanted);
  for (const child of parent.querySelectorAll(':scope > *')) if (!kept.has(child)) child.remove();
  let next = parent.firstChild;
  for (const element of wanted) {
    if (element === next) next = next.nextSibling;
    else parent.insertBefore(element, next);
  }
}

export function timeOf(atMs: number): string {
  return new Date(atMs).toLocaleTimeString([], { hour: '2-digit', minute: '2-digit' });
}
