/** How a sentence of the bridge becomes a part of what is shown. Every sentence exists in English and in Chinese. */
import type { MenuAction } from '../../core/content.ts';
import type { Language, Text } from '../../core/language.ts';
import type { Show, ShownButton, ShownMenuButton } from '../outbox/show.ts';

export type { Text } from '../../core/language.ts';

export function notice(name: string, text: Text) {
  return { what: 'notice', name, text } as const satisfies Show;
}

export function choice(name: string, text: Text, buttons: readonly ShownButton[]) {
  return { what: 'choice', name, text, buttons } as const satisfies Show;
}

/** A notice with commands that can be pressed. */
export function menu(name: string, text: Text, buttons: readonly ShownMenuButton[]) {
  return { what: 'menu', name, text, buttons } as const satisfies Show;
}

export function menuButton(action: MenuAction, label: Text) {
  return { label, action, style: 'default' } as const satisfies ShownMenuButton;
}

/** The command with what would be typed after it. */
export function choosingButton(action: MenuAction, argument: string, label: Text): ShownMenuButton {
  return { ...menuButton(action, label), argument };
}

export function button(action: ShownButton['action'], style: ShownButton['style'], label: Text) {
  return { label, action, style } as const satisfies ShownButton;
}

/** What somebody else said stays as they said it. */
export function inLanguage(words: string | Text, lang: Language): string {
  return typeof words === 'string' ? words : words[lang];
}

/** Puts a text together from parts in both languages. */
export function inEach(say: (lang: Language) => string): Text {
  return { en: say('en'), zh: say('zh') };
}

const LOCALES: Readonly<Record<Language, string>> = { en: 'en', zh: 'zh-CN' };

export function numberIn(lang: Language, value: number): string {
  return new Intl.NumberFormat(LOCALES[lang]).format(value);
}

/** An unknown currency is named as it was given. */
export function moneyIn(
  lang: Language,
  { amount, currency }: { readonly amount: number; readonly currency: string },
): string {
  const isKnown = /^[A-Z]{3}$/.test(currency);
  if (!isKnown) return `${numberIn(lang, amount)} ${currency.slice(0, 10)}`;
  return new Intl.NumberFormat(LOCALES[lang], { style: 'currency', currency }).format(amount);
}

/** Names or things one after another, such as "a, b and c". */
export function listIn(lang: Language, items: readonly string[]): string {
  return new Intl.ListFormat(LOCALES[lang]).format(items);
}
