import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';
import { repeating } from '../time/repeat.ts';
import type { Service } from '../time/service.ts';

const LOOK_EVERY_MS = 10_000;

interface UpgradeWatchParts {
  /** The version of this process. */
  readonly version: string;
  /** The version on the disk. Undefined if there is none. */
  readonly installed: () => string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

/** Looks now and then whether another version was installed than the one that runs. */
export class UpgradeWatch implements Service {
  readonly name = 'upgrade_watch';
  readonly #parts: UpgradeWatchParts;
  readonly #rounds: Service;
  #other: string | undefined;

  constructor(parts: UpgradeWatchParts) {
    this.#parts = parts;
    const { clock, log } = parts;
    const work = () => this.#look();
    this.#rounds = repeating({ name: this.name, everyMs: LOOK_EVERY_MS, work, clock, log });
  }

  start(): Promise<void> {
    return this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  /** What there is to do, in words for people. */
  note(): string | undefined {
    const installed = this.#other;
    if (installed === undefined) return undefined;
    return `lark-bridge ${installed} is installed, but this process still runs ${this.#parts.version}. Restart it to run ${installed}: \`lark-bridge service restart\`, or stop and start \`lark-bridge run\`.`;
  }

  #look(): void {
    const { version, installed, log } = this.#parts;
    const found = installed();
    // In the middle of an upgrade there is none.
    if (found === undefined || found === (this.#other ?? version)) return;
    this.#other = found === version ? undefined : found;
    log.info('version_installed', { installed: found, running: version });
  }
}
