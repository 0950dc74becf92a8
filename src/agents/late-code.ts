import type { Log } from '../core/log.ts';
import { loadA2a } from './a2a/client.ts';
import { loadAcp } from './acp/connection.ts';
import { loadAnswers, loadShim } from './mcp/agent-tools.ts';

/** Agents that live on are given tools too, and may call the first of them days later. */
const LOADERS: Readonly<Record<string, () => Promise<unknown>>> = {
  acp: async () => {
    loadShim();
    await Promise.all([loadAcp(), loadAnswers()]);
  },
  a2a: loadA2a,
};

interface LateCodeParts {
  /** The files on the disk are still those of the program that runs. */
  readonly isInstalled: () => boolean;
  readonly log: Log;
}

/**
 * The code that only some kinds of agents need. It takes up to 30 MB, so it is loaded for the kinds that there are,
 * at the start or with the first agent of a kind, and then all of it: an upgrade replaces the files under a running
 * program, and code of two versions does not work together.
 */
export class LateCode {
  readonly #parts: LateCodeParts;
  readonly #loading = new Map<string, Promise<unknown>>();

  constructor(parts: LateCodeParts) {
    this.#parts = parts;
  }

  /** Resolves when the code for these kinds is there. */
  async load(kinds: Iterable<string>): Promise<void> {
    await Promise.all([...new Set(kinds)].map((kind) => this.#load(kind)));
  }

  /** False if an agent of this kind can't run before a restart: its code is not there, and the disk has another. */
  isThere(kind: string): boolean {
    if (LOADERS[kind] === undefined || this.#loading.has(kind)) return true;
    if (!this.#parts.isInstalled()) {
      const next = 'Restart lark-bridge: another version was installed since it was started.';
      this.#parts.log.warn('agent_needs_restart', { kind, next });
      return false;
    }
    void this.#load(kind);
    return true;
  }

  /** Whoever needs code that could not be loaded finds out why. */
  #load(kind: string): Promise<unknown> {
    const loading = this.#loading.get(kind) ?? Promise.resolve(LOADERS[kind]?.()).catch(() => {});
    this.#loading.set(kind, loading);
    return loading;
  }
}
