/** Calls that an app may lack the permission for, and can do without. */
import { LRUCache } from 'lru-cache';
import type { Log } from '../../core/log.ts';
import { reasonFor, type Refusal, type Tried } from '../codes.ts';
import type { CallPriority } from '../../bridge/ports/delivery.ts';
import type { Caller, CallResult } from './calls.ts';

/** A permission that is missing is seldom granted within minutes. */
const DENIED_MS = 60 * 60_000;
const READ: Tried = { kind: 'read', inThread: false, card: false };

/** The permission that each call needs, and what is missing without it. */
const SOURCES = {
  chat_get: {
    scope: 'im:chat:readonly',
    effect: 'agents get the ids of groups where they could get names',
  },
  chat_members: {
    scope: 'im:chat.members:read',
    effect: 'agents get ids where they could get names, and answers call nobody in groups by name',
  },
  contact_basic: {
    scope: 'contact:user.basic_profile:readonly',
    effect: 'agents get ids where they could get names',
  },
} as const;

type Source = keyof typeof SOURCES;
type Send<T> = Parameters<typeof Caller.prototype.call<T>>[2];

export class PermittedCalls {
  readonly #caller: Caller;
  readonly #log: Log;
  readonly #denied = new LRUCache<Source, true>({
    max: Object.keys(SOURCES).length,
    ttl: DENIED_MS,
  });
  readonly #told = new Set<Source>();

  constructor({ caller, log }: { readonly caller: Caller; readonly log: Log }) {
    this.#caller = caller;
    this.#log = log;
  }

  /** Undefined if the app may not make this call. */
  async read<T>(
    source: Source,
    priority: CallPriority,
    send: Send<T>,
  ): Promise<CallResult<T> | undefined> {
    if (this.#denied.has(source)) return undefined;
    const result = await this.#caller.call({ api: source, priority }, READ, send);
    if (result.ok) return result;
    const isDenied = reasonFor(result.code) === 'permission_missing';
    this.#note(source, result, isDenied);
    return isDenied ? undefined : result;
  }

  #note(source: Source, { action, code, detail }: Refusal, isDenied: boolean): void {
    if (isDenied) this.#denied.set(source, true);
    if (!isDenied || this.#told.has(source)) {
      this.#log.debug('names_not_read', { source, action, code, detail });
      return;
    }
    this.#told.add(source);
    const { scope, effect } = SOURCES[source];
    const next = `Grant ${scope} in Lark's developer console and publish a version of the app.`;
    this.#log.info('names_not_shown', { source, detail, effect, next });
  }
}
