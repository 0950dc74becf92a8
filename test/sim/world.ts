/**
 * One life of the bridge under faults: the real bridge and the real SQLite on a virtual clock, against a
 * Lark and a hub that fail, with crashes before and after any commit and during the start, on a machine
 * whose clock somebody sets. Storm first, then calm.
 */
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Bridge } from '../../src/bridge/bridge.ts';
import { messageId, type OpenId, type TurnId } from '../../src/core/ids.ts';
import type { InboundEvent } from '../../src/core/message.ts';
import { personOf, type Turn, type TurnPhase } from '../../src/core/turn.ts';
import { SqliteAccess } from '../../src/store/sqlite/bridge/access.ts';
import { SqliteJournal } from '../../src/store/sqlite/bridge/journal.ts';
import { SqliteLiveCards } from '../../src/store/sqlite/bridge/live-cards.ts';
import { SqliteLanguages } from '../../src/store/sqlite/bridge/languages.ts';
import { SqliteQuestions } from '../../src/store/sqlite/bridge/questions.ts';
import { SqliteSaidInSessions } from '../../src/store/sqlite/bridge/said-in-sessions.ts';
import { SqliteApprovals } from '../../src/store/sqlite/bridge/approvals.ts';
import { SqliteOwnerNotices } from '../../src/store/sqlite/bridge/owner-notices.ts';
import { SqliteOrders } from '../../src/store/sqlite/bridge/orders.ts';
import { SqliteSessionBook } from '../../src/store/sqlite/bridge/session-book.ts';
import { ChoiceValues } from '../../src/wire/choice-value.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { type Fate, fateOf, type Mutations } from './fates.ts';
import { FaultyFiles } from './faulty-files.ts';
import { FaultyHub } from './faulty-hub.ts';
import { FaultyLark } from './faulty-lark.ts';
import { APP } from './messages.ts';
import { cut, mortal } from './mortal.ts';
import { ALICE, People } from './people.ts';
import { seeded } from './random.ts';
import { nameOf } from './subjects.ts';
import { settle, VirtualClock } from '../kit/clock.ts';
import { MachineClock, ProcessClock } from './process-clock.ts';
import { NO_OBSERVER, type Observer } from '../../src/bridge/ports/observer.ts';
import type { Question } from '../../src/bridge/ports/questions.ts';
import type { Log } from '../../src/core/log.ts';

const START_MS = Date.UTC(2026, 0, 5, 9);
const MINUTE_MS = 60_000;
/** In memory where there is such a folder: the disk's speed is not what is tested. */
const FOLDER = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const INBOX_LOOK_MS = 5_000;
const BURST_WAIT_MS = 10_000;
/** A question can lead to a run that leads to a question. */
const ASKED_AGAIN_MAX = 8;
const ROUNDS_WITHOUT_END_MAX = 4;
const UNDER_WAY: ReadonlySet<TurnPhase> = new Set(['waiting', 'sending', 'accepted', 'overdue']);

const silent: Log = { debug() {}, info() {}, warn() {}, error: fail };

function fail(event: string, fields?: Readonly<Record<string, unknown>>): void {
  const isBug = event.endsWith('_bug') || fields?.['stack'] !== undefined;
  if (isBug) throw new Error(`${event}: ${JSON.stringify(fields)}`);
}

/** A turn that was at work is over or held. */
interface Ended {
  readonly turn: TurnId;
  readonly phase: TurnPhase;
  readonly atMs: number;
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
  readonly ended: Ended[] = [];
  readonly crashedAtMs: number[] = [];
  readonly #random: () => number;
  readonly #extras: () => number;
  readonly #files: FaultyFiles;
  readonly #fate: Fate;
  readonly #machine = new MachineClock();
  readonly #folder = mkdtempSync(join(FOLDER, 'bridge-model-'));
  readonly #db: Db;
  readonly #mutations: Mutations;
  readonly #liveMode: 'on' | 'sparse';
  #process: Process | undefined;
  #crashChance = 0;
  #writes = 0;

  constructor(seed: number, mutations: Mutations = {}, fate: Partial<Fate> = {}) {
    const { clock } = this;
    const random = seeded(seed);
    this.#random = random;
    this.#mutations = mutations;
    this.#fate = { ...fateOf(seed, random), ...fate };
    this.#extras = seeded(seed + 11);
    this.#files = new FaultyFiles({
      clock,
      random: seeded(seed + 12),
      folder: join(this.#folder, 'attachments'),
      log: silent,
      isRecalled: (message) => this.lark.recalled.has(message),
      isAway: () => this.lark.away,
    });
    this.lark = new FaultyLark(clock, seeded(seed + 1), this.#files);
    this.#liveMode = this.#extras() < 0.8 ? 'on' : 'sparse';
    this.lark.live.noRight = this.#extras() < 0.2;
    this.hub = new FaultyHub({
      ...this.#fate,
      clock,
      random: seeded(seed + 2),
      telling: seeded(seed + 13),
      isWhole: (path) => this.#files.isWhole(path),
    });
    this.people = new People({
      clock,
      random,
      lark: this.lark,
      deliver: (event) => this.#deliver(event),
      extras: this.#extras,
      crashes: () => this.crashes,
      fate: this.#fate,
      files: this.#files,
      decide: (action, person) => this.#decide(action, person),
      recallsLost: mutations.recallsLost === true,
    });
    this.#db = Db.open(join(this.#folder, 'bridge.db'), silent);
    this.#countWrites();
  }

  get crashes(): number {
    return this.crashedAtMs.length;
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
    this.#files.trouble = 0.15;
    this.hub.trouble = 0.15;
    this.#crashChance = 0.03;
    await this.#boot();
    const decidedAt = Math.floor(this.#random() * count);
    for (let index = 0; index < count; index += 1) {
      void this.people.say(index);
      if (this.#random() < 0.3) void this.people.look();
      if (this.#fate.stops && this.#extras() < 0.2) void this.people.stop();
      if (this.#fate.tells && this.#extras() < 0.05) this.lark.live.deleteOne();
      if (this.#fate.jumps && this.#random() < 0.15) this.#setClock();
      await this.#run(this.#random() * 4_000);
      if (this.#fate.pairing && index === decidedAt) void this.people.decide(index % 2 === 0);
      if (this.#fate.outage && index === Math.floor(count / 2)) await this.#outage();
    }
    await this.#run(MINUTE_MS);
    this.lark.trouble = 0;
    this.#files.trouble = 0;
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
      const by = personOf(turn);
      const cards = this.people.questionsAbout(turn);
      if (cards.length === 0) this.silent.push(nameOf(turn.message));
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
   * that takes as long as it takes, but in calm weather some of them end every two minutes. Who types an answer
   * too late says something new, so for a while there may be more.
   */
  async #finish(): Promise<void> {
    let least = Infinity;
    for (let rounds = 0; rounds < ROUNDS_WITHOUT_END_MAX; rounds += 1) {
      const { length } = (await this.turns()).filter(({ state }) => UNDER_WAY.has(state.phase));
      if (length === 0) return;
      if (length < least) rounds = 0;
      least = Math.min(least, length);
      // Where agents ask, a turn may take longer, and nobody answers any more. Files that stall take their time too.
      const { asks, files } = this.#fate;
      await this.#run((2 + (asks ? 2 : 0) + (files ? 3 : 0)) * MINUTE_MS);
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
  async #deliver(given: InboundEvent): Promise<boolean> {
    const process = this.#process;
    const event = this.#mutations.changesAreNew === true ? asNew(given) : given;
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
    const { journal, lark, target, attachments } = this.#mutations;
    const real = new SqliteJournal({ db: this.#db, app: APP, clock });
    const cards = new SqliteLiveCards({ db: this.#db, app: APP });
    const { files, tells, pairing } = this.#fate;
    const store = this.#files.storeOf(clock, () => real.openMessages());
    const bridge = new Bridge({
      journal: this.#mortal(journal?.(real) ?? real, clock),
      orders: new SqliteOrders({ db: this.#db, app: APP, clock }),
      appId: APP,
      access: new SqliteAccess({ db: this.#db, app: APP, clock }),
      accessMode: pairing && !this.#mutations.letsAllIn ? 'pairing' : 'open',
      lark: cut(lark?.(this.lark) ?? this.lark, clock),
      target: cut(target?.(this.hub) ?? this.hub, clock),
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
      reportTime: { minuteOfDay: undefined, zone: 'UTC' },
      approvals: new SqliteApprovals({ db: this.#db, app: APP }),
      ownerNotices: new SqliteOwnerNotices({ db: this.#db, app: APP }),
      questionTimeoutMs: MINUTE_MS,
      said: new SqliteSaidInSessions({ db: this.#db, app: APP }),
      sessions: this.#mortal(new SqliteSessionBook({ db: this.#db, app: APP, clock }), clock),
      owner: () => (pairing ? ALICE : undefined),
      observer: this.#observer(clock),
      ...(files && {
        attachments: this.#mortal(cut(attachments?.(store) ?? store, clock), clock),
        burstWaitMs: BURST_WAIT_MS,
      }),
      ...(tells && {
        liveCards: { journal: this.#mortal(cards, clock), mode: this.#liveMode },
      }),
    });
    const process = { clock, bridge, ready: false };
    this.#process = process;
    void bridge.start().then(() => {
      process.ready = true;
      if (this.#fate.isBlind) void this.#readInbox(process);
    });
    await this.#settle();
  }

  #observer(clock: ProcessClock): Observer {
    const turnEnded = (turn: TurnId, phase: TurnPhase) => {
      if (!clock.dead) this.ended.push({ turn, phase, atMs: this.clock.nowMs() });
    };
    return { ...NO_OBSERVER, turnEnded };
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
    this.crashedAtMs.push(this.clock.nowMs());
    this.clock.after(500 + this.#random() * 5_000, () => void this.#boot());
  }

  #mortal<T extends object>(part: T, clock: ProcessClock): T {
    return mortal(part, {
      clock,
      random: this.#random,
      isStarting: () => this.#process?.ready === false,
      chance: () => this.#crashChance,
      die: () => this.#crash(),
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
    return settle(() => this.#writes > 0 || this.#files.isBusy);
  }

  async #run(durationMs: number): Promise<void> {
    const untilMs = this.clock.nowMs() + durationMs;
    do {
      await this.#settle();
    } while (this.clock.step(untilMs));
    await this.#settle();
  }
}

function asNew(event: InboundEvent): InboundEvent {
  if (event.kind !== 'edited') return event;
  const { message, editedAtMs } = event;
  const id = messageId(`${message.messageId}_${editedAtMs}`);
  return { kind: 'message', message: { ...message, messageId: id } };
}
