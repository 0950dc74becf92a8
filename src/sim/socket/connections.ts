import type { Connection } from './connection.ts';
import type { Random } from '../world/random.ts';

/** More than these per app are refused with 1000040350. */
export const CONNECTIONS_PER_APP_MAX = 50;

export interface KickOptions {
  readonly appId?: string | undefined;
  /** Close code; without one the TCP connection just ends. */
  readonly code?: number | undefined;
}

/** All open connections. Every event goes to one of an app's, chosen by chance, never to all. */
export class Connections {
  readonly #random: Random;
  readonly #byApp = new Map<string, Connection[]>();
  readonly #strangers = new Map<string, number>();

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

  /** As `event/v1/connection` counts them: strangers are online too. */
  count(appId: string): number {
    return this.of(appId).length + this.strangers(appId);
  }

  /** So many connections of somebody else with the same app: they take their share of the events. */
  setStrangers(appId: string, count: number): void {
    this.#strangers.set(appId, count);
  }

  strangers(appId: string): number {
    return this.#strangers.get(appId) ?? 0;
  }

  /** Who gets the next event; a connection that has not pinged yet only if there is no other. */
  pick(appId: string): Connection | 'stranger' | undefined {
    const open = this.of(appId);
    const ready = open.filter((connection) => connection.ready);
    const candidates = ready.length > 0 ? ready : open;
    const at = Math.floor(this.#random() * (candidates.length + this.strangers(appId)));
    if (at < candidates.length) return candidates[at];
    return this.strangers(appId) > 0 ? 'stranger' : undefined;
  }

  /** Returns how many were cut. */
  kick(options: KickOptions = {}): number {
    const chosen = options.appId === undefined ? this.all() : [...this.of(options.appId)];
    for (const connection of chosen) connection.hangUp(options.code);
    return chosen.length;
  }
}
