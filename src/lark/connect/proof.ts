/** Proves that a bot works: its connection is up, it can write, and messages and presses come back. */
import { backoffMs } from '../../time/backoff.ts';
import { BridgeError } from '../../core/errors.ts';
import type { ChatId, MessageId, OpenId } from '../../core/ids.ts';
import { CLOCK_DIFFERENCE_MAX_MS } from '../../core/limits.ts';
import type { InboundEvent, InboundMessage } from '../../core/message.ts';
import type { Connection } from '../inbound/connection.ts';
import type { Gateway } from '../outbound/gateway.ts';
import { farewell, invitation, isProofPress, secondStep } from './proof-card.ts';
import { isPassing } from '../codes.ts';
import {
  botSwitchedOff,
  type BotPlaces,
  proofInterrupted,
  proofTimedOut,
  connectionRefused,
  isUnknownPerson,
  missingFor,
  noTimeLeft,
  notConnected,
  notSent,
  type Problem,
} from './proof-problems.ts';
import { GRANT_BACKOFF_BASE_MS, GRANT_BACKOFF_MAX_MS } from './device-grant.ts';
import type { DeliveryResult, Intake } from '../../bridge/ports.ts';
import type { Clock } from '../../time/clock.ts';

/** The check at the end of `connect`: what Lark has to do by itself (connect, take a message) it does by then. */
const PROOF_LARK_MS_MAX = 30_000;
/** How often the check looks whether something has come. */
const PROOF_POLL_MS = 100;
/** A person needs some seconds to answer; after this they are told what may be missing, later again if that changes. */
const PROOF_HINT_AFTER_MS = 30_000;
const PROOF_HINT_EVERY_MS = 60_000;
/** A message that the chat shows, and whose event has not come by now, has none. */
const PROOF_EVENT_GRACE_MS = 10_000;
/** The clocks of this machine and of Lark are rarely further apart. */
const PROOF_CLOCK_SLACK_MS = 10_000;

/** `reply` comes before `sent` where the bot can't know whom to write to. */
export type ProofStep = 'connected' | 'sent' | 'reply' | 'press';

export type ProofEvent =
  | { readonly kind: 'step_begun'; readonly step: ProofStep; readonly ask?: ProofAsk }
  | { readonly kind: 'step_passed'; readonly step: ProofStep }
  /** Nothing has come yet; it is waited on. */
  | { readonly kind: 'step_waits'; readonly step: ProofStep; readonly problem: Problem };

/** What the person is asked to do. */
export type ProofAsk =
  | { readonly what: 'reply' | 'press' }
  | { readonly what: 'write_first'; readonly bot: string; readonly chatUrl: string | undefined };

/** Where messages go that come in meanwhile. Both resolve when durable. */
export interface Letters extends Intake {
  /** The check has answered it: it is known from now on, and nobody's turn. */
  settle(message: InboundMessage): Promise<void>;
}

export interface ProofOptions {
  readonly gateway: Pick<
    Gateway,
    'writeTo' | 'deliver' | 'history' | 'botInfo' | 'onlineInstances'
  >;
  readonly connect: (intake: Intake, onTerminal: (error: BridgeError) => void) => Connection;
  readonly letters: Letters;
  /** Who is written to; undefined if nobody knows: then the person writes first. */
  readonly owner: OpenId | undefined;
  readonly places: BotPlaces;
  /** Names this check; part of the keys of its messages. */
  readonly id: string;
  /** For all of it. */
  readonly timeoutMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: ProofEvent) => void;
}

/** Resolves when all of it works. Throws a `BridgeError` that says what is missing and where to mend it. */
export function runVerification(options: ProofOptions): Promise<void> {
  return new Verification(options).run();
}

/** Whose message counts as the reply. */
type Expected = { readonly chat: ChatId | 'any' } | undefined;

class Verification implements Intake {
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
    // It may end while nobody waits.
    this.#ended.catch(() => {});
    this.#connection = options.connect(this, (error) => this.#refused(error));
  }

  async run(): Promise<void> {
    const { signal } = this.#options;
    const interrupt = () => this.#end(proofInterrupted());
    if (signal.aborted) interrupt();
    signal.addEventListener('abort', interrupt);
    try {
      await this.#connect();
      if (!(await this.#writeToOwner())) await this.#answerFirstWord();
      await this.#waitFor('press', () => this.#pressed);
      await this.#sayGoodbye();
    } finally {
      signal.removeEventListener('abort', interrupt);
      await this.#connection.stop();
    }
  }

  /** The door for what Lark delivers meanwhile. */
  async admit(event: InboundEvent): Promise<void> {
    const { letters } = this.#options;
    if (isProofPress(event)) {
      this.#pressed = true;
      return;
    }
    if (event.kind !== 'message' || !this.#isReply(event.message)) return letters.admit(event);
    this.#reply = event.message;
    // What was written before anybody asked proves as much, but it is a question to the agent.
    if (this.#isAnswerToUs(event.message)) await letters.settle(event.message);
    else await letters.admit(event);
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
    const { owner, gateway, id, places } = this.#options;
    if (owner === undefined) return false;
    this.#begin('sent');
    const sent = await this.#insist(() => gateway.writeTo(owner, invitation(), `${id}:card`));
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

  async #answerFirstWord(): Promise<void> {
    const { gateway, id, places } = this.#options;
    this.#expected = { chat: 'any' };
    const bot = await this.#botName();
    const ask = { what: 'write_first', bot, chatUrl: places.chatUrl } as const;
    await this.#waitFor('reply', () => this.#replied, ask);
    this.#begin('sent');
    const out = { kind: 'send', chatId: this.#chat(), content: secondStep() } as const;
    const sent = await this.#insist(() => gateway.deliver(out, `${id}:card`, 'notice'));
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
      return ''; // Only its name: the messages tell the rest.
    }
  }

  async #sayGoodbye(): Promise<void> {
    const { gateway, id } = this.#options;
    const out = { kind: 'send', chatId: this.#chat(), content: farewell() } as const;
    // A courtesy: everything is proven by now.
    await this.#orEnded(gateway.deliver(out, `${id}:bye`, 'notice'));
  }

  #chat(): ChatId {
    if (this.#reply === undefined) throw new Error('nobody has written yet');
    return this.#reply.chatId;
  }

  /** A person's step: what may be missing is told after a while, and when the time is over. */
  async #waitFor(
    step: 'reply' | 'press',
    look: () => boolean,
    ask: ProofAsk = { what: 'press' },
  ): Promise<void> {
    const { clock, places, onEvent } = this.#options;
    this.#begin(step, ask);
    let told = '';
    let waitMs = PROOF_HINT_AFTER_MS;
    while (!(await this.#until(look, waitMs))) {
      waitMs = PROOF_HINT_EVERY_MS;
      const facts = { step, ...(await this.#lookAround(step)) };
      const isProven = facts.hasWritten === true;
      if (isProven && (await this.#until(look, PROOF_EVENT_GRACE_MS))) break;
      if (look()) break;
      const problem = missingFor(facts, places);
      if (isProven || clock.nowMs() >= this.#deadlineAtMs) throw proofTimedOut(problem);
      if (problem.text !== told) onEvent({ kind: 'step_waits', step, problem });
      told = problem.text;
    }
    this.#pass(step);
  }

  /** What Lark can say about a step that does not get on. */
  async #lookAround(step: 'reply' | 'press') {
    const { gateway } = this.#options;
    const known = async <T>(call: Promise<T>): Promise<T | undefined> => {
      try {
        return await this.#orEnded(call);
      } catch (error) {
        if (!(error instanceof BridgeError) || error.code === 'interrupted') throw error;
        return undefined; // It is only asked to be of help.
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

  /** A call that Lark or the network refuses for a passing reason is made again for a while. */
  async #insist<T extends { readonly ok: true }>(
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

  /** False if it was not so within the time, or within that of the whole check. Rejects when the check ends. */
  async #until(look: () => boolean, durationMs: number): Promise<boolean> {
    const { clock } = this.#options;
    const endAtMs = Math.min(clock.nowMs() + durationMs, this.#deadlineAtMs);
    for (;;) {
      if (look()) return true;
      const leftMs = endAtMs - clock.nowMs();
      if (leftMs <= 0) return false;
      const pause = new Promise<void>((resolve) => {
        clock.after(Math.min(PROOF_POLL_MS, leftMs), resolve);
      });
      await this.#orEnded(pause);
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
