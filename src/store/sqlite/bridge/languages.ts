import type { AppId, OpenId } from '../../../core/ids.ts';
import type { Language } from '../../../core/language.ts';
import type { LanguageChoices } from '../../../bridge/ports/languages.ts';
import type { Db } from '../db.ts';

/** The table `languages`. */
export class SqliteLanguages implements LanguageChoices {
  readonly #db: Db;
  readonly #app: AppId;

  constructor({ db, app }: { readonly db: Db; readonly app: AppId }) {
    this.#db = db;
    this.#app = app;
  }

  chosenBy(person: OpenId): Language | undefined {
    const sql = 'SELECT lang FROM languages WHERE app_id = ? AND open_id = ?';
    return this.#db.get(sql, this.#app, person)?.['lang'] as Language | undefined;
  }

  async store(person: OpenId, lang: Language | undefined): Promise<void> {
    await this.#db.write(() => {
      if (lang === undefined) {
        this.#db.run('DELETE FROM languages WHERE app_id = ? AND open_id = ?', this.#app, person);
      } else {
        this.#db.run(
          `INSERT INTO languages (app_id, open_id, lang) VALUES (?, ?, ?)
             ON CONFLICT DO UPDATE SET lang = excluded.lang`,
          this.#app,
          person,
          lang,
        );
      }
    });
  }
}
