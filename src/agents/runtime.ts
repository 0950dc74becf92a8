/** What an agent is to whoever runs its turns. */
import type { LarkContext } from '../core/message.ts';
import type { ProgramOutput } from '../core/program-output.ts';
import type { TurnUpdate } from '../core/turn-update.ts';

export interface AgentTurn {
  /** Names this turn at the hub; the same id comes again if the turn has to be run again. */
  readonly turnId: string;
  /** What the person wrote, without the header line. */
  readonly text: string;
  readonly lark: LarkContext | undefined;
}

export type AgentResult =
  /** `output`: only where the answer is empty. */
  | { readonly ok: true; readonly text: string; readonly output?: ProgramOutput }
  | {
      readonly ok: false;
      readonly reason: 'failed' | 'timed_out' | 'cancelled';
      /** For the person in the chat: one plain sentence, no secrets, no stack. */
      readonly detail: string;
      readonly output?: ProgramOutput;
    };

export interface AgentRun {
  /** The one end of the turn. Never rejects for what an agent does wrong. */
  readonly result: Promise<AgentResult>;
  /** Ends the run; `result` then settles as `cancelled`. Does nothing after the end. */
  cancel(): void;
}

/**
 * One agent that answers turns, from its start to its stop. It takes turns in between, several at once. It has
 * one life: after the stop a start changes nothing.
 */
export interface AgentRuntime {
  /** Makes it ready for turns; a second call changes nothing. Rejects if the agent can't be made ready. */
  start(): Promise<void>;
  /** Cancels the runs that are open, and resolves when nothing of the agent is left. Never rejects. */
  stop(): Promise<void>;
  /** Gives it a turn. `onUpdate` is not called after the end. Outside of its life the turn fails at once. */
  prompt(turn: AgentTurn, onUpdate: (update: TurnUpdate) => void): AgentRun;
}

/** An agent that can be run here. */
export type RunnableSpec =
  | { readonly kind: 'echo' }
  | { readonly kind: 'exec'; readonly argv: readonly string[] };

/** Makes the runtime of an agent, not started yet. */
export type CreateRuntime = (spec: RunnableSpec) => AgentRuntime;
