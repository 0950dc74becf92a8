/** People who talk at a steady rate, and the count of what they were answered. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { SimChat, SimUser } from '../../src/sim/world/model.ts';
import { seeded } from '../sim/random.ts';
import type { Rig } from './rig.ts';

const SETTLE_MS_MAX = 60_000;
/** More than a chat shows between two counts. */
const SHOWN_MAX = 400;

interface CrowdOptions {
  readonly chats: number;
  readonly perSecond: number;
  readonly seed: number;
}

interface Waiting {
  readonly messageId: string;
  readonly saidAtMs: number;
}

/** For a bot whose agent says everything back. Each person has a direct chat. */
export class Crowd {
  readonly #rig: Rig;
  readonly #options: CrowdOptions;
  readonly #places: readonly { readonly user: SimUser; readonly chat: SimChat }[];
  /** By chat, in the order in which they were said. */
  readonly #waiting = new Map<string, Waiting[]>();
  readonly #repliesSeen = new Set<string>();
  readonly #random: () => number;
  #said = 0;
  #answered = 0;
  #repeated = 0;
  #outOfOrder = 0;
  #answerTimesMs: number[] = [];

  constructor(rig: Rig, options: CrowdOptions) {
    this.#rig = rig;
    this.#options = options;
    this.#random = seeded(options.seed);
    this.#places = Array.from({ length: options.chats }, (_, at) => rig.direct(`Person ${at}`));
  }

  get said(): number {
    return this.#said;
  }

  get answered(): number {
    return this.#answered;
  }

  /** Says messages for so long, by the clock and not by the answers. */
  async talk(durationMs: number): Promise<void> {
    const startedMs = Date.now();
    const saidBefore = this.#said;
    while (Date.now() < startedMs + durationMs) {
      const due = ((Date.now() - startedMs) / 1000) * this.#options.perSecond;
      while (this.#said - saidBefore < due) this.#say();
      await sleep(20);
    }
  }

  /** Looks which messages were answered since the last count. */
  count(): void {
    for (const { chat } of this.#places) this.#countIn(chat);
  }

  /** Resolves when everything was answered, or after long. */
  async settle(): Promise<void> {
    const untilMs = Date.now() + SETTLE_MS_MAX;
    this.count();
    while (this.#answered < this.#said && Date.now() < untilMs) {
      await sleep(100);
      this.count();
    }
  }

  /** From a message to its answer, of all that were counted since the last call. */
  takeAnswerTimesMs(): number[] {
    const times = this.#answerTimesMs;
    this.#answerTimesMs = [];
    return times;
  }

  complaints(): string[] {
    const lost = this.#said - this.#answered;
    return [
      ...(lost === 0 ? [] : [`lost: ${lost} of ${this.#said}`]),
      ...(this.#repeated === 0 ? [] : [`repeated: ${this.#repeated}`]),
      ...(this.#outOfOrder === 0 ? [] : [`out of order: ${this.#outOfOrder}`]),
    ];
  }

  #say(): void {
    const place = this.#places[Math.floor(this.#random() * this.#places.length)];
    if (place === undefined) return;
    this.#said += 1;
    const text = `message ${this.#said} ${'x'.repeat(Math.floor(this.#random() * 500))}`;
    const { messageId } = this.#rig.cloud.say({ chat: place.chat, from: place.user, text });
    const waiting = this.#waiting.get(place.chat.chatId) ?? [];
    waiting.push({ messageId, saidAtMs: Date.now() });
    this.#waiting.set(place.chat.chatId, waiting);
  }

  #countIn(chat: SimChat): void {
    const waiting = this.#waiting.get(chat.chatId) ?? [];
    for (const reply of this.#rig.cloud.shows(chat, { last: SHOWN_MAX })) {
      if (reply.replyTo === undefined || !reply.text.startsWith('message ')) continue;
      if (this.#repliesSeen.has(reply.messageId)) continue;
      this.#repliesSeen.add(reply.messageId);
      const place = waiting.findIndex(({ messageId }) => messageId === reply.replyTo);
      if (place < 0) {
        this.#repeated += 1;
        continue;
      }
      if (place > 0) this.#outOfOrder += 1;
      const [answered] = waiting.splice(place, 1);
      this.#answerTimesMs.push(reply.atMs - (answered?.saidAtMs ?? 0));
      this.#answered += 1;
    }
  }
}
