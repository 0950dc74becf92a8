/** A whole bridge with the real journal on a virtual clock, whose agent asks when the test says so. */
import { join } from 'node:path';
import type { Bridge, BridgeParts } from '../../../src/bridge/bridge.ts';
import type { AskedTurn } from '../../../src/bridge/ports/questions.ts';
import type { DeliveryResult, Outgoing } from '../../../src/bridge/ports/delivery.ts';
import type { EventReply } from '../../../src/bridge/ports/intake.ts';
import type { Journal } from '../../../src/bridge/ports/journal.ts';
import type { SendResult, TurnTarget, WaitResult } from '../../../src/bridge/ports/target.ts';
import type { QuestionContent } from '../../../src/core/content.ts';
import { chatId, messageId, openId, turnId } from '../../../src/core/ids.ts';
import type { ChatType } from '../../../src/core/message.ts';
import type { QuestionAnswer, TurnUpdate } from '../../../src/core/turn-update.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { SqliteLanguages } from '../../../src/store/sqlite/bridge/languages.ts';
import { SqliteQuestions } from '../../../src/store/sqlite/bridge/questions.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import type { ButtonValue } from '../../../src/wire/choice-value.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { MachineClock, ProcessClock } from '../../sim/process-clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { type RecordingLog, recordingLog } from '../../kit/log.ts';
import { message } from './samples.ts';
import { createBridge, HUB, passTime } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';

export interface ShownMessage {
  readonly id: string;
  readonly chat: string;
  readonly under: string | undefined;
  /** What it shows now. */
  content: { readonly text: string; readonly kind: string };
  readonly values: readonly ButtonValue[];
}

interface Heard {
  readonly id: string;
  readonly answer: QuestionAnswer;
}

export const OPTIONS = [
  { id: 'yes', label: 'Allow', style: 'primary' },
  { id: 'no', label: 'Deny', style: 'danger' },
] as const;

export class QuestionRig {
  readonly db = Db.open(join(temporaryFolder(), 'bridge.db'), recordingLog());
  readonly clock = new VirtualClock(Date.UTC(2026, 0, 5));
  readonly log: RecordingLog = recordingLog();
  readonly questions = new SqliteQuestions({ db: this.db, app: message.appId });
  readonly languages = new SqliteLanguages({ db: this.db, app: message.appId });
  readonly journal = new SqliteJournal({ db: this.db, app: message.appId, clock: this.clock });
  readonly shown: ShownMessage[] = [];
  readonly signs: string[] = [];
  readonly heard: Heard[] = [];
  /** Questions that the agent waits for. */
  readonly open = new Set<string>();
  owner: string | undefined;
  /** What Lark says to a call, if that is not a success. */
  refuses: (out: Outgoing) => DeliveryResult | undefined = () => undefined;
  /** What Lark says to a file. */
  upload: DeliveryResult = { ok: true, id: 'file_1' };
  /** Whether the answer of Lark to a call that it has carried out gets lost. */
  losesAnswer: (out: Outgoing) => boolean = () => false;
  /** Whether the agent takes an answer. */
  takes: (asked: AskedTurn) => boolean = () => true;
  /** Of the bridge that starts next. */
  given: Omit<Partial<BridgeParts>, 'clock'> = {};
  /** Asked before and after each write: whether the process dies there. */
  dies: () => boolean = () => false;
  bridge!: Bridge;
  readonly #isWriting = writesUnderWay(this.db);
  readonly #ends = new Map<string, (result: WaitResult) => void>();
  readonly #watchers = new Map<string, (update: TurnUpdate) => void>();
  /** Lark takes each key once. */
  readonly #keys = new Map<string, string>();
  readonly #sent: string[] = [];
  #count = 0;
  #life = new ProcessClock(this.clock, new MachineClock());

  async start(): Promise<void> {
    const life = new ProcessClock(this.clock, new MachineClock());
    this.#life = life;
    this.bridge = createBridge({
      db: this.db,
      clock: life as unknown as VirtualClock,
      journal: this.#mortal(life),
      log: this.log,
      lark: {
        form: contentForm,
        deliver: (out, key) =>
          life.dead ? never() : Promise.resolve(this.refuses(out) ?? this.#carryOut(out, key)),
        history: () => Promise.resolve([]),
        upload: () => Promise.resolve(this.upload),
      },
      target: this.#target(),
      agentNamed: () => Promise.resolve('claude'),
      owner: () => (this.owner === undefined ? undefined : openId(this.owner)),
      ...this.given,
    });
    await Promise.race([this.bridge.start(), this.pass(100)]);
    await this.pass(10);
  }

  #carryOut(out: Outgoing, key: string): DeliveryResult {
    const id = this.#show(out, key);
    if (!this.losesAnswer(out)) return { ok: true, id };
    return { ok: false, action: 'unknown', code: undefined, detail: 'no answer' };
  }

  async stop(): Promise<void> {
    await (this.isDead ? this.pass(10) : Promise.all([this.bridge.stop(), this.pass(5_000)]));
  }

  async close(): Promise<void> {
    await this.stop();
    this.db.close();
  }

  get isDead(): boolean {
    return this.#life.dead;
  }

  /** The process ends with its agents, if it is not dead already, and another one starts. */
  async restart(): Promise<void> {
    await this.stop();
    this.#forgetAgents();
    await this.start();
  }

  #forgetAgents(): void {
    this.open.clear();
    this.#watchers.clear();
    this.#ends.clear();
  }

  #mortal(life: ProcessClock): Journal {
    const writes = new Set<string | symbol>([
      'admit',
      'changeTurn',
      'enqueue',
      'enqueueIf',
      'changeOut',
    ]);
    const die = () => {
      if (!life.dead && this.dies()) {
        life.dead = true;
        this.#forgetAgents();
      }
      return life.dead;
    };
    return new Proxy<Journal>(this.journal, {
      get: (target, name: keyof Journal) => {
        const method = target[name].bind(target) as (...args: unknown[]) => Promise<unknown>;
        return async (...args: unknown[]) => {
          if (life.dead || (writes.has(name) && die())) return never();
          const done = await method(...args);
          return (writes.has(name) && die()) || life.dead ? never() : done;
        };
      },
    });
  }

  pass(durationMs = 1_000): Promise<void> {
    return passTime(this.clock, { isWriting: this.#isWriting, durationMs });
  }

  async say(
    id: string,
    text: string,
    {
      from = 'ou_ann',
      chat = 'oc_1',
      chatType = 'group',
      thread,
      sentAtMs = this.clock.nowMs(),
    }: {
      from?: string;
      chat?: string;
      chatType?: ChatType;
      thread?: string;
      sentAtMs?: number;
    } = {},
  ): Promise<void> {
    // A process that dies meanwhile never answers.
    void this.bridge.intake.admit({
      kind: 'message',
      message: {
        ...message,
        messageId: messageId(id),
        chatId: chatId(chat),
        chatType,
        threadId: thread,
        senderOpenId: openId(from),
        sentAtMs,
        parts: [{ kind: 'text', text }],
      },
    });
    await this.pass();
  }

  /** The agent at work on the newest turn asks. */
  async ask(
    id: string,
    more: Partial<Extract<TurnUpdate, { kind: 'question' }>> = {},
    ticket = this.#sent.at(-1) ?? '',
  ): Promise<void> {
    this.open.add(id);
    const asked = { kind: 'question', id, text: `${id}?`, options: OPTIONS, ...more } as const;
    this.#watchers.get(ticket)?.(asked);
    await this.pass();
  }

  /** The agent at work on the newest turn, or on another one, tells something. */
  tell(update: TurnUpdate, ticket = this.newest): void {
    this.#watchers.get(ticket)?.(update);
  }

  /** The newest turn at its target. */
  get newest(): string {
    return this.#sent.at(-1) ?? '';
  }

  /** The run of the newest turn, or of another one, ends. */
  async endTurn(result: WaitResult, ticket = this.newest): Promise<void> {
    this.open.clear();
    this.#ends.get(ticket)?.(result);
    await this.pass();
  }

  /** The agent ends the newest turn, or another one. */
  async answerTurn(text: string, ticket = this.#sent.at(-1) ?? ''): Promise<void> {
    await this.endTurn({ kind: 'answered', text }, ticket);
  }

  async press(
    card: ShownMessage | undefined,
    at: number,
    {
      by = 'ou_ann',
      chat = card?.chat ?? '',
      on = card?.id ?? '',
      value = card?.values[at] ?? {},
    }: { by?: string; chat?: string; on?: string; value?: Readonly<Record<string, unknown>> } = {},
  ): Promise<EventReply['toast'] | undefined> {
    this.#count += 1;
    let reply: EventReply | undefined;
    const pressed = this.bridge.intake.admit({
      kind: 'button',
      appId: message.appId,
      eventId: `press_${this.#count}`,
      chatId: chatId(chat),
      messageId: messageId(on),
      operatorOpenId: openId(by),
      value,
    });
    void pressed.then((said) => {
      reply = said;
    });
    await this.pass();
    return reply?.toast;
  }

  cards(): ShownMessage[] {
    return this.shown.filter(({ values }) => values.length > 0);
  }

  texts(): string[] {
    return this.shown.map(({ content }) => content.text);
  }

  turn(id: string) {
    return this.journal.turn(turnId(id));
  }

  async phaseOf(id: string) {
    return (await this.turn(id))?.state.phase;
  }

  async recall(id: string): Promise<void> {
    const { appId, chatId: chat } = message;
    const recalled = { kind: 'recalled', appId, chatId: chat, eventId: `recall_${id}` } as const;
    void this.bridge.intake.admit({ ...recalled, messageId: messageId(id) });
    await this.pass();
  }

  #show(out: Outgoing, key: string): string {
    const known = this.#keys.get(key);
    if (known !== undefined) return known;
    this.#count += 1;
    const id = `om_out_${this.#count}`;
    if (out.kind !== 'update') this.#keys.set(key, id);
    if (out.kind === 'react') this.signs.push(`${out.emoji} ${out.messageId}`);
    if (out.kind === 'update') {
      const shown = this.shown.find((one) => one.id === out.messageId);
      if (shown !== undefined) shown.content = out.content;
    }
    if (out.kind === 'reply' || out.kind === 'send') {
      const under = out.kind === 'reply' ? out.replyTo : undefined;
      const { content, chatId: chat, buttonValues: values = [] } = out;
      this.shown.push({ id, chat, under, content, values });
    }
    return id;
  }

  #target(): TurnTarget {
    return {
      ...HUB,
      watch: (_workspace, id, take) => {
        this.#watchers.set(id, take);
        return () => this.#watchers.delete(id);
      },
      send: ({ messageId: ticket }): Promise<SendResult> => {
        this.#sent.push(ticket);
        return Promise.resolve({ kind: 'accepted', ticket });
      },
      wait: (_workspace, ticket, signal) =>
        new Promise((resolve) => {
          this.#ends.set(ticket, resolve);
          signal.addEventListener('abort', () => resolve({ kind: 'pending' }));
        }),
      cancel: () => {
        this.open.clear();
        return Promise.resolve('over');
      },
      answerQuestion: (asked, answer) => {
        if (!this.open.delete(asked.id) || !this.takes(asked)) return Promise.resolve('over');
        this.heard.push({ id: asked.id, answer });
        return Promise.resolve('taken');
      },
    };
  }
}

function never(): Promise<never> {
  return new Promise(() => {});
}

export function noteOf(shown: ShownMessage | undefined): string | undefined {
  return (shown?.content as QuestionContent | undefined)?.note;
}
