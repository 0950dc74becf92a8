/** A bridge with the real journal on a virtual clock, at a target that can't say which turn an answer belongs to. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import { chatId, messageId, workspaceId, type ChatId } from '../../../src/core/ids.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { FaultyLark } from '../../sim/faulty-lark.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';
import { recordingLog } from '../../kit/log.ts';
import { message } from './samples.ts';
import { createBridge } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';
import type {
  UnmatchedAnswer,
  SendResult,
  TurnRequest,
  TurnTarget,
  WaitResult,
} from '../../../src/bridge/ports/target.ts';
import { temporaryFolder } from '../../kit/folder.ts';

export const TIMEOUT_MS = 60_000;
export const AGENT = workspaceId('agent');

export class BlindBridge {
  readonly clock = new VirtualClock(Date.UTC(2026, 0, 5));
  readonly lark = new FaultyLark(this.clock, () => 0.5);
  readonly log = recordingLog();
  /** What the target was asked, in order. */
  readonly asked: string[] = [];
  readonly requests: TurnRequest[] = [];
  /** What it says to that. */
  says: SendResult | Promise<SendResult> = { kind: 'accepted_uncorrelated' };
  /** What it says to a look at a ticket; undefined: nothing, until it is cut off. */
  holds: WaitResult | Promise<WaitResult> | undefined;
  /** How often a ticket was looked at. */
  looks = 0;
  defaultChatId: ChatId | undefined;
  correlates = false;
  journal: SqliteJournal;
  bridge: Bridge;
  readonly #db: Db;
  readonly #isWriting: () => boolean;
  #answers = 0;

  private constructor(db: Db) {
    this.#db = db;
    this.#isWriting = writesUnderWay(db);
    this.journal = new SqliteJournal({ db, app: message.appId, clock: this.clock });
    this.bridge = this.#create();
  }

  static async start(options: Partial<Pick<BlindBridge, 'defaultChatId' | 'correlates'>> = {}) {
    const folder = temporaryFolder();
    const db = Db.open(join(folder, 'bridge.db'), recordingLog());
    const made = new BlindBridge(db);
    Object.assign(made, options);
    made.bridge = made.#create();
    onTestFinished(async () => {
      await made.stop();
      db.close();
    });
    await made.bridge.start();
    return made;
  }

  async stop(): Promise<void> {
    const stopped = this.bridge.stop();
    await this.run(1_000);
    await stopped;
  }

  async restart(): Promise<void> {
    await this.stop();
    this.bridge = this.#create();
    await this.bridge.start();
    await this.run(1_000);
  }

  async run(durationMs: number): Promise<void> {
    const untilMs = this.clock.nowMs() + durationMs;
    do await settle(this.#isWriting);
    while (this.clock.step(untilMs));
    await settle(this.#isWriting);
  }

  async say(
    id: string,
    chat: string,
    { text = id, threadId }: { text?: string; threadId?: string } = {},
  ): Promise<void> {
    await this.bridge.intake.admit({
      kind: 'message',
      message: {
        ...message,
        messageId: messageId(id),
        chatId: chatId(chat),
        threadId,
        sentAtMs: this.clock.nowMs(),
        parts: [{ kind: 'text', text }],
      },
    });
    await this.run(500);
  }

  async answer(text: string, more: Partial<UnmatchedAnswer> = {}): Promise<void> {
    this.#answers += 1;
    await this.bridge.receive({ id: `answer_${this.#answers}`, from: AGENT, text, ...more });
    await this.run(2_000);
  }

  shownIn(chat: string): string[] {
    return this.lark.shown.filter((one) => one.chatId === chat).map(({ text }) => text);
  }

  /** Of the latest request with this text. */
  tokenOf(text: string): string {
    return this.requests.findLast((request) => request.text === text)?.reply?.token ?? 'none';
  }

  async keptAside(): Promise<string[]> {
    return (await this.journal.quarantined(10)).map(({ text }) => text).toReversed();
  }

  logged(event: string) {
    return this.log.lines.filter((line) => line.event === event);
  }

  #create(): Bridge {
    const target: TurnTarget = {
      correlates: this.correlates,
      deduplicates: false,
      currentTarget: () => Promise.resolve(AGENT),
      send: (request, signal) => {
        this.asked.push(request.text);
        this.requests.push(request);
        return Promise.race([this.says, cut(signal, { kind: 'unknown', detail: 'cut' } as const)]);
      },
      wait: (_target, _ticket, signal) => {
        this.looks += 1;
        const pending = cut(signal, { kind: 'pending' } as const);
        return this.holds === undefined ? pending : Promise.race([this.holds, pending]);
      },
    };
    return createBridge({
      db: this.#db,
      clock: this.clock,
      journal: this.journal,
      target,
      lark: this.lark,
      log: this.log,
      turnTimeoutMs: TIMEOUT_MS,
      defaultChatId: this.defaultChatId,
    });
  }
}

/** Comes to this when it is cut off, and not before. */
function cut<T>(signal: AbortSignal, result: T): Promise<T> {
  return new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(result));
  });
}
