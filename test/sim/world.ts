/**
 * One life of the bridge under faults: the real bridge and the real SQLite on a virtual clock, against a
 * Lark and a hub that fail, with crashes before and after any commit and during the start, on a machine
 * whose clock somebody sets. Storm first, then calm.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bridge } from '../../src/bridge/bridge.ts';
import type { OpenId } from '../../src/core/ids.ts';
import type { InboundEvent } from '../../src/core/message.ts';
import type { Turn, TurnPhase } from '../../src/core/turn.ts';
import { SqliteAccess } from '../../src/store/sqlite/bridge/access.ts';
import { SqliteJournal } from '../../src/store/sqlite/bridge/journal.ts';
import { SqliteLanguages } from '../../src/store/sqlite/bridge/languages.ts';
import { SqliteQuestions } from '../../src/store/sqlite/bridge/questions.ts';
import { SqliteOrders } from '../../src/store/sqlite/bridge/orders.ts';
import { ChoiceValues } from '../../src/wire/choice-value.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { type Fate, fateOf, type Mutations } from './fates.ts';
import { FaultyHub } from './faulty-hub.ts';
import { FaultyLark } from './faulty-lark.ts';
import { textOf } from './findings.ts';
import { ALICE, APP, People } from './people.ts';
import { seeded } from './random.ts';
import { settle, VirtualClock } from '../kit/clock.ts';
import { MachineClock, ProcessClock } from './process-clock.ts';
import type { Journal } from '../../src/bridge/ports/journal.ts';
import type { Question } from '../../src/bridge/ports/questions.ts';
import type { Log } from '../../src/core/log.ts';

const START_MS = Date.UTC(2026, 0, 5, 9);
const MINUTE_MS = 60_000;
/** In memory where there is such a folder: the disk's speed is not what is tested. */
const FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const INBOX_LOOK_MS = 5_000;
/** A question can lead to a run that leads to a question. */
const ASKED_AGAIN_MAX = 8;
const UNDER_WAY: ReadonlySet<TurnPhase> = new Set(['waiting', 'sending', 'accepted', 'overdue']);

const silent: Log = { debug() {}, info() {}, warn() {}, error: fail };

function fail(event: string, fields?: Readonly<Record<string, unknown>>): void {
  const isBug = event.endsWith('_bug') || fields?.['stack'] !== undefined;
  if (isBug) throw new Error(`${event}: ${JSON.stringify(fields)}`);
}

interface Process {
  readonly clock: ProcessClock;
  readonly bridge: Bridge;
  ready: boolean;
}

export class BridgeWorld {
  readonly clock = new VirtualClock(START_MS);
  readonly lark: FaultyLark;
  readonly hub: FaultyHub;
  readonly people: People;
  /** Messages that wait for a word nobody was asked for. */
  readonly silent: string[] = [];
  readonly #random: () => number;
  readonly #fate: Fate;
  readonly #machine = new MachineClock();
  readonly #folder = mkdtempSync(join(FOLDER, 'bridge-model-'));
  readonly #db: Db;
  readonly #mutations: Mutations;
  #process: Process | undefined;
  #crashChance = 0;
  #writes = 0;
  crashes = 0;

  constructor(seed: number, mutations: Mutations = {}, fate: Partial<Fate> = {}) {
    const { clock } = this;
    const random = seeded(seed);
    this.#random = random;
    this.#mutations = mutations;
    this.#fate = { ...fateOf(seed, random), ...fate };
    const { deduplicates } = this.#fate;
    this.lark = new FaultyLark(clock, seeded(seed + 1));
    this.hub = new FaultyHub({
      clock,
      random: seeded(seed + 2),
      deduplicates,
      isBlind: this.#fate.isBlind,
      slow: this.#fate.slow,
      asks: this.#fate.asks,
    });
    this.people = new People({
      clock,
      random,
      lark: this.lark,
      deliver: (event) => this.#deliver(event),
      crashes: () => this.crashes,
      recalls: this.#fate.recalls,
      isPairing: this.#fate.pairing,
      decide: (action, person) => this.#decide(action, person),
      recallsLost: mutations.recallsLost === true,
    });
    this.#db = Db.open(join(this.#folder, 'bridge.db'), silent);
    this.#countWrites();
  }

  /** All of the journal, in the order of admission. */
  async turns(): Promise<Turn[]> {
    const journal = new SqliteJournal({ db: this.#db, app: APP, clock: this.clock });
    return (await journal.turns({ limit: 10_000 })).toReversed();
  }

  questionsOf(turn: Turn): readonly Question[] {
    return new SqliteQuestions({ db: this.#db, app: APP }).ofTurn(turn.id);
  }

  close(): void {
    this.#kill();
    this.#db.close();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  /** `count` messages are said in a few chats while everything fails; then it calms down. */
  async live(count: number): Promise<void> {
    this.lark.trouble = 0.15;
    this.hub.trouble = 0.15;
    this.#crashChance = 0.03;
    await this.#boot();
    const decidedAt = Math.floor(this.#random() * count);
    for (let index = 0; index < count; index += 1) {
      void this.people.say(index);
      if (this.#random() < 0.3) void this.people.look();
      if (this.#fate.jumps && this.#random() < 0.15) this.#setClock();
      await this.#run(this.#random() * 4_000);
      if (this.#fate.pairing && index === decidedAt) void this.people.decide(index % 2 === 0);
      if (this.#fate.outage && index === Math.floor(count / 2)) await this.#outage();
    }
    await this.#run(MINUTE_MS);
    this.lark.trouble = 0;
    this.hub.trouble = 0;
    this.#crashChance = 0;
    await this.#run(4 * MINUTE_MS);
    await this.#finish();
    for (let round = 0; round < ASKED_AGAIN_MAX; round += 1) await this.#answerQuestions();
  }

  /** Up to two hours, forward or back. */
  #setClock(): void {
    this.#machine.skewMs += Math.round((this.#random() - 0.5) * 240 * MINUTE_MS);
  }

  async #outage(): Promise<void> {
    const crashChance = this.#crashChance;
    this.lark.away = true;
    this.#crashChance = 0.002;
    await this.#run((62 + this.#random() * 10) * MINUTE_MS);
    this.lark.away = false;
    this.#crashChance = crashChance;
  }

  async #answerQuestions(): Promise<void> {
    const held = (await this.turns()).filter(({ state }) => state.phase === 'held');
    if (held.length === 0) return;
    const pressed = new Set<string>();
    for (const turn of held) {
      const by = turn.message.senderOpenId;
      const cards = this.people.questionsAbout(turn);
      if (cards.length === 0) this.silent.push(textOf(turn.message));
      for (const card of cards) {
        const press = `${card.id} ${by}`;
        if (!pressed.has(press)) void this.people.press(card, 0, by);
        pressed.add(press);
      }
    }
    // Some agents take nearly a minute.
    await this.#run(2 * MINUTE_MS);
    await this.#finish();
  }

  /**
   * A chat goes through its messages one after another, and a hub without tickets through those of all chats:
   * that takes as long as it takes, but in calm weather some of them end every two minutes.
   */
  async #finish(): Promise<void> {
    let before = Infinity;
    for (;;) {
      const { length } = (await this.turns()).filter(({ state }) => UNDER_WAY.has(state.phase));
      if (length === 0 || length >= before) return;
      before = length;
      // Where agents ask, a turn may take longer, and nobody answers any more.
      await this.#run((this.#fate.asks ? 4 : 2) * MINUTE_MS);
    }
  }

  /** What the operator says to a process that dies meanwhile is said again. */
  async #decide(action: 'allow' | 'block', person: OpenId): Promise<boolean> {
    if (this.#mutations.decisionsLost === true) return true;
    const process = this.#process;
    if (process?.ready !== true) return false;
    const done = process.bridge.access[action](person, { by: 'operator' }).then(() => true);
    return Promise.race([done, this.clock.sleep(3_000).then(() => false)]);
  }

  /** One delivery; true if it was acked within Lark's three seconds. */
  async #deliver(event: InboundEvent): Promise<boolean> {
    const process = this.#process;
    if (process?.ready !== true || this.lark.away) return false;
    const ack = process.bridge.intake.admit(event).then(
      () => true,
      () => false,
    );
    if (this.#mutations.ackFirst === true) return true;
    return Promise.race([ack, this.clock.sleep(3_000).then(() => false)]);
  }

  async #boot(): Promise<void> {
    const clock = new ProcessClock(this.clock, this.#machine);
    const { journal, lark, target } = this.#mutations;
    const real = new SqliteJournal({ db: this.#db, app: APP, clock });
    const bridge = new Bridge({
      journal: this.#crashing(journal?.(real) ?? real, clock),
      orders: new SqliteOrders({ db: this.#db, app: APP, clock }),
      appId: APP,
      access: new SqliteAccess({ db: this.#db, app: APP, clock }),
      accessMode: this.#fate.pairing && !this.#mutations.letsAllIn ? 'pairing' : 'open',
      lark: this.#cut(lark?.(this.lark) ?? this.lark, clock),
      target: this.#cut(target?.(this.hub) ?? this.hub, clock),
      choices: new ChoiceValues(new Uint8Array(32).fill(7)),
      clock,
      random: this.#random,
      log: silent,
      brand: 'feishu',
      language: 'en',
      languageChoices: new SqliteLanguages({ db: this.#db, app: APP }),
      turnsRunningMax: 3,
      turnTimeoutMs: MINUTE_MS,
      questions: new SqliteQuestions({ db: this.#db, app: APP }),
      questionTimeoutMs: MINUTE_MS,
      owner: () => (this.#fate.pairing ? ALICE : undefined),
    });
    const process = { clock, bridge, ready: false };
    this.#process = process;
    void bridge.start().then(() => {
      process.ready = true;
      if (this.#fate.isBlind) void this.#readInbox(process);
    });
    await this.#settle();
  }

  /** A row is taken out of the inbox once it is kept, and handed over again if the process dies before. */
  async #readInbox({ clock, bridge }: Process): Promise<void> {
    while (!clock.dead) {
      for (const answer of this.hub.inbox()) {
        await bridge.receive(answer);
        if (!clock.dead) this.hub.takeOut(answer.id);
      }
      await new Promise<void>((resolve) => {
        clock.after(INBOX_LOOK_MS, resolve);
      });
    }
  }

  #kill(): void {
    if (this.#process !== undefined) this.#process.clock.dead = true;
    this.hub.processDied();
    this.#process = undefined;
  }

  #crash(): void {
    this.#kill();
    this.crashes += 1;
    this.clock.after(500 + this.#random() * 5_000, () => void this.#boot());
  }

  /**
   * A journal in front of which the process may die: before a commit or right after it, and while it
   * starts at any read.
   */
  #crashing(journal: Journal, clock: ProcessClock): Journal {
    const writes = new Set(['admit', 'changeTurn', 'enqueue', 'changeOut']);
    return new Proxy(journal, {
      get: (target, name: keyof Journal) => {
        const method = target[name].bind(target) as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          if (clock.dead) return never();
          const starting = this.#process?.ready === false;
          if (!writes.has(name) && !starting) return method(...args);
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
        // It returns no promise, and a dead process is told nothing.
        if (name === 'watch') return value.bind(target) as unknown;
        return async (...args: unknown[]) => {
          if (clock.dead) return never();
          const done: unknown = await Reflect.apply(value, target, args);
          return clock.dead ? never() : done;
        };
      },
    });
  }

  /** The disk is real, and time must not pass while it works. */
  #countWrites(): void {
    const write = this.#db.write.bind(this.#db);
    this.#db.write = (work) => {
      this.#writes += 1;
      return write(work).finally(() => {
        this.#writes -= 1;
      });
    };
  }

  #settle(): Promise<void> {
    return settle(() => this.#writes > 0);
  }

  async #run(durationMs: number): Promise<void> {
    const untilMs = this.clock.nowMs() + durationMs;
    do {
      await this.#settle();
    } while (this.clock.step(untilMs));
    await this.#settle();
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}
