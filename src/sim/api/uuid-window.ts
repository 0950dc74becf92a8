/** In this time, the same uuid sends at most one message. */
const MESSAGE_WINDOW_MS = 3_600_000;
/** With more uuids, the oldest are dropped before their time. */
const KEPT_MAX = 200_000;

interface Sent {
  readonly madeId: string;
  readonly atMs: number;
}

/** What was created with which uuid of which app. By default it is kept for an hour. */
export class UuidWindow {
  readonly #nowMs: () => number;
  readonly #windowMs: number;
  /** Oldest first, as maps keep their order. */
  readonly #sent = new Map<string, Sent>();

  constructor(nowMs: () => number, windowMs: number = MESSAGE_WINDOW_MS) {
    this.#nowMs = nowMs;
    this.#windowMs = windowMs;
  }

  find(appId: string, uuid: string): string | undefined {
    const sent = this.#sent.get(`${appId} ${uuid}`);
    return sent !== undefined && sent.atMs + this.#windowMs > this.#nowMs()
      ? sent.madeId
      : undefined;
  }

  add(appId: string, uuid: string, madeId: string): void {
    const atMs = this.#nowMs();
    const key = `${appId} ${uuid}`;
    // The key is deleted first so that it moves to the end.
    this.#sent.delete(key);
    this.#sent.set(key, { madeId, atMs });
    for (const [oldest, sent] of this.#sent) {
      if (sent.atMs + this.#windowMs > atMs && this.#sent.size <= KEPT_MAX) break;
      this.#sent.delete(oldest);
    }
  }
}
