/** An agent, as the code that runs its turns sees it. */
import type { AnswerFiles } from '../core/content.ts';
import type { LarkContext } from '../core/message.ts';
import type { ProgramOutput } from '../core/program-output.ts';
import type { TurnDetails } from '../core/turn-details.ts';
import type { QuestionAnswer, TurnUpdate } from '../core/turn-update.ts';

export interface AgentTurn {
  /** The hub's id of this turn. A turn that is run again has the same id. */
  readonly turnId: string;
  /** What the person wrote, without the header line. */
  readonly text: string;
  readonly lark: LarkContext | undefined;
  /** Where the message comes from according to a sender that may not say so. Nobody has checked it. */
  readonly claimedLark?: LarkContext;
  readonly details?: TurnDetails;
}

export type AgentResult =
  /** `output`: only if the answer is empty. */
  | {
      readonly ok: true;
      readonly text: string;
      readonly attached?: AnswerFiles;
      readonly output?: ProgramOutput;
    }
  | {
      readonly ok: false;
      readonly reason: 'failed' | 'timed_out' | 'cancelled';
      /** For the person in the chat: one plain sentence, no secrets, no stack. */
      readonly detail: string;
      /** What it had said of its answer. Only of a run that was cancelled. */
      readonly text?: string;
      readonly output?: ProgramOutput;
    };

export interface AgentRun {
  /** How the turn ends. It does not reject because of a mistake of the agent. */
  readonly result: Promise<AgentResult>;
  /** Ends the run: `result` then is `cancelled`. After the end it does nothing. */
  cancel(): void;
  /** Gives it the answer to a question that it told. False if it does not wait for it. */
  answer(questionId: string, answer: QuestionAnswer): boolean;
}

/**
 * One agent that answers turns, several at once. It takes turns between its start and its stop. It can be
 * started once: a start after the stop does nothing.
 */
export interface AgentRuntime {
  /** Makes it ready for turns. A second call does nothing. Rejects if the agent can't be made ready. */
  start(): Promise<void>;
  /** Cancels the open runs. Resolves when nothing of the agent is left. Never rejects. */
  stop(): Promise<void>;
  /** Gives it a turn. `onUpdate` is not called after the end. Before `start` and after `stop` the turn fails. */
  prompt(turn: AgentTurn, onUpdate: (update: TurnUpdate) => void): AgentRun;
}

/** A program that is started for each turn. */
export interface ExecSpec {
  readonly kind: 'exec';
  readonly argv: readonly string[];
  /** It reads and writes JSON lines, and tells what it does while it works. */
  readonly stream?: true;
  /** Names of variables that it gets from the bridge's own environment. */
  readonly variables?: readonly string[];
  /** A file with variables for it, which is read at each start. */
  readonly variablesFile?: string;
  /** The user as whom it runs; undefined: the user of the bridge. */
  readonly user?: string;
}

/** An agent that can be run here. */
export type RunnableSpec = { readonly kind: 'echo' } | ExecSpec;

/** Makes the runtime of an agent, not started yet. */
export type CreateRuntime = (spec: RunnableSpec) => AgentRuntime;
