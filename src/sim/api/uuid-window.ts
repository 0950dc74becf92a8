/** The same uuid sends at most one message in this time. */
const MESSAGE_WINDOW_MS = 3_600_000;
/** Past this many, the oldest are forgotten early. */
const KEPT_MAX = 200_000;

interface Sent {
  readonly madeId: string;
  readonly atMs: number;
}

/** What was made under which uuid, for an hour unless told; keys are an app and its uuid. */
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
    // Deleting first moves the key to the end.
    this.#sent.delete(key);
    this.#sent.set(key, { madeId, atMs });
    for (const [oldest, sent] of this.#sent) {
      if (sent.atMs + this.#windowMs > atMs && this.#sent.size <= KEPT_MAX) break;
      this.#sent.delete(oldest);
    }
  }
}
