/** Proves that a bot works: its connection is up, it can write, and messages and button presses arrive. */
import { backoffMs } from '../../time/backoff.ts';
import { BridgeError } from '../../core/errors.ts';
import type { ChatId, MessageId, OpenId } from '../../core/ids.ts';
import { CLOCK_DIFFERENCE_MAX_MS } from '../../core/limits.ts';
import type { InboundEvent, InboundMessage } from '../../core/message.ts';
import type { Connection } from '../inbound/connection.ts';
import type { Gateway } from '../outbound/gateway.ts';
import { isProofPress, proofCard, type ProofTexts } from './proof-card.ts';
import { isPassing } from '../codes.ts';
import {
  botSwitchedOff,
  type BotPlaces,
  proofInterrupted,
  proofTimedOut,
  connectionRefused,
  isUnknownPerson,
  whatIsMissing,
  noTimeLeft,
  notConnected,
  notSent,
  type Problem,
} from './proof-problems.ts';
import { GRANT_BACKOFF_BASE_MS, GRANT_BACKOFF_MAX_MS } from './device-grant.ts';
import type { DeliveryResult } from '../../bridge/ports/delivery.ts';
import type { Intake } from '../../bridge/ports/intake.ts';
import type { Clock } from '../../time/clock.ts';
import { pause } from '../../time/wait.ts';

/** What Lark does without a person (accept a connection, accept a message) takes no longer than this. */
const PROOF_LARK_MS_MAX = 30_000;
/** How often the proof looks whether something has come. */
const PROOF_POLL_MS = 100;
/** A person needs some seconds to answer. After this they are told what may be missing, and again if that changes. */
const PROOF_HINT_AFTER_MS = 30_000;
const PROOF_HINT_EVERY_MS = 60_000;
/** If the chat shows a message and its event does not come in this time, Lark sends no event. */
const PROOF_EVENT_GRACE_MS = 10_000;
/** The clocks of this machine and of Lark rarely differ by more. */
const PROOF_CLOCK_SLACK_MS = 10_000;

/** `reply` comes before `sent` if the bot can't know whom to write to. */
export type ProofStep = 'connected' | 'sent' | 'reply' | 'press';

export type ProofEvent =
  | { readonly kind: 'step_begun'; readonly step: ProofStep; readonly ask?: ProofAsk }
  | { readonly kind: 'step_passed'; readonly step: ProofStep }
  /** Nothing has come yet. The proof keeps waiting. */
  | { readonly kind: 'step_waits'; readonly step: ProofStep; readonly problem: Problem };

/** What the person is asked to do. */
type ProofAsk =
  | { readonly what: 'reply' | 'press' }
  | { readonly what: 'write_first'; readonly bot: string; readonly chatUrl: string | undefined };

/** Keeps the messages that come during the proof. Both methods resolve when the message is on disk. */
interface HeldMessages extends Intake {
  /** The proof has answered this message: no turn begins for it. */
  settle(message: InboundMessage): Promise<void>;
}

export interface ProofOptions {
  readonly gateway: Pick<
    Gateway,
    'writeTo' | 'deliver' | 'history' | 'botInfo' | 'onlineInstances'
  >;
  readonly connect: (intake: Intake, onTerminal: (error: BridgeError) => void) => Connection;
  readonly held: HeldMessages;
  /** The person to write to. If undefined, the person has to write first. */
  readonly owner: OpenId | undefined;
  readonly places: BotPlaces;
  readonly texts: ProofTexts;
  /** Names this proof. It is a part of the keys of its messages. */
  readonly id: string;
  /** For the whole proof. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: ProofEvent) => void;
}

/** The chat whose message counts as the reply. */
type Expected = { readonly chat: ChatId | 'any' } | undefined;

export class Proof implements Intake {
  readonly #options: ProofOptions;
  readonly #begunAtMs: number;
  readonly #deadlineAtMs: number;
  readonly #connection: Connection;
  readonly #ended: Promise<never>;
  #end!: (error: unknown) => void;
  #expected: Expected;
  #card: MessageId | undefined;
  /** The message that was taken for the reply, and whether that is on disk. */
  #reply: InboundMessage | undefined;
  #replied = false;
  #pressed = false;

  constructor(options: ProofOptions) {
    this.#options = options;
    this.#begunAtMs = options.clock.nowMs();
    this.#deadlineAtMs = this.#begunAtMs + options.timeoutMs;
    this.#ended = new Promise<never>((_resolve, reject) => {
      this.#end = reject;
    });
    // The proof may end while nothing waits for it.
    this.#ended.catch(() => {});
    this.#connection = options.connect(this, (error) => this.#refused(error));
  }

  /** Resolves when all of it works. Throws a `BridgeError` that says what is missing and how to correct it. */
  async run(): Promise<void> {
    const { signal } = this.#options;
    const interrupt = () => this.#end(proofInterrupted());
    if (signal.aborted) interrupt();
    signal.addEventListener('abort', interrupt);
    try {
      await this.#connect();
      if (!(await this.#writeToOwner())) await this.#answerFirstMessage();
      await this.#waitFor('press', () => this.#pressed);
      await this.#sayGoodbye();
    } finally {
      signal.removeEventListener('abort', interrupt);
      await this.#connection.stop();
    }
  }

  /** Takes what Lark delivers during the proof. */
  async admit(event: InboundEvent): Promise<void> {
    const { held } = this.#options;
    if (isProofPress(event)) {
      this.#pressed = true;
      return;
    }
    if (event.kind !== 'message' || !this.#isReply(event.message)) {
      await held.admit(event);
      return;
    }
    this.#reply = event.message;
    // A message from before the bot asked is a proof too, but it is a question to the agent.
    if (this.#isAnswerToUs(event.message)) await held.settle(event.message);
    else await held.admit(event);
    this.#replied = true;
  }

  #isReply(message: InboundMessage): boolean {
    const { messageId, chatId, chatType, sentAtMs } = message;
    if (this.#reply !== undefined) return this.#reply.messageId === messageId;
    const isMeant = this.#expected?.chat === 'any' || this.#expected?.chat === chatId;
    return chatType === 'p2p' && isMeant && sentAtMs >= this.#begunAtMs - CLOCK_DIFFERENCE_MAX_MS;
  }

  #isAnswerToUs({ parentId, sentAtMs }: InboundMessage): boolean {
    const isUnderCard = parentId !== undefined && parentId === this.#card;
    return isUnderCard || sentAtMs >= this.#begunAtMs - PROOF_CLOCK_SLACK_MS;
  }

  async #connect(): Promise<void> {
    this.#begin('connected');
    this.#connection.start().catch((error: unknown) => this.#refused(error));
    const isUp = () => this.#connection.status().state === 'connected';
    if (!(await this.#until(isUp, PROOF_LARK_MS_MAX))) {
      const { lastError } = this.#connection.status();
      const isOver = this.#options.clock.nowMs() >= this.#deadlineAtMs;
      throw isOver && lastError === undefined ? noTimeLeft() : notConnected(lastError);
    }
    this.#pass('connected');
  }

  /** False if the bot can't know whom to write to. */
  async #writeToOwner(): Promise<boolean> {
    const { owner, gateway, id, places, texts } = this.#options;
    if (owner === undefined) return false;
    this.#begin('sent');
    const sent = await this.#retryWhilePassing(() =>
      gateway.writeTo(owner, proofCard(texts, texts.invitation), `${id}:card`),
    );
    if (!sent.ok) {
      if (isUnknownPerson(sent)) return false;
      throw notSent(sent, places);
    }
    this.#card = sent.id;
    this.#expected = { chat: sent.chatId };
    this.#pass('sent');
    await this.#waitFor('reply', () => this.#replied, { what: 'reply' });
    return true;
  }

  async #answerFirstMessage(): Promise<void> {
    const { gateway, id, places, texts } = this.#options;
    this.#expected = { chat: 'any' };
    const bot = await this.#botName();
    const ask = { what: 'write_first', bot, chatUrl: places.chatUrl } as const;
    await this.#waitFor('reply', () => this.#replied, ask);
    this.#begin('sent');
    const content = proofCard(texts, [texts.secondStep]);
    const out = { kind: 'send', chatId: this.#chat(), content } as const;
    const sent = await this.#retryWhilePassing(() => gateway.deliver(out, `${id}:card`, 'notice'));
    if (!sent.ok) throw notSent(sent, places);
    this.#pass('sent');
  }

  async #botName(): Promise<string> {
    const { gateway, places } = this.#options;
    try {
      return (await this.#orEnded(gateway.botInfo())).name;
    } catch (error) {
      if (!(error instanceof BridgeError) || error.code === 'interrupted') throw error;
      if (error.code === 'access_denied') throw botSwitchedOff(error.message, places);
      return ''; // Only the name is missing: the messages show whether the bot works.
    }
  }

  async #sayGoodbye(): Promise<void> {
    const { gateway, id, texts } = this.#options;
    const content = { kind: 'text', text: texts.farewell } as const;
    const out = { kind: 'send', chatId: this.#chat(), content } as const;
    // Everything is proven by now, so the result does not matter.
    await this.#orEnded(gateway.deliver(out, `${id}:bye`, 'notice'));
  }

  #chat(): ChatId {
    if (this.#reply === undefined) throw new Error('nobody has written yet');
    return this.#reply.chatId;
  }

  /** Waits for a person. Tells what may be missing, after a while and when the time is over. */
  async #waitFor(
    step: 'reply' | 'press',
    isDone: () => boolean,
    ask: ProofAsk = { what: 'press' },
  ): Promise<void> {
    const { clock, places, onEvent } = this.#options;
    this.#begin(step, ask);
    let told = '';
    let waitMs = PROOF_HINT_AFTER_MS;
    while (!(await this.#until(isDone, waitMs))) {
      waitMs = PROOF_HINT_EVERY_MS;
      const facts = { step, ...(await this.#askLark(step)) };
      const isProven = facts.hasWritten === true;
      if (isProven && (await this.#until(isDone, PROOF_EVENT_GRACE_MS))) break;
      if (isDone()) break;
      const problem = whatIsMissing(facts, places);
      if (isProven || clock.nowMs() >= this.#deadlineAtMs) throw proofTimedOut(problem);
      if (problem.text !== told) onEvent({ kind: 'step_waits', step, problem });
      told = problem.text;
    }
    this.#pass(step);
  }

  /** What Lark can say about a step that waits for too long. */
  async #askLark(step: 'reply' | 'press') {
    const { gateway } = this.#options;
    const known = async <T>(call: Promise<T>): Promise<T | undefined> => {
      try {
        return await this.#orEnded(call);
      } catch (error) {
        if (!(error instanceof BridgeError) || error.code === 'interrupted') throw error;
        return undefined; // The answer only makes the advice better.
      }
    };
    const connections = await known(gateway.onlineInstances());
    const chat = this.#expected?.chat;
    if (step === 'press' || chat === undefined || chat === 'any') {
      return { connections, hasWritten: undefined };
    }
    const sinceMs = this.#begunAtMs - CLOCK_DIFFERENCE_MAX_MS;
    const messages = (await known(gateway.history(chat, sinceMs))) ?? [];
    const at = messages.findIndex(({ messageId }) => messageId === this.#card);
    const hasWritten =
      at < 0 ? undefined : messages.slice(at + 1).some(({ own, deleted }) => !own && !deleted);
    return { connections, hasWritten };
  }

  /** Makes a call again for a while if it failed for a reason that passes. */
  async #retryWhilePassing<T extends { readonly ok: true }>(
    call: () => Promise<T | Extract<DeliveryResult, { ok: false }>>,
  ): Promise<T | Extract<DeliveryResult, { ok: false }>> {
    const { clock, random } = this.#options;
    const endAtMs = Math.min(clock.nowMs() + PROOF_LARK_MS_MAX, this.#deadlineAtMs);
    for (let tries = 1; ; tries++) {
      const result = await this.#orEnded(call());
      if (result.ok || !isPassing(result)) return result;
      const limits = { baseMs: GRANT_BACKOFF_BASE_MS, maxMs: GRANT_BACKOFF_MAX_MS };
      const delayMs = backoffMs(tries, { ...limits, random: random() });
      const waitMs = Math.max(delayMs, result.retryAfterMs ?? 0);
      if (clock.nowMs() + waitMs >= endAtMs) return result;
      await this.#until(() => false, waitMs);
    }
  }

  /** False if it is not done in time, or not before the whole proof is over. Rejects when the proof ends. */
  async #until(isDone: () => boolean, durationMs: number): Promise<boolean> {
    const { clock, signal } = this.#options;
    const endAtMs = Math.min(clock.nowMs() + durationMs, this.#deadlineAtMs);
    for (;;) {
      if (isDone()) return true;
      const leftMs = endAtMs - clock.nowMs();
      if (leftMs <= 0) return false;
      await this.#orEnded(pause(clock, signal, Math.min(PROOF_POLL_MS, leftMs)));
    }
  }

  #orEnded<T>(work: Promise<T>): Promise<T> {
    return Promise.race([this.#ended, work]);
  }

  #refused(error: unknown): void {
    const { places } = this.#options;
    this.#end(error instanceof BridgeError ? connectionRefused(error, places) : error);
  }

  #begin(step: ProofStep, ask?: ProofAsk): void {
    this.#options.onEvent({ kind: 'step_begun', step, ...(ask !== undefined && { ask }) });
  }

  #pass(step: ProofStep): void {
    this.#options.onEvent({ kind: 'step_passed', step });
  }
}
