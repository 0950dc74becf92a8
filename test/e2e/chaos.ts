/**
 * One life of the built program under kill -9, against the simulator over real sockets: a storm of faults
 * and kills while people write, then calm, and then every message is counted. One seed draws all of it;
 * what the operating system makes of the timing is its own affair.
 */
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appId } from '../../src/core/ids.ts';
import type { Turn } from '../../src/core/turn.ts';
import type { FaultKind } from '../../src/sim/world/faults.ts';
import type { ShownMessage } from '../../src/sim/control/shown-message.ts';
import type { SimChat, SimMessage, SimUser } from '../../src/sim/world/model.ts';
import { SqliteJournal } from '../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { seeded } from '../sim/random.ts';
import {
  AGENT,
  cardsAtWork,
  filesWrong,
  isLiveCard,
  kindOf,
  Notes,
  type Question,
} from './chaos-people.ts';
import { Coder } from './chaos-coder.ts';
import { type BridgeProcess, Rig } from './rig.ts';
import { silentLog } from '../kit/log.ts';

/** Per occasion. `event_stolen` and `event_as_card` are not in it: such events are not the bridge's. */
const STORM: Partial<Record<FaultKind, number>> = {
  event_drop: 0.05,
  event_delay: 0.1,
  event_repeat: 0.1,
  event_reorder: 0.1,
  event_duplicate: 0.1,
  fragments_reorder: 0.05,
  fragment_lost: 0.03,
  ack_lost: 0.1,
  half_open: 0.1,
  kick: 0.1,
  pong_payload: 0.1,
  kick_after_upgrade: 0.05,
  bootstrap_refused: 0.05,
  bootstrap_http: 0.05,
  bootstrap_hang: 0.02,
  handshake_refused: 0.05,
  handshake_hang: 0.02,
  request_lost: 0.05,
  response_lost: 0.1,
  response_hang: 0.01,
  response_slow: 0.1,
  rate_limited: 0.05,
  chat_limited: 0.05,
  token_revoked: 0.05,
  business_error: 0.03,
  html_502: 0.05,
  download_cut: 0.1,
  download_hang: 0.1,
};

/** More in one storm would outlast Lark's patience with an event. */
export const KILLS_A_LIFE = 25;

/** Lark tries an event five times; no more than these are provoked in the storm. */
const STORM_TRIES_MAX = 3;
const START_MS = 600;
const READY_MS_MAX = 2_000;
const UP_MS = 1_200;
/** A busy machine does less in the time that a process has: so many faults shall have struck by each kill. */
const FAULTS_A_KILL = 3;
/** But one that hangs is killed too, and Lark's patience is not used up. */
const FAULTS_MS_MAX = 3_000;
/** A busy machine takes its time; only what never happens takes all of it. */
const CALM_MS_MAX = 240_000;
const REDELIVERED_EVERY_MS = 20_000;
/** Some of the files find their words in this time, and others don't. */
const ENV = { LARK_BRIDGE_BURST_WAIT_SECS: '1' };
const FILE_BYTES_MAX = 200_000;
/** It takes half a second between two turns, so more would not be answered in the calm. */
const CODER_RATE = 0.08;
const STOPPED = 'Stopped.';

export interface LifeReport {
  readonly seed: number;
  /** Processes that ended by SIGKILL. */
  readonly kills: number;
  readonly said: number;
  readonly recalled: number;
  readonly runs: number;
  /** Answers shown, and words that the agent failed. */
  readonly replies: number;
  readonly faults: number;
  /** Files that an agent was given, live cards, and turns that were stopped. */
  readonly files: number;
  readonly cards: number;
  readonly stopped: number;
  /** Messages to the agent that remembers and asks. */
  readonly coded: number;
  readonly complaints: readonly string[];
}

/** The line that lives the same life again. */
export function replayLine(seed: number, kills: number): string {
  return `replay: npm run chaos -- --seed ${seed} --kills ${kills}`;
}

/** Lives one life with so many kills. Never rejects for what the bridge does wrong: that is a complaint. */
export async function live({ seed, kills }: { seed: number; kills: number }): Promise<LifeReport> {
  const rig = await Rig.open({ seed, clientConfig: { PingInterval: 1 } });
  try {
    return await new Life(rig, seed, kills).run();
  } finally {
    await rig.close();
  }
}

class Life {
  readonly #rig: Rig;
  readonly #seed: number;
  readonly #killsWanted: number;
  readonly #places: readonly { readonly chat: SimChat; readonly users: readonly SimUser[] }[];
  readonly #coder: Coder;
  readonly #questions: Question[] = [];
  readonly #notes: Notes;
  readonly #complaints: string[] = [];
  /** Chats in which somebody said that the work shall end. */
  readonly #stopsWanted = new Set<SimChat>();
  #kills = 0;
  #storming = true;
  #isOver = false;

  constructor(rig: Rig, seed: number, kills: number) {
    this.#rig = rig;
    this.#notes = new Notes(rig.home);
    this.#seed = seed;
    this.#killsWanted = kills;
    this.#coder = new Coder(rig);
    const direct = ['Mei', 'Tom', 'Ana'].map((name) => rig.direct(name));
    const members = ['Li', 'Bo'].map((name) => rig.cloud.addUser({ name }));
    const groups = ['Team', 'Ops'].map((name) =>
      rig.cloud.addGroup({ name, members, apps: [rig.app] }),
    );
    this.#places = [
      ...direct.map(({ chat, user }) => ({ chat, users: [user] })),
      ...groups.map((chat) => ({ chat, users: members })),
      this.#coder.place,
    ];
  }

  async run(): Promise<LifeReport> {
    const { faults } = this.#rig.cloud;
    await this.#coder.add();
    await this.#rig.addAgent('scribe', AGENT, ['--stream']);
    faults.setPlan({ rates: STORM });
    const allowing = this.#allow();
    await Promise.all([this.#kill(), this.#talk(), this.#weather()]);
    faults.calm();
    const last = await this.#calm();
    await this.#end(last);
    this.#isOver = true;
    await allowing;
    await this.#check();
    const recalled = this.#questions.filter((question) => question.recalled).length;
    return {
      seed: this.#seed,
      kills: this.#kills,
      said: this.#questions.length,
      recalled,
      runs: this.#notes.runs().length,
      replies: this.#answers().length,
      faults: this.#faults(),
      files: this.#notes.got().length,
      cards: this.#places.flatMap(({ chat }) => this.#rig.replies(chat).filter(isLiveCard)).length,
      stopped: this.#questions.filter((question) => this.#stopsOf(question) > 0).length,
      coded: this.#coder.prompts().length,
      complaints: this.#complaints,
    };
  }

  // ------------------------------------------------------------ the storm

  async #kill(): Promise<void> {
    const random = this.#stream(1);
    while (this.#kills < this.#killsWanted) {
      const bridge = this.#rig.spawn({ env: ENV });
      if (random() < 0.3) await sleep(random() * START_MS);
      else {
        await Promise.race([bridge.ready().catch(() => {}), sleep(READY_MS_MAX)]);
        await sleep(random() * UP_MS);
        await this.#badWeather();
      }
      if (random() < 0.1) {
        // A stop that is cut short.
        bridge.child.kill('SIGTERM');
        await sleep(random() * 300);
        await this.#end(bridge, { stopped: true });
      } else await this.#end(bridge);
    }
    this.#storming = false;
  }

  /** Resolves when the storm has struck often enough for the next kill. */
  async #badWeather(): Promise<void> {
    const deadlineMs = Date.now() + FAULTS_MS_MAX;
    while (this.#faults() < FAULTS_A_KILL * (this.#kills + 1) && Date.now() < deadlineMs) {
      await sleep(20);
    }
  }

  #faults(): number {
    return Object.values(this.#rig.cloud.faults.counts()).reduce((sum, count) => sum + count, 0);
  }

  async #talk(): Promise<void> {
    const random = this.#stream(2);
    const roots: SimMessage[] = [];
    while (this.#storming) {
      const isForCoder = random() < CODER_RATE;
      const place = isForCoder ? this.#coder.place : pick(this.#places.slice(0, -1), random);
      const user = pick(place.users, random);
      const group = place.users.length > 1;
      const token = `q${String(this.#questions.length).padStart(5, '0')}`;
      const root = pick(roots, random);
      const inThread = group && root?.chatId === place.chat.chatId && random() < 0.4;
      const kind = isForCoder ? 'coder' : kindOf(random(), { group, inThread });
      const text = isForCoder ? this.#coder.words(token, random()) : `${token} ${kind}`;
      const said =
        kind === 'file'
          ? this.#sendFile({ chat: place.chat, user, token }, random)
          : {
              message: this.#rig.cloud.say({
                chat: place.chat,
                from: user,
                text: group ? `{0} ${text}` : text,
                ...(group && { mentions: [this.#rig.app] }),
                ...(inThread && { replyTo: root, inThread: true }),
              }),
            };
      const { message } = said;
      const killsBefore = this.#kills;
      const { chat } = place;
      const { threadId } = message;
      const about = { token, text, chat, from: user, threadId, killsBefore };
      const question = { ...about, ...said, recalled: false, wantedAgain: false };
      this.#questions.push(question);
      if (group && !inThread && roots.length < 6) roots.push(message);
      else if (random() < 0.1) void this.#recallLater(question, random() * 1_500);
      else if (!group && random() < 0.15) void this.#stopLater(question, random() * 1_500);
      await sleep(30 + random() * 300);
    }
  }

  /** Somebody looks at the chat of the agent that asks, now and then until the end. */
  async #allow(): Promise<void> {
    const random = this.#stream(4);
    while (!this.#isOver) {
      await sleep(50 + random() * 400);
      await this.#coder.allow();
    }
  }

  #sendFile(
    {
      chat,
      user,
      token,
    }: { readonly chat: SimChat; readonly user: SimUser; readonly token: string },
    random: () => number,
  ): { readonly message: SimMessage; readonly sum: string } {
    const { cloud } = this.#rig;
    const bytes = Buffer.alloc(1 + Math.floor(random() * FILE_BYTES_MAX), `${token} `);
    const owner = { kind: 'user', openId: user.openId } as const;
    const { key } = cloud.addUpload({ kind: 'file', owner, bytes });
    const content = { file_key: key, file_name: `${token}_file` };
    const message = cloud.say({ chat, from: user, messageType: 'file', content });
    return { message, sum: execFileSync('cksum', { input: bytes }).toString().trim() };
  }

  /** Whatever is at work in the chat by then. */
  async #stopLater({ chat, from }: Question, delayMs: number): Promise<void> {
    await sleep(delayMs);
    if (!this.#storming) return;
    this.#stopsWanted.add(chat);
    this.#rig.cloud.say({ chat, from, text: '/stop' });
  }

  async #recallLater(question: Question, delayMs: number): Promise<void> {
    await sleep(delayMs);
    if (!this.#storming) return;
    question.recalled = true;
    this.#rig.cloud.recall(question.message);
  }

  async #weather(): Promise<void> {
    const random = this.#stream(3);
    const { cloud, app } = this.#rig;
    while (this.#storming) {
      await sleep(100 + random() * 900);
      const roll = random();
      const tries = Math.max(0, ...this.#unacked().map((delivery) => delivery.tries));
      if (roll < 0.2) cloud.kick();
      else if (roll < 0.35) cloud.revokeTokens(app);
      else if (roll < 0.55 && tries < STORM_TRIES_MAX && cloud.faults.waiting().length === 0) {
        // What waits comes with the next link, before the bridge has said a word.
        cloud.faults.inject({ kind: 'early_frame' });
      } else if (tries < STORM_TRIES_MAX && cloud.online(app) > 0) cloud.redeliverNow();
    }
  }

  // ------------------------------------------------------------ the calm

  async #calm(): Promise<BridgeProcess> {
    const { cloud, app } = this.#rig;
    const bridge = this.#rig.spawn({ env: ENV });
    await bridge.ready().catch((error: unknown) => this.#complain(String(error)));
    await this.#until('the link is up', () => cloud.online(app) === 1);
    cloud.redeliverNow();
    // On a busy machine an ack may come after Lark's three seconds. It says all the same that the event is stored.
    // Lark delivers again what nobody acked in its seconds, also not in the calm.
    const again = setInterval(() => cloud.redeliverNow(), REDELIVERED_EVERY_MS);
    await this.#until('every event is taken', () => this.#untaken().length === 0);
    clearInterval(again);
    await this.#until('every message is answered or asked about', () =>
      this.#open().every((question) => this.#cardAbout(question) !== undefined),
    );
    for (const question of this.#open()) await this.#press(question);
    await this.#until('every message is answered', () => this.#open().length === 0);
    // One more death and one more delivery of nothing: whatever was shown must stay shown once.
    await this.#end(bridge);
    this.#coder.noteLeft();
    const last = this.#rig.spawn({ env: ENV });
    await last.ready().catch((error: unknown) => this.#complain(String(error)));
    await this.#idle();
    return last;
  }

  #open(): Question[] {
    const answered = new Set(this.#answers().map(({ about }) => about));
    const whole = this.#wholes();
    return this.#questions.filter((question) => {
      if (question.recalled) return false;
      const turn = whole.get(question.message.messageId) ?? question;
      return !answered.has(turn) && this.#stopsOf(turn) === 0;
    });
  }

  /** Files that have become a part of what was said later. */
  #wholes(): ReadonlyMap<string, Question> {
    const db = Db.openExisting(join(this.#rig.stateDir, 'bridge.db'));
    const rows = db?.all(`SELECT message_id, json_extract(state, '$.joined') AS joined FROM turns`);
    db?.close();
    const into = new Map(rows?.map((row) => [row['message_id'], row['joined']]));
    return new Map(
      this.#questions.flatMap(({ message: { messageId } }) => {
        let last: unknown = messageId;
        while (typeof into.get(last as string) === 'string') last = into.get(last as string);
        const whole = this.#questions.find((one) => one.message.messageId === last);
        return whole === undefined ? [] : [[messageId, whole] as const];
      }),
    );
  }

  #stopsOf({ chat, message }: Question): number {
    return this.#rig
      .replies(chat)
      .filter(({ text, replyTo }) => replyTo === message.messageId && text === STOPPED).length;
  }

  /** A turn during which its process died five times is not run again unless somebody wants it. */
  #cardAbout({ chat, message, threadId }: Question): ShownMessage | undefined {
    return this.#rig
      .replies(chat)
      .find(
        (shown) =>
          shown.card?.buttons.some(({ label }) => label === 'Run again') === true &&
          (threadId === undefined
            ? shown.replyTo === message.messageId
            : shown.threadId === threadId),
      );
  }

  async #press(question: Question): Promise<void> {
    const { from } = question;
    const messageId = this.#cardAbout(question)?.messageId;
    if (messageId === undefined) return;
    question.wantedAgain = true;
    await this.#rig.cloud.pressOnCard(messageId, from, { index: 0 });
  }

  async #idle(): Promise<void> {
    const { db, journal } = this.#journal();
    try {
      const deadlineMs = Date.now() + CALM_MS_MAX;
      for (;;) {
        const [turns, out] = [await journal.openTurns(), await journal.pendingOut()];
        const busy = [...turns.filter(({ phase }) => phase !== 'held'), ...out];
        if (busy.length === 0) return;
        if (Date.now() > deadlineMs) {
          this.#complain(`never idle: ${JSON.stringify(busy.slice(0, 3))}`);
          return;
        }
        await sleep(50);
      }
    } finally {
      db.close();
    }
  }

  async #until(what: string, look: () => boolean): Promise<void> {
    try {
      await this.#rig.cloud.waitFor(look, CALM_MS_MAX);
    } catch {
      this.#complain(
        `it did not happen in the calm that ${what}; not taken: ${JSON.stringify(this.#untaken().slice(0, 3))}`,
      );
    }
  }

  #unacked() {
    const { cloud, app } = this.#rig;
    return cloud.deliveries({ appId: app.appId }).filter(({ acked }) => !acked);
  }

  /** Neither acked in time nor too late. */
  #untaken() {
    return this.#unacked().filter(({ lateAcks }) => lateAcks === 0);
  }

  /** Ends a process as kill -9 does, after it showed that it still lived and had tripped over nothing. */
  async #end(bridge: BridgeProcess, { stopped = false } = {}): Promise<void> {
    const { child } = bridge;
    if (!stopped && (child.exitCode !== null || child.signalCode !== null)) {
      this.#complain(`the process ended by itself with ${child.exitCode}: ${bridge.stderr}`);
    }
    child.kill('SIGKILL');
    await bridge.exited;
    if (child.signalCode === 'SIGKILL') this.#kills += 1;
    const bugs = bridge.stderr.split('\n').filter((line) => /_bug"|unhandled/i.test(line));
    for (const bug of bugs) this.#complain(bug);
  }

  // ------------------------------------------------------------ the count

  async #check(): Promise<void> {
    const { db, journal } = this.#journal();
    try {
      const turns = await journal.turns({ limit: 100_000 });
      const admitted = new Map(turns.map((turn) => [turn.message.messageId as string, turn]));
      this.#checkQuestions(admitted);
      this.#checkOrder(admitted);
      this.#checkRuns();
      this.#complaints.push(
        ...filesWrong(this.#questions, this.#notes, (chat) => this.#rig.replies(chat)),
        ...this.#places.flatMap(({ chat }) => cardsAtWork(this.#rig.replies(chat))),
        ...this.#coder.wrong(this.#questions),
      );
    } finally {
      db.close();
    }
  }

  #checkQuestions(admitted: ReadonlyMap<string, Turn>): void {
    const answers = this.#answers();
    const open = new Set(this.#open());
    for (const question of this.#questions) {
      const { text, message, threadId, recalled } = question;
      const shown = answers.filter(({ about }) => about === question);
      const stops = this.#stopsOf(question);
      // What an agent had said when it was stopped stays, which may be all of its answer.
      if (stops > 1) this.#complain(`stopped ${stops} times: ${text}`);
      if (stops > 0 && !this.#stopsWanted.has(question.chat)) {
        this.#complain(`stopped, and nobody wanted it: ${text}`);
      }
      if (open.has(question)) {
        const turn = admitted.get(message.messageId);
        const what = turn === undefined ? 'lost' : `silent, ${JSON.stringify(turn.state)}`;
        this.#complain(`${what}: ${text}`);
      }
      if (shown.length > 1) {
        const replies = JSON.stringify(shown.map(({ reply }) => reply));
        this.#complain(`repeated ${shown.length} times: ${text}: ${replies}`);
      }
      for (const { chat, reply } of shown) {
        const placed =
          threadId === undefined
            ? reply.replyTo === message.messageId
            : reply.threadId === threadId;
        if (chat !== question.chat || !placed) {
          this.#complain(
            `misplaced: ${text}: ${JSON.stringify(reply)}, asked ${JSON.stringify(message)}`,
          );
        }
      }
      if (!recalled && message.reactions.size > 0) this.#complain(`a sign was left on: ${text}`);
    }
  }

  #checkOrder(admitted: ReadonlyMap<string, Turn>): void {
    const latest = new Map<SimChat, number>();
    for (const { chat, reply, about } of this.#answers()) {
      // A card stands where it was opened, and on a busy machine any answer has one. What has a file waits for words.
      if (about.wantedAgain || isLiveCard(reply) || /grows|file/.test(about.text)) continue;
      const place = admitted.get(about.message.messageId)?.seq ?? -1;
      if (place < (latest.get(chat) ?? -1)) this.#complain(`out of order: ${about.text}`);
      latest.set(chat, place);
    }
  }

  /** A run that dies with the process is begun anew: so many runs may be explained by kills, no more. */
  #checkRuns(): void {
    const runs = this.#notes.runs();
    for (const { text, killsBefore, wantedAgain } of this.#questions) {
      const count = runs.filter((run) => run === text).length;
      const explained = 1 + this.#kills - killsBefore + (wantedAgain ? 1 : 0);
      if (count > explained) this.#complain(`run ${count} times: ${text}`);
    }
    for (const text of new Set(runs)) {
      if (!this.#questions.some((question) => question.text === text)) {
        this.#complain(`run, and never said: ${text}`);
      }
    }
  }

  /** What the bot has shown as an outcome, chat by chat in the order in which it appeared. */
  #answers(): { readonly chat: SimChat; readonly reply: ShownMessage; readonly about: Question }[] {
    return this.#places.flatMap(({ chat }) =>
      this.#rig.replies(chat).flatMap((reply) => {
        if (!/answer to q|could not answer/.test(reply.text)) return [];
        const token = /q\d{5}/.exec(reply.text)?.[0];
        const about = this.#questions.find((question) =>
          token === undefined
            ? question.message.messageId === reply.replyTo
            : question.token === token,
        );
        if (about === undefined) {
          this.#complain(`an answer to nobody: ${reply.text}`);
          return [];
        }
        return [{ chat, reply, about }];
      }),
    );
  }

  #journal() {
    const db = Db.open(join(this.#rig.stateDir, 'bridge.db'), silentLog);
    const clock = { nowMs: () => Date.now(), after: () => () => {} };
    return { db, journal: new SqliteJournal({ db, app: appId(this.#rig.app.appId), clock }) };
  }

  #complain(text: string): void {
    this.#complaints.push(text);
  }

  /** Each who acts draws from a stream of their own, so that none disturbs the others' choices. */
  #stream(actor: number): () => number {
    return seeded(this.#seed * 10 + actor);
  }
}

function pick<T>(from: readonly T[], random: () => number): T {
  return from[Math.floor(random() * from.length)] as T;
}
