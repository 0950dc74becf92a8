/** In which language a person is spoken to. */
import { LRUCache } from 'lru-cache';
import type { Brand } from '../../core/brand.ts';
import type { OpenId } from '../../core/ids.ts';
import type { Language } from '../../core/language.ts';
import { personOf, type Whose } from '../../core/turn.ts';
import type { LanguageChoices } from '../ports/languages.ts';

/** More people than talk to one bot on one day. For all others the database is read. */
const PEOPLE_REMEMBERED_MAX = 10_000;

/** The language of people who chose none. Most people on Feishu read Chinese. */
export function defaultLanguage(setting: Language | 'auto', brand: Brand): Language {
  if (setting !== 'auto') return setting;
  return brand === 'feishu' ? 'zh' : 'en';
}

export class Languages {
  /** For what no person caused. */
  readonly standard: Language;
  readonly #choices: LanguageChoices;
  readonly #known = new LRUCache<OpenId, Language>({ max: PEOPLE_REMEMBERED_MAX });

  constructor(choices: LanguageChoices, standard: Language) {
    this.#choices = choices;
    this.standard = standard;
  }

  of(person: OpenId): Language {
    const known = this.#known.get(person);
    if (known !== undefined) return known;
    const lang = this.#choices.chosenBy(person) ?? this.standard;
    this.#known.set(person, lang);
    return lang;
  }

  /** The language of whose turn it is: who asked for the run, else the author of the message. */
  ofTurn(turn: Whose | undefined): Language {
    return turn === undefined ? this.standard : this.of(personOf(turn));
  }

  /** `auto`: no choice any more. Resolves when it is on disk. */
  async choose(person: OpenId, lang: Language | 'auto'): Promise<void> {
    const chosen = lang === 'auto' ? undefined : lang;
    await this.#choices.store(person, chosen);
    this.#known.set(person, chosen ?? this.standard);
  }
}
