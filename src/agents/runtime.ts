/** What an agent is to whoever runs its turns. */
import type { LarkContext } from '../core/message.ts';
import type { ProgramOutput } from '../core/program-output.ts';

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
  /** Never rejects for what an agent does wrong. */
  readonly result: Promise<AgentResult>;
  /** Ends the run; `result` then settles as `cancelled`. Harmless after the end. */
  cancel(): void;
}

/** Something that answers turns. Progress before the answer comes as a later method of `AgentRun`. */
export interface Agent {
  start(turn: AgentTurn): AgentRun;
}

/** An agent that can be run here. */
export type RunnableSpec =
  | { readonly kind: 'echo' }
  | { readonly kind: 'exec'; readonly argv: readonly string[] };

/** Builds the agent that a turn runs on; called once a turn. */
export type AgentFactory = (spec: RunnableSpec) => Agent;
