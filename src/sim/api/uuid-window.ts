/** The same uuid sends at most one message in this time. */
const WINDOW_MS = 3_600_000;
/** Past this many, the oldest are forgotten early. */
const KEPT_MAX = 200_000;

interface Sent {
  readonly messageId: string;
  readonly atMs: number;
}

/** What was sent under which uuid, for an hour; keys are an app and its uuid. */
export class UuidWindow {
  readonly #nowMs: () => number;
  /** Oldest first, as maps keep their order. */
  readonly #sent = new Map<string, Sent>();

  constructor(nowMs: () => number) {
    this.#nowMs = nowMs;
  }

  find(appId: string, uuid: string): string | undefined {
    const sent = this.#sent.get(`${appId} ${uuid}`);
    return sent !== undefined && sent.atMs + WINDOW_MS > this.#nowMs() ? sent.messageId : undefined;
  }

  add(appId: string, uuid: string, messageId: string): void {
    const atMs = this.#nowMs();
    const key = `${appId} ${uuid}`;
    // Deleting first moves the key to the end.
    this.#sent.delete(key);
    this.#sent.set(key, { messageId, atMs });
    for (const [oldest, sent] of this.#sent) {
      if (sent.atMs + WINDOW_MS > atMs && this.#sent.size <= KEPT_MAX) break;
      this.#sent.delete(oldest);
    }
  }
}
