/** Brings what an agent says and asks to the session that it is about. */
import type { Json } from '../../core/json-object.ts';
import { DECLINED } from './elicitation.ts';

/** Agents tell of a session before they have answered with its id: of few sessions, and little. */
const EARLY_SESSIONS_MAX = 20;
const EARLY_UPDATES_MAX = 200;

export interface SessionSink {
  readonly onUpdate: (update: Json) => void;
  readonly onPermission: (request: Json, signal: AbortSignal) => Promise<Json>;
  readonly onElicitation: (request: Json, signal: AbortSignal) => Promise<Json>;
  readonly onSign: () => void;
}

export class SessionCalls {
  readonly #sinks = new Map<string, SessionSink>();
  readonly #early = new Map<string, Json[]>();

  attach(nativeId: string, sink: SessionSink): void {
    this.#sinks.set(nativeId, sink);
    const early = this.#early.get(nativeId) ?? [];
    this.#early.delete(nativeId);
    for (const update of early) sink.onUpdate(update);
  }

  detach(nativeId: string): void {
    this.#sinks.delete(nativeId);
  }

  holds(nativeId: string): boolean {
    return this.#sinks.has(nativeId);
  }

  update(nativeId: string, update: Json): void {
    const sink = this.#sinks.get(nativeId);
    if (sink !== undefined) {
      sink.onUpdate(update);
      return;
    }
    const early = this.#early.get(nativeId) ?? [];
    if (early.length >= EARLY_UPDATES_MAX) return;
    if (early.length === 0 && this.#early.size >= EARLY_SESSIONS_MAX) return;
    this.#early.set(nativeId, [...early, update]);
  }

  permission({ sessionId, ...request }: Json, signal: AbortSignal): Promise<Json> {
    const cancelled = { outcome: { outcome: 'cancelled' } };
    const sink = this.#sinks.get(String(sessionId));
    return sink?.onPermission(request, signal) ?? Promise.resolve(cancelled);
  }

  elicitation({ sessionId, ...request }: Json, signal: AbortSignal): Promise<Json> {
    const sink = this.#sinks.get(String(sessionId));
    return sink?.onElicitation(request, signal) ?? Promise.resolve(DECLINED);
  }

  /** A line about no session is a sign of all of them. */
  sign(nativeId: string | undefined): void {
    const about = nativeId === undefined ? undefined : this.#sinks.get(nativeId);
    if (about !== undefined) about.onSign();
    else if (nativeId === undefined) for (const sink of this.#sinks.values()) sink.onSign();
  }
}
