/** People who ask while something fails, and afterwards the count of what the chats show for it. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { appId } from '../../src/core/ids.ts';
import { Directory } from '../../src/hub/domain/directory.ts';
import type { SimChat, SimMessage, SimUser } from '../../src/sim/world/model.ts';
import { SqliteJournal } from '../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { SqliteHubStore } from '../../src/store/sqlite/hub/hub-store.ts';
import type { Rig } from './rig.ts';
import { silentLog } from '../kit/log.ts';

/** Notes what it got before it does anything, and says it back; what is `gated` waits for the gate. */
const SCRIBE = `
IFS= read -r text
printf '%s\\n' "$text" >> "$HOME/runs"
case "$text" in
  *gated*) until [ -e "$HOME/gate-is-open" ]; do sleep 0.05; done ;;
esac
printf '%s' "$text"`;

/** Beyond the simulator's own redelivery after 15 s; less than a test has, so that what is wrong is counted. */
const SETTLED_MS_MAX = 22_000;
const LOOK_MS = 25;

/** Who waits for more than a moment is told so, which on a slow machine may be anybody. */
const WAITING = /is in the queue|is next in this chat|not reachable at the moment/;

const clock = { nowMs: () => Date.now(), after: () => () => {} };
export interface Question {
  readonly text: string;
  readonly chat: SimChat;
  readonly message: SimMessage;
  recalled: boolean;
}

export interface Place {
  readonly chat: SimChat;
  readonly user: SimUser;
  /** The topic in whose thread it is asked. */
  readonly topic?: SimMessage;
}

/** Each list is empty when all is well. */
export interface Count {
  readonly said: number;
  readonly answered: number;
  /** LarkResult, and nothing was ever shown for it. */
  readonly lost: readonly string[];
  readonly repeated: readonly string[];
  /** Not under its question: in another chat, another thread, or loose in the chat. */
  readonly misplaced: readonly string[];
  /** Before the answer to an earlier question of its chat. */
  readonly outOfOrder: readonly string[];
  /** What the bot said besides answers and that somebody's message waits. */
  readonly besides: readonly string[];
  /** LarkResult once, and run by the agent more often or not at all. */
  readonly notRunOnce: readonly string[];
  /** Still open in the journal, or with a sign of receipt on it. */
  readonly unfinished: readonly string[];
  readonly bugs: readonly string[];
}

/** So many were asked, and every one was answered once, in its place and order. */
export function flawless(said: number): Count {
  return {
    said,
    answered: said,
    lost: [],
    repeated: [],
    misplaced: [],
    outOfOrder: [],
    besides: [],
    notRunOnce: [],
    unfinished: [],
    bugs: [],
  };
}

/** Puts the agent of these tests on the hub of a state directory. Returns its workspace. */
export function addScribe(stateDir: string): Promise<string> {
  return withHub(stateDir, async (directory) => {
    const spec = { kind: 'exec', argv: ['sh', '-c', SCRIBE] } as const;
    return (await directory.addAgent({ name: 'scribe', spec })).workspaceId;
  });
}

/** An account for a bridge that comes from elsewhere. */
export function addWorkspace(stateDir: string): Promise<{ workspaceId: string; token: string }> {
  return withHub(stateDir, async (directory) => {
    const spec = { kind: 'external' } as const;
    const { workspaceId, apiKey } = await directory.addAgent({ name: 'from-elsewhere', spec });
    return { workspaceId, token: apiKey.reveal() };
  });
}

async function withHub<T>(stateDir: string, work: (hub: Directory) => Promise<T>): Promise<T> {
  const db = Db.open(join(stateDir, 'bridge.db'), silentLog);
  try {
    return await work(new Directory(new SqliteHubStore(db), clock));
  } finally {
    db.close();
  }
}

export class Tally {
  readonly mei: Place;
  readonly tom: Place;
  readonly team: Place;
  readonly thread: Place;
  readonly #rig: Rig;
  readonly #questions: Question[] = [];

  constructor(rig: Rig) {
    this.#rig = rig;
    this.mei = rig.direct('Mei');
    this.tom = rig.direct('Tom');
    const user = rig.cloud.addUser({ name: 'Li' });
    const chat = rig.cloud.addGroup({ name: 'Team', members: [user], apps: [rig.app] });
    this.team = { chat, user };
    // Nobody is mentioned: the bot is not meant.
    this.thread = { chat, user, topic: rig.cloud.say({ chat, from: user, text: 'a topic' }) };
  }

  /** Asks something that was never asked before. */
  ask({ chat, user, topic }: Place, kind: 'plain' | 'gated' = 'plain'): Question {
    const text = `q${String(this.#questions.length + 1).padStart(3, '0')} ${kind}`;
    const direct = chat.mode === 'p2p';
    const message = this.#rig.cloud.say({
      chat,
      from: user,
      text: direct ? text : `{0} ${text}`,
      ...(!direct && { mentions: [this.#rig.app] }),
      ...(topic && { replyTo: topic, inThread: true }),
    });
    const question = { text, chat, message, recalled: false };
    this.#questions.push(question);
    return question;
  }

  /** One question in every place. */
  askAround(): Question[] {
    return [this.mei, this.tom, this.team, this.thread].map((place) => this.ask(place));
  }

  recall(question: Question): void {
    question.recalled = true;
    this.#rig.cloud.recall(question.message);
  }

  /** What the agent was given, in the order in which it was. */
  runs(): string[] {
    try {
      return readFileSync(join(this.#rig.home, 'runs'), 'utf8').trimEnd().split('\n');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return [];
      throw error;
    }
  }

  /** Resolves when the agent was given so many. */
  async begun(count: number): Promise<void> {
    const deadlineMs = Date.now() + SETTLED_MS_MAX;
    while (this.runs().length < count) {
      if (Date.now() > deadlineMs) throw new Error(`begun: ${this.runs().join(', ')}`);
      await sleep(LOOK_MS);
    }
  }

  /** Lets go what is gated, now and later. */
  openGate(): void {
    writeFileSync(join(this.#rig.home, 'gate-is-open'), '');
  }

  /** Resolves when the app has one sound link, and what was not acked is on its way again. */
  async linked(): Promise<void> {
    const { cloud, app } = this.#rig;
    const links = () => cloud.cloud.connections.of(app.appId).length;
    await cloud.waitFor(() => links() === 1 && cloud.online(app) === 1, SETTLED_MS_MAX);
    cloud.redeliverNow();
  }

  /** Resolves when everything that was asked shows an answer. */
  async answered(): Promise<void> {
    await this.#rig.cloud.waitFor(() => this.#unanswered().length === 0, SETTLED_MS_MAX);
  }

  /** Waits until nothing is left to do, or for long in vain, and counts. */
  async count(): Promise<Count> {
    const open = await this.#atRest();
    const answers = this.#answers();
    const texts = answers.map(({ about }) => about?.text);
    const runs = this.runs();
    const standing = this.#questions.filter(({ recalled }) => !recalled);
    const times = (list: readonly unknown[], { text }: Question) =>
      list.filter((one) => one === text).length;
    const textsOf = (questions: readonly Question[]) => questions.map(({ text }) => text);
    return {
      said: this.#questions.length,
      answered: this.#questions.filter((question) => times(texts, question) > 0).length,
      lost: textsOf(standing.filter((question) => times(texts, question) === 0)),
      repeated: textsOf(this.#questions.filter((question) => times(texts, question) > 1)),
      misplaced: answers.flatMap(({ text, about, inPlace }) => (about && !inPlace ? [text] : [])),
      outOfOrder: this.#outOfOrder(),
      besides: answers.flatMap(({ text, about }) => (about || WAITING.test(text) ? [] : [text])),
      notRunOnce: textsOf(standing.filter((question) => times(runs, question) !== 1)),
      unfinished: [
        ...open,
        ...textsOf(standing.filter(({ message }) => message.reactions.size > 0)),
      ],
      bugs: this.#rig.bugs(),
    };
  }

  #unanswered(): Question[] {
    const shown = new Set(this.#answers().map(({ about }) => about));
    return this.#questions.filter((question) => !question.recalled && !shown.has(question));
  }

  #answers() {
    const chats = [...new Set([this.mei, this.tom, this.team].map(({ chat }) => chat))];
    return chats.flatMap((chat) =>
      this.#rig.replies(chat).map((reply) => {
        const { text, replyTo, threadId } = reply;
        const about = this.#questions.find((question) => text === question.text);
        const { message } = about ?? {};
        const under =
          message?.threadId === undefined
            ? replyTo === message?.messageId && text === about?.text
            : threadId === message.threadId && text === about?.text;
        return { chat, text, about, inPlace: about?.chat === chat && under };
      }),
    );
  }

  #outOfOrder(): string[] {
    const latest = new Map<SimChat, number>();
    return this.#answers().flatMap(({ chat, about }) => {
      if (about === undefined) return [];
      const place = this.#questions.indexOf(about);
      const isLate = place < (latest.get(chat) ?? -1);
      latest.set(chat, Math.max(place, latest.get(chat) ?? -1));
      return isLate ? [about.text] : [];
    });
  }

  /** Returns what is still to be done when the time is over. */
  async #atRest(): Promise<string[]> {
    const { cloud, app, stateDir } = this.#rig;
    const deadlineMs = Date.now() + SETTLED_MS_MAX;
    for (;;) {
      const unacked = cloud.deliveries({ appId: app.appId }).filter(({ acked }) => !acked);
      const left = [
        ...unacked.map(({ eventType }) => `${eventType} is not acked`),
        ...(await openIn(stateDir, app.appId)),
      ];
      const done = left.length === 0 && this.#unanswered().length === 0;
      if (done || Date.now() > deadlineMs) return left;
      await sleep(LOOK_MS);
    }
  }
}

async function openIn(stateDir: string, app: string): Promise<string[]> {
  const db = Db.openExisting(join(stateDir, 'bridge.db'));
  if (db === undefined) return ['there is no journal'];
  try {
    const journal = new SqliteJournal({ db, app: appId(app), clock });
    const [turns, rows] = [await journal.openTurns(), await journal.pendingOut()];
    return [
      ...turns.map(({ id, phase }) => `turn ${id} is ${phase}`),
      ...rows.map(({ key }) => `${key} is not sent`),
    ];
  } finally {
    db.close();
  }
}
