import type { WorkspaceId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { repeating } from '../../time/repeat.ts';
import type { Service } from '../../time/service.ts';
import type { TurnTarget } from '../ports/target.ts';
import { agentNotices } from '../texts/agents.ts';
import type { Engine } from './engine.ts';

/** How often it is looked whether somebody serves the agents that have turns. */
const CHECK_EVERY_MS = 5_000;
/** An agent that was away may come for a new turn at once. */
const GRACE_MS = 10_000;

interface Parts {
  readonly engine: Pick<Engine, 'atWork' | 'show'>;
  readonly target: TurnTarget;
  readonly clock: Clock;
  readonly log: Log;
}

/** Tells people that nobody serves the agent that has their message, once for a chat and outage. */
export class UnservedNotices implements Service {
  readonly name = 'unserved_notices';
  readonly #parts: Parts;
  readonly #rounds: Service;
  /** The outages that chats were told of, by chat and agent, as long as they last. */
  readonly #told = new Map<string, { readonly workspace: WorkspaceId; readonly sinceMs: number }>();

  constructor(parts: Parts) {
    this.#parts = parts;
    const { clock, log } = parts;
    const work = () => this.#check();
    this.#rounds = repeating({ name: this.name, everyMs: CHECK_EVERY_MS, work, clock, log });
  }

  start(): Promise<void> {
    return this.#parts.target.unserved === undefined ? Promise.resolve() : this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #check(): Promise<void> {
    const { engine, target, clock } = this.#parts;
    const nowMs = clock.nowMs();
    for (const [place, { workspace, sinceMs }] of this.#told) {
      if (target.unserved?.(workspace)?.sinceMs !== sinceMs) this.#told.delete(place);
    }
    for (const { id, chatId, target: workspace, sinceMs: hasItSinceMs } of engine.atWork()) {
      const unserved = target.unserved?.(workspace);
      // Of an address that does not answer the end of the turn says so.
      if (unserved === undefined || unserved.why === 'unreachable') continue;
      if (nowMs - hasItSinceMs < GRACE_MS) continue;
      const { agent, why, sinceMs } = unserved;
      const place = JSON.stringify([chatId, workspace]);
      if (this.#told.has(place)) continue;
      this.#told.set(place, { workspace, sinceMs });
      const forMs = why === 'never' ? undefined : nowMs - sinceMs;
      await engine.show(id, agentNotices.unserved(agent, forMs));
    }
  }
}
