/**
 * One life of the bridge under faults: the real bridge and the real SQLite on a virtual clock, against a
 * Lark and a hub that fail, with crashes before and after any commit. Storm first, then calm.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bridge } from '../../src/bridge/bridge.ts';
import { appId, chatId, messageId, openId } from '../../src/core/ids.ts';
import type { Journal } from '../../src/core/journal.ts';
import type { InboundMessage } from '../../src/core/message.ts';
import type { LarkGateway, Log, TurnTarget } from '../../src/core/ports.ts';
import { SqliteJournal } from '../../src/store/bridge/journal.ts';
import { SqliteOrders } from '../../src/store/bridge/orders.ts';
import { Db } from '../../src/store/db.ts';
import { FaultyHub } from './faulty-hub.ts';
import { FaultyLark } from './faulty-lark.ts';
import { seeded } from './random.ts';
import { ProcessClock, settle, VirtualClock } from './virtual-clock.ts';

const APP = appId('cli_0123456789abcdef');
const START_MS = Date.UTC(2026, 0, 5, 9);

const silent: Log = { debug() {}, info() {}, warn() {}, error: fail };

function fail(event: string, fields?: Readonly<Record<string, unknown>>): void {
  if (event.endsWith('_bug')) throw new Error(`${event}: ${JSON.stringify(fields)}`);
}

/** Ways to break a rule on purpose, to see that the checks notice. */
export interface Mutations {
  readonly lark?: (lark: LarkGateway) => LarkGateway;
  readonly journal?: (journal: Journal) => Journal;
  readonly target?: (target: TurnTarget) => TurnTarget;
  /** Acks a message before it is stored. */
  readonly ackFirst?: boolean;
}

export class BridgeWorld {
  readonly clock = new VirtualClock(START_MS);
  readonly lark: FaultyLark;
  readonly hub: FaultyHub;
  readonly said: InboundMessage[] = [];
  readonly #random: () => number;
  readonly #folder = mkdtempSync(join(tmpdir(), 'bridge-model-'));
  readonly #db: Db;
  readonly #mutations: Mutations;
  #process: { readonly clock: ProcessClock; readonly bridge: Bridge; ready: boolean } | undefined;
  #crashChance = 0;
  crashes = 0;

  constructor(seed: number, mutations: Mutations = {}) {
    this.#random = seeded(seed);
    this.#mutations = mutations;
    this.lark = new FaultyLark(this.clock, seeded(seed + 1));
    this.hub = new FaultyHub(this.clock, seeded(seed + 2));
    this.#db = Db.open(join(this.#folder, 'bridge.db'), silent);
  }

  /** Message ids in the order in which they were admitted. */
  async admitted(): Promise<string[]> {
    const journal = new SqliteJournal({ db: this.#db, app: APP, clock: this.clock });
    const turns = await journal.turns({ limit: 10_000 });
    return turns.map((turn) => turn.message.messageId as string).toReversed();
  }

  close(): void {
    this.#kill();
    this.#db.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** Says `count` messages in a few chats while everything fails, then lets it calm down. */
  async live(count: number): Promise<void> {
    this.lark.trouble = 0.15;
    this.hub.trouble = 0.15;
    this.#crashChance = 0.03;
    await this.#boot();
    for (let index = 0; index < count; index += 1) {
      void this.#say(index);
      await this.#run(this.#random() * 4_000);
    }
    await this.#run(60_000);
    this.lark.trouble = 0;
    this.hub.trouble = 0;
    this.#crashChance = 0;
    await this.#run(4 * 60_000);
  }

  async #say(index: number): Promise<void> {
    const text = this.#random() < 0.1 ? `fail ${index}` : `question ${index}`;
    const message = inbound(index, 1 + Math.floor(this.#random() * 3), text, this.clock.nowMs());
    this.said.push(message);
    // Lark delivers until it is acked, and sometimes once more.
    let acked = false;
    for (let attempt = 0; attempt < 50 && !acked; attempt += 1) {
      acked = await this.#deliver(message);
      if (!acked) await this.clock.sleep(2_000);
    }
    if (this.#random() < 0.2) await this.#deliver(message);
  }

  /** One delivery; true if it was acked within Lark's three seconds. */
  async #deliver(message: InboundMessage): Promise<boolean> {
    const process = this.#process;
    if (process?.ready !== true) return false;
    const ack = process.bridge.intake.admit({ kind: 'message', message }).then(
      () => true,
      () => false,
    );
    if (this.#mutations.ackFirst === true) return true;
    return Promise.race([ack, this.clock.sleep(3_000).then(() => false)]);
  }

  async #boot(): Promise<void> {
    const clock = new ProcessClock(this.clock);
    const { journal, lark, target } = this.#mutations;
    const real = new SqliteJournal({ db: this.#db, app: APP, clock });
    const bridge = new Bridge({
      journal: this.#crashing(journal?.(real) ?? real, clock),
      orders: new SqliteOrders({ db: this.#db, app: APP, clock }),
      lark: this.#cut(lark?.(this.lark) ?? this.lark, clock),
      target: this.#cut(target?.(this.hub) ?? this.hub, clock),
      clock,
      random: this.#random,
      log: silent,
      brand: 'feishu',
      turnsRunningMax: 3,
      turnTimeoutMs: 60_000,
    });
    const process = { clock, bridge, ready: false };
    this.#process = process;
    void bridge.start().then(() => {
      process.ready = true;
    });
    await settle();
  }

  #kill(): void {
    if (this.#process !== undefined) this.#process.clock.dead = true;
    this.#process = undefined;
  }

  #crash(): void {
    this.#kill();
    this.crashes += 1;
    this.clock.after(500 + this.#random() * 5_000, () => void this.#boot());
  }

  /** A journal in front of which the process may die, before a commit or right after it. */
  #crashing(journal: Journal, clock: ProcessClock): Journal {
    const writes = new Set(['admit', 'changeTurn', 'enqueue', 'changeOut']);
    return new Proxy(journal, {
      get: (target, name: keyof Journal) => {
        const method = target[name].bind(target) as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          if (clock.dead) return never();
          if (!writes.has(name)) return method(...args);
          const roll = this.#random();
          if (roll < this.#crashChance / 2) {
            this.#crash();
            return never();
          }
          const done = await method(...args);
          if (roll < this.#crashChance && !clock.dead) this.#crash();
          return clock.dead ? never() : done;
        };
      },
    });
  }

  /** What a dead process asked for may still happen; it never hears of it. */
  #cut<T extends object>(part: T, clock: ProcessClock): T {
    return new Proxy(part, {
      get: (target, name) => {
        const value: unknown = Reflect.get(target, name, target);
        if (typeof value !== 'function') return value;
        return async (...args: unknown[]) => {
          if (clock.dead) return never();
          const done: unknown = await Reflect.apply(value, target, args);
          return clock.dead ? never() : done;
        };
      },
    });
  }

  async #run(durationMs: number): Promise<void> {
    const untilMs = this.clock.nowMs() + durationMs;
    do {
      await settle();
    } while (this.clock.step(untilMs));
    await settle();
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}

function inbound(index: number, chat: number, text: string, sentAtMs: number): InboundMessage {
  return {
    appId: APP,
    messageId: messageId(`om_in_${index}`),
    eventId: `event_${index}`,
    chatId: chatId(`oc_${chat}`),
    chatType: 'p2p',
    senderOpenId: openId('ou_alice'),
    rootId: undefined,
    parentId: undefined,
    threadId: undefined,
    sentAtMs,
    parts: [{ kind: 'text', text }],
  };
}

export interface Findings {
  readonly lost: string[];
  readonly repeated: string[];
  readonly misplaced: string[];
  readonly outOfOrder: string[];
  readonly ranTwice: string[];
  readonly leftOver: string[];
}

/** What the people in the chats would complain about. */
export async function findings(world: BridgeWorld): Promise<Findings> {
  const found: Findings = {
    lost: [],
    repeated: [],
    misplaced: [],
    outOfOrder: [],
    ranTwice: [],
    leftOver: [...world.lark.reactions.values()],
  };
  const asked = new Map(world.said.map((message) => [message.messageId, message]));
  for (const message of world.said) {
    const text = textOf(message);
    const wanted = text.startsWith('fail') ? 'could not answer' : `answer to ${text}`;
    const answers = world.lark.shown.filter(
      (shown) => shown.replyTo === message.messageId && shown.text.includes(wanted),
    );
    if (answers.length === 0) found.lost.push(text);
    if (answers.length > 1) found.repeated.push(text);
    if ((world.hub.runs.get(text) ?? 0) > 1) found.ranTwice.push(text);
  }
  for (const shown of world.lark.shown) {
    const message = shown.replyTo === undefined ? undefined : asked.get(shown.replyTo);
    const about = /^answer to (.*)$/.exec(shown.text)?.[1];
    if (message?.chatId !== shown.chatId) found.misplaced.push(shown.text);
    else if (about !== undefined && about !== textOf(message)) found.misplaced.push(shown.text);
  }
  found.outOfOrder.push(...disorder(world, await world.admitted()));
  return found;
}

/** Answers that came before the answer to an earlier message of the same chat. */
function disorder(world: BridgeWorld, admitted: readonly string[]): string[] {
  const { shown } = world.lark;
  const overdue = new Set(
    shown.filter(({ text }) => text.includes('unusually long')).map(({ replyTo }) => replyTo),
  );
  const latest = new Map<string, number>();
  const wrong: string[] = [];
  for (const { replyTo, chatId: chat, text } of shown) {
    if (replyTo === undefined || overdue.has(replyTo) || !isAnswer(text)) continue;
    const place = admitted.indexOf(replyTo);
    if (place < (latest.get(chat) ?? -1)) wrong.push(text);
    latest.set(chat, place);
  }
  return wrong;
}

const isAnswer = (text: string) =>
  text.startsWith('answer to') || text.includes('could not answer');

function textOf(message: InboundMessage): string {
  return message.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}
