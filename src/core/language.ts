/** The languages in which the bridge speaks to people. */
export type Language = 'en' | 'zh';

/** One text in each language. */
export type Text = Readonly<Record<Language, string>>;
