/** What one room needs from another. Rooms import these, never each other; `app.ts` joins them. */
import type { LarkContext } from './message.ts';

export interface Clock {
  nowMs(): number;
  /** Calls `run` once after `delayMs`; the returned function cancels. */
  after(delayMs: number, run: () => void): () => void;
}

export type LogFields = Readonly<Record<string, unknown>>;

/** Event names in the past tense and flat fields; ids yes, text of chats and secrets never. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

// ---------------------------------------------------------------- agents (run by the hub)

export interface AgentTurn {
  /** Names this turn at the hub; the same id comes again if the turn has to be run again. */
  readonly turnId: string;
  /** What the person wrote, without the header line. */
  readonly text: string;
  readonly lark: LarkContext | undefined;
}

export type AgentResult =
  | { readonly ok: true; readonly text: string }
  | {
      readonly ok: false;
      readonly reason: 'failed' | 'timed_out' | 'cancelled';
      /** For the person in the chat: one plain sentence, no secrets, no stack. */
      readonly detail: string;
    };

export interface AgentRun {
  /** Never rejects for what an agent does wrong. */
  readonly result: Promise<AgentResult>;
  /** Ends the run; `result` then settles as `cancelled`. Harmless after the end. */
  cancel(): void;
}

/** Something that answers turns. Progress before the answer comes as a later method of `AgentRun`. */
export interface Agent {
  start(turn: AgentTurn): AgentRun;
}
