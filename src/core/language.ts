/** The languages in which the bridge speaks to people. */
export type Language = 'en' | 'zh';

/** One text in each language. */
export type Text = Readonly<Record<Language, string>>;

/** Names, addresses, and what others said: the same in each language. */
export function inEveryLanguage(words: string): Text {
  return { en: words, zh: words };
}
