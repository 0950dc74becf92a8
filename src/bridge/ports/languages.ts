import type { OpenId } from '../../core/ids.ts';
import type { Language } from '../../core/language.ts';

/** Which language each person chose. */
export interface LanguageChoices {
  /** Undefined: none. It is read at once, because rows are made inside a transaction. */
  chosenBy(person: OpenId): Language | undefined;
  /** Undefined: takes the choice back. Resolves when it is on disk. */
  store(person: OpenId, lang: Language | undefined): Promise<void>;
}

export type ChosenLanguage = 'en' | 'zh' | 'auto';

export interface LanguageOrders {
  choose(person: OpenId, language: ChosenLanguage): Promise<void>;
}
