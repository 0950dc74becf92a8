/** Warns when other processes use the same app. */
import { BridgeError, errorText } from '../../core/errors.ts';
import type { Service } from '../../time/service.ts';
import { repeating } from '../../time/repeat.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';

/** After a restart Lark's count of connections may be minutes old. */
const FIRST_COUNT_AFTER_MS = 5 * 60_000;
const COUNT_EVERY_MS = 24 * 60 * 60_000;

interface OtherConnectionsOptions {
  /** Long connections of the app that Lark counts, ours included. */
  readonly onlineInstances: () => Promise<number>;
  readonly clock: Clock;
  readonly log: Log;
}

/**
 * Counts the connections of the app on all machines. Lark gives each event to one connection by chance, so
 * another process takes messages away from this one. Only a warning, because Lark's count can be old.
 */
export class OtherConnections implements Service {
  readonly name = 'other_connections';
  readonly #options: OtherConnectionsOptions;
  readonly #rounds: Service;

  constructor(options: OtherConnectionsOptions) {
    this.#options = options;
    const { clock, log } = options;
    this.#rounds = repeating({
      name: this.name,
      firstMs: FIRST_COUNT_AFTER_MS,
      everyMs: COUNT_EVERY_MS,
      work: () => this.#count(),
      clock,
      log,
    });
  }

  start(): Promise<void> {
    return this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #count(): Promise<void> {
    const { onlineInstances, log } = this.#options;
    try {
      const count = await onlineInstances();
      if (count <= 1) return;
      log.warn('other_connection_found', {
        connections: count,
        effect: 'each connection of the app gets a part of the messages',
        next: 'Stop the other process that uses this app, or give it an app of its own.',
      });
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      log.debug('connections_not_counted', { error: errorText(error) });
    }
  }
}
