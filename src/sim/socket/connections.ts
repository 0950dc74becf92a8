import type { Connection } from './connection.ts';
import type { Random } from '../world/random.ts';

/** More connections of one app are refused with 1000040350. */
export const CONNECTIONS_PER_APP_MAX = 50;

export interface KickOptions {
  readonly appId?: string | undefined;
  /** Close code. Without one, the TCP connection ends. */
  readonly code?: number | undefined;
}

/** All open connections. Every event goes to one random connection of the app, never to all. */
export class Connections {
  readonly #random: Random;
  readonly #byApp = new Map<string, Connection[]>();
  readonly #others = new Map<string, number>();

  constructor(random: Random) {
    this.#random = random;
  }

  add(connection: Connection): void {
    const list = this.of(connection.app.appId);
    list.push(connection);
    this.#byApp.set(connection.app.appId, list);
  }

  remove(connection: Connection): void {
    const list = this.of(connection.app.appId);
    const at = list.indexOf(connection);
    if (at >= 0) list.splice(at, 1);
  }

  of(appId: string): Connection[] {
    return this.#byApp.get(appId) ?? [];
  }

  all(): Connection[] {
    return [...this.#byApp.values()].flat();
  }

  /** As `event/v1/connection` counts them: with those of other programs. */
  count(appId: string): number {
    return this.of(appId).length + this.others(appId);
  }

  /** Another program has `count` connections of the same app, and gets its share of the events. */
  setOthers(appId: string, count: number): void {
    this.#others.set(appId, count);
  }

  others(appId: string): number {
    return this.#others.get(appId) ?? 0;
  }

  /** Who gets the next event. A connection that has not pinged yet gets it only if there is no other. */
  pick(appId: string): Connection | 'other' | undefined {
    const open = this.of(appId);
    const ready = open.filter((connection) => connection.ready);
    const candidates = ready.length > 0 ? ready : open;
    const at = Math.floor(this.#random() * (candidates.length + this.others(appId)));
    if (at < candidates.length) return candidates[at];
    return this.others(appId) > 0 ? 'other' : undefined;
  }

  /** Closes connections. Returns how many. */
  kick(options: KickOptions = {}): number {
    const chosen = options.appId === undefined ? this.all() : [...this.of(options.appId)];
    for (const connection of chosen) connection.disconnect(options.code);
    return chosen.length;
  }
}
