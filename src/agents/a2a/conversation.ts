/** The talk with an agent elsewhere about one turn. It goes on over lost connections, and says nothing twice. */
import type { Log } from '../../core/log.ts';
import { backoffMs } from '../../time/backoff.ts';
import type { Clock } from '../../time/clock.ts';
import { pause, untilAborted } from '../../time/wait.ts';
import type { RemoteAgent } from './agent.ts';
import type { A2aClient } from './client.ts';
import type { AgentEvent, AgentStatus } from './events.ts';
import type { OutgoingMessage } from './prompt.ts';
import { AgentTrouble, isPassing, isUnheard } from './trouble.ts';

/** How often a message is tried that did not leave: over about 10 s. */
const SENDS_MAX = 5;
const SEND_AGAIN = { baseMs: 500, maxMs: 5_000 };
/** How often a task is asked about that can't be reached: over about 10 minutes. */
const LOST_MAX = 25;
const ASK_LOST = { baseMs: 1_000, maxMs: 30_000 };
/** Between two looks at a task that nobody tells about. */
const LOOK = { baseMs: 500, maxMs: 5_000 };
/** An agent that still asks the same at so many looks has not got the answer. */
const SAME_QUESTION_LOOKS = 3;

interface ConversationParts {
  readonly agent: RemoteAgent;
  readonly clock: Clock;
  /** Its lines name the turn. */
  readonly log: Log;
  /** The agent's own id of what was said before. Empty: nothing was. */
  readonly context: string;
  /** Each thing that the agent says, one after another. */
  readonly take: (event: AgentEvent) => Promise<void>;
}

/** What a message has come to. */
type Sending = 'not_sent' | 'sent' | 'heard' | 'over';

export class Conversation {
  readonly #parts: ConversationParts;
  #context: string;
  #task = '';
  /** The question that the last message answers. */
  #answered: string | undefined;
  #asked: string | undefined;
  #sending: Sending = 'not_sent';
  /** It is not only asked about its work. */
  #listens = true;
  #changed: () => void = () => {};

  constructor(parts: ConversationParts) {
    this.#parts = parts;
    this.#context = parts.context;
  }

  /** The agent's ids of the conversation, and of its work on this. Empty as long as it has not said them. */
  get context(): string {
    return this.#context;
  }

  get task(): string {
    return this.#task;
  }

  /** Sends a message. Resolves when the agent has ended its work, or waits for somebody. Throws an `AgentTrouble`. */
  async say(message: OutgoingMessage, signal: AbortSignal): Promise<AgentStatus> {
    this.#answered = this.#asked;
    try {
      return await this.#exchange(message, signal);
    } finally {
      this.#move('over');
    }
  }

  /** Tells the agent to stop. Resolves when it has, when it can't be told, or when `limit` aborts. */
  async cancel(limit: AbortSignal): Promise<void> {
    // The task has no id before the agent has said a word.
    await this.#until(() => this.#sending !== 'sent', limit);
    if (this.#task === '' || limit.aborted) return;
    try {
      const client = await this.#parts.agent.client();
      const { status } = await client.cancel(this.#task, limit);
      if (isGoingOn(status)) await this.#until(() => this.#sending === 'over', limit);
    } catch (error) {
      const { log } = this.#parts;
      const { kind } = troubleIn(error);
      // It may have ended just before.
      log.info('a2a_task_not_cancelled', { task: this.#task, why: kind });
    }
  }

  async #exchange(message: OutgoingMessage, signal: AbortSignal): Promise<AgentStatus> {
    const { agent, clock } = this.#parts;
    for (let attempt = 1; ; attempt++) {
      try {
        const client = await agent.client();
        if (signal.aborted) throw new AgentTrouble('not_sent', 'the turn was stopped');
        this.#move('sent');
        const end = await this.#read(client.send(message, signal));
        return end ?? (await this.#followUp(signal));
      } catch (error) {
        const trouble = troubleIn(error);
        const isHeard = this.#sending === 'heard';
        if (!isHeard && isUnheard(trouble) && attempt < SENDS_MAX && !signal.aborted) {
          this.#move('not_sent');
          agent.forgetCard();
          await pause(clock, signal, waitMs(attempt, SEND_AGAIN));
        } else if (this.#task === '' || signal.aborted || !this.#canBeAsked(trouble)) throw trouble;
        else return await this.#followUp(signal);
      }
    }
  }

  /** Undefined if the agent stopped telling before its work had ended. */
  async #read(events: AsyncIterable<AgentEvent>): Promise<AgentStatus | undefined> {
    for await (const event of events) {
      const status = await this.#taken(event);
      if (status !== undefined && status.state !== 'unknown' && !this.#isOld(status)) return status;
    }
    return undefined;
  }

  /** Asks about the task until it has ended or waits for somebody, and listens in between if the agent tells. */
  async #followUp(signal: AbortSignal): Promise<AgentStatus> {
    const { agent, clock, log } = this.#parts;
    if (this.#task === '') throw new AgentTrouble('unreadable', 'it said nothing about its work');
    let looks = 0;
    let lost = 0;
    let sameQuestion = 0;
    for (;;) {
      const delayMs = lost > 0 ? waitMs(lost, ASK_LOST) : waitMs(looks, LOOK);
      await pause(clock, signal, delayMs);
      if (signal.aborted) throw new AgentTrouble('no_answer', 'the turn was stopped');
      try {
        const client = await agent.client();
        const status = await this.#taken(await client.task(this.#task, signal));
        lost = 0;
        looks += 1;
        if (status !== undefined && this.#isOld(status)) sameQuestion += 1;
        else if (status !== undefined) return status;
        if (sameQuestion >= SAME_QUESTION_LOOKS && status !== undefined) return status;
        // What it told before it stopped is looked at again as a whole: a piece may be missing.
        const tells = client.streams && this.#listens;
        if (tells && sameQuestion === 0) await this.#listen(client, signal);
      } catch (error) {
        const trouble = troubleIn(error);
        lost += 1;
        if (!isPassing(trouble) || lost >= LOST_MAX) throw trouble;
        agent.forgetCard();
        log.info('a2a_task_not_reached', { task: this.#task, detail: trouble.message });
      }
    }
  }

  async #listen(client: A2aClient, signal: AbortSignal): Promise<void> {
    try {
      await this.#read(client.follow(this.#task, signal));
    } catch (error) {
      const trouble = troubleIn(error);
      // The client knows from now on that it can't, and asks about the task instead.
      if (trouble.kind === 'unsupported') return;
      if (isPassing(trouble) || !this.#canBeAsked(trouble)) throw trouble;
    }
  }

  /** A file may be too large for a stream, and not for an answer. */
  #canBeAsked(trouble: AgentTrouble): boolean {
    if (trouble.kind === 'too_large') this.#listens = false;
    return trouble.kind === 'too_large' || isPassing(trouble);
  }

  /** The status that the event tells, unless the work goes on. */
  async #taken(event: AgentEvent): Promise<AgentStatus | undefined> {
    await this.#parts.take(event);
    if (event.context !== '') this.#context = event.context;
    if (event.kind === 'message') {
      this.#move('heard');
      return { state: 'completed', parts: [], mark: '' };
    }
    if (event.task !== '') this.#task = event.task;
    this.#move('heard');
    if (event.kind === 'artifact' || isGoingOn(event.status)) return undefined;
    if (event.status.state === 'input_required') this.#asked = event.status.mark;
    return event.status;
  }

  /** The question that was just answered, which a slow agent may still show. */
  #isOld({ state, mark }: AgentStatus): boolean {
    return state === 'input_required' && mark === this.#answered;
  }

  #move(to: Sending): void {
    this.#sending = to;
    this.#changed();
  }

  async #until(isReached: () => boolean, limit: AbortSignal): Promise<void> {
    while (!isReached() && !limit.aborted) {
      const moved = new Promise<void>((resolve) => {
        this.#changed = resolve;
      });
      await Promise.race([moved, untilAborted(limit)]);
    }
  }
}

function isGoingOn({ state }: AgentStatus): boolean {
  return state === 'working';
}

function troubleIn(error: unknown): AgentTrouble {
  if (error instanceof AgentTrouble) return error;
  throw error;
}

function waitMs(attempt: number, times: { readonly baseMs: number; readonly maxMs: number }) {
  return backoffMs(attempt, { ...times, random: Math.random() });
}
