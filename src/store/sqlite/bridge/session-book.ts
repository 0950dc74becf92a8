import { turnId, type AppId, type OpenId } from '../../../core/ids.ts';
import type { Place } from '../../../bridge/ports/journal.ts';
import type { Chosen, ResumeOutcome, SessionBook, Viewer } from '../../../bridge/ports/sessions.ts';
import type { Clock } from '../../../time/clock.ts';
import type { Db } from '../db.ts';
import { EventsTable } from './events.ts';
import { SessionsTable } from './sessions.ts';

/** Turns that can still use their session: an agent has them, or will get them. */
const UNDER_WAY = `phase NOT IN ('answered', 'failed', 'dropped') AND phase NOT IN ('command', 'held', 'kept')`;

/** The memories of one app's chats. */
export class SqliteSessionBook implements SessionBook {
  readonly #db: Db;
  readonly #app: AppId;
  readonly #clock: Clock;
  readonly #events: EventsTable;
  readonly #sessions: SessionsTable;

  constructor({ db, app, clock }: { db: Db; app: AppId; clock: Clock }) {
    this.#db = db;
    this.#app = app;
    this.#clock = clock;
    this.#events = new EventsTable(db, app, clock);
    this.#sessions = new SessionsTable(db, app);
  }

  async chosenIn(place: Place): Promise<Chosen> {
    return this.#sessions.places.of(place);
  }

  async choose(
    place: Place,
    choice: Parameters<SessionBook['choose']>[1],
    once: string,
  ): Promise<void> {
    await this.#db.write(() => {
      if (!this.#events.insert(once, place.chatId)) return;
      const { places } = this.#sessions;
      const { agent, folder } = { ...places.of(place), ...choice };
      places.put(place, {
        ...(agent !== undefined && { agent }),
        ...(folder !== undefined && { folder }),
      });
    });
  }

  async dropChoice(place: Place, gone: Chosen): Promise<void> {
    await this.#db.write(() => this.#sessions.places.drop(place, gone));
  }

  async current(place: Place) {
    return this.#sessions.current(place);
  }

  async renew(place: Place, by: OpenId, once: string): Promise<void> {
    await this.#db.write(() => {
      if (!this.#events.insert(once, place.chatId)) return;
      this.#sessions.renew(place, by, this.#clock.nowMs());
    });
  }

  async list(viewer: Viewer, limit: number) {
    return this.#sessions.visible(viewer, { limit });
  }

  async beginningWith(start: string, viewer: Viewer) {
    return this.#sessions.visible(viewer, { start, limit: 2 });
  }

  async titled(words: string, viewer: Viewer, limit: number) {
    return this.#sessions.visible(viewer, { words, limit });
  }

  async titleOf(id: string): Promise<string> {
    return this.#sessions.byId(id)?.title ?? '';
  }

  resume(
    id: string,
    { place, by }: { readonly place: Place; readonly by: OpenId },
    once: string,
  ): Promise<ResumeOutcome> {
    return this.#db.write(() => {
      const known = this.#sessions.byId(id);
      const viewer = { chatId: place.chatId, by };
      const mayTake = this.#sessions.visible(viewer, { start: id, limit: 1 }).length > 0;
      if (known === undefined || !mayTake) return 'unknown';
      if (this.#events.has(once)) return 'done';
      // In one chat turns run one after another, so there nobody else can be at work in it.
      if (known.chatId !== place.chatId && this.#isUnderWay(known)) return 'busy';
      this.#events.insert(once, place.chatId);
      this.#sessions.leave(place, known);
      this.#sessions.moveTo(place, id);
      this.#sessions.places.put(place, known);
      return 'done';
    });
  }

  async placeOf(id: string) {
    const known = this.#sessions.byId(id);
    if (known === undefined) return undefined;
    const { chatId, threadId } = known;
    const row = this.#db.get(
      `SELECT message_id FROM turns WHERE +app_id = ?1 AND chat_id = ?2
         AND seq > (SELECT max(seq) FROM turns) - ${LATEST_ROWS_MAX}
         AND details ->> '$.session.id' = ?3 ORDER BY seq DESC LIMIT 1`,
      this.#app,
      chatId,
      id,
    );
    const latest = row === undefined ? undefined : turnId(String(row['message_id']));
    return { chatId, threadId, latest };
  }

  #isUnderWay({ id, chatId }: { readonly id: string } & Pick<Place, 'chatId'>): boolean {
    const row = this.#db.get(
      `SELECT 1 AS one FROM turns WHERE +app_id = ? AND chat_id = ? AND ${UNDER_WAY}
         AND details ->> '$.session.id' = ? LIMIT 1`,
      this.#app,
      chatId,
      id,
    );
    return row !== undefined;
  }
}

/** How far back the latest turn of a session is searched for. */
const LATEST_ROWS_MAX = 5_000;
