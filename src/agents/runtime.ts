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
  /** The memory that it belongs to. Undefined: its sender keeps none, so each turn stands for itself. */
  readonly session?: TurnSession;
}

/** The memory of an agent for one chat or thread, as the runtime is given it with a turn. */
export interface TurnSession {
  /** The bridge's id of it. Turns of one session run one after another. */
  readonly id: string;
  /** Where the agent works: an absolute path. Undefined: the folder of the agent. */
  readonly folder?: string;
  /** The agent's own id of it, once it has one. */
  readonly nativeId?: string;
  /** What people chose for it, such as a mode or a model: the ids of values by the ids of options. */
  readonly choices?: Readonly<Record<string, string>>;
}

/** What a runtime can ask of whoever gave it a turn. */
export interface TurnHost {
  /** Not called after the end of the turn. */
  readonly onUpdate: (update: TurnUpdate) => void;
  /** Any sign of life of the agent, also one that nobody is shown. */
  readonly onSign?: () => void;
  /** Silence is no trouble until the returned function is called: a tool is at work. */
  readonly expectSilence?: () => () => void;
  /** Stores the agent's own id of the session, before the agent hears the prompt. Undefined forgets it. */
  readonly keepSession?: (nativeId: string | undefined) => Promise<void>;
  /** What was said in the session before, bounded, for an agent that does not remember. Empty: nothing. */
  readonly saidBefore?: () => Promise<string>;
  /** What the agent may do in the chat of the turn. Undefined: nothing. */
  readonly chat?: ChatTools;
}

/** What an agent can do in the chat of its turn. The chat is never a parameter. */
export interface ChatTools {
  /** Shows a file to the chat. Resolves when it is stored. */
  sendFile(file: ChatFile, caption: string | undefined): Promise<ToolOutcome>;
  /** The latest messages of the chat, or those before an id, oldest first. */
  readHistory(query: {
    readonly limit: number;
    readonly before?: string;
  }): Promise<readonly ChatMessage[]>;
  /** Adds a reaction to the message of the turn. */
  react(emoji: string): Promise<ToolOutcome>;
}

/** `refused`: why it was not done, in words for the agent. */
interface ToolOutcome {
  readonly refused?: string;
}

/** A file as it was read: whoever may read what decides the runtime, which knows where the agent works. */
export interface ChatFile {
  readonly name: string;
  readonly bytes: Uint8Array;
}

export interface ChatMessage {
  readonly id: string;
  readonly sender: string;
  readonly text: string;
  readonly atMs: number;
}

export type AgentResult =
  /** `output`: only if the answer is empty. */
  | {
      readonly ok: true;
      readonly text: string;
      readonly attached?: AnswerFiles;
      readonly output?: ProgramOutput;
      /** The agent ended before it said that its answer is complete. `detail` says so. */
      readonly warning?: string;
    }
  | {
      readonly ok: false;
      readonly reason: 'failed' | 'timed_out' | 'cancelled';
      /** For the person in the chat: one plain sentence, no secrets, no stack. */
      readonly detail: string;
      /** What it had said of its answer. Only of a run that was cancelled. */
      readonly text?: string;
      readonly output?: ProgramOutput;
      /** Of its program, if that ended with one. */
      readonly exitCode?: number;
      /** The agent is elsewhere, and its address does not answer. */
      readonly isUnreachable?: true;
      /** Somebody has to log in on the machine of the bridge, with this command. */
      readonly login?: { readonly command: string | undefined };
    };

export type FailedResult = Extract<AgentResult, { ok: false }>;

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
  /** Gives it a turn. Before `start` and after `stop` the turn fails. */
  prompt(turn: AgentTurn, host: TurnHost): AgentRun;
  /** Whether the agent can be reached now. Absent: it is on this machine. Never rejects. */
  reaches?(): Promise<boolean>;
  /** Absent: the agent has no memory of its own. */
  readonly sessions?: RuntimeSessions;
}

/** The memories of an agent. */
export interface RuntimeSessions {
  /** What can be chosen for a session, as the agent said it last. Starts nothing. */
  options(sessionId: string): readonly SessionOption[];
  /** Chooses at once if the session lives; else the choice counts from its next turn on. Rejects if the agent refuses. */
  choose(sessionId: string, option: string, value: string): Promise<void>;
  /** Nobody needs it any more. */
  close(sessionId: string): Promise<void>;
}

/** `mode`: how freely the agent acts. `model`: which model it asks. */
export interface SessionOption {
  readonly id: string;
  readonly name: string;
  readonly is: 'mode' | 'model' | 'other';
  readonly current: string;
  readonly values: readonly {
    readonly id: string;
    readonly name: string;
    readonly description?: string;
  }[];
}

/** Whose agent a runtime is, and what it says outside of turns. */
export interface RuntimeHost {
  /** The name of the agent. */
  readonly agent: string;
  /** The agent said more after the end of a turn. It belongs to no other turn. */
  readonly onLateText: (session: string, text: string) => void;
  /** For the owner of the bot, once for each agent and kind. */
  readonly onOwnerNotice: (notice: OwnerNotice) => void;
}

/** What the owner has to know about an agent. */
export type OwnerNotice =
  /** The agent has no mode that asks, or nobody knows which one does. `mode`: the one that it works in. */
  | { readonly kind: 'mode_unknown'; readonly mode: string }
  /** The agent never asked what tools the bridge has. */
  | { readonly kind: 'tools_ignored' };

/** The variable that marks the processes of a run. Its value is random, so only they have it. */
export const RUN_MARK = 'LARK_RUN_ID';

/** What is given to any program of an agent. */
export interface ProgramSpec {
  readonly argv: readonly string[];
  /** Names of variables that it gets from the bridge's own environment. */
  readonly variables?: readonly string[];
  /** A file with variables for it, which is read at each start. */
  readonly variablesFile?: string;
  /** The user as whom it runs; undefined: the user of the bridge. */
  readonly user?: string;
}

/** A program that is started for each turn. */
export interface ExecSpec extends ProgramSpec {
  readonly kind: 'exec';
  /** It reads and writes JSON lines, and tells what it does while it works. */
  readonly stream?: true;
}

/** A program that lives on between turns, and speaks the Agent Client Protocol on its standard streams. */
export interface AcpSpec extends ProgramSpec {
  readonly kind: 'acp';
  /** Its name in the table of known agents. */
  readonly known?: string;
  /** Where it works if nobody chose another folder. Absolute. Undefined: a folder in the state directory. */
  readonly folder?: string;
  /** `auto`: it acts without asking, in the mode that it starts in. */
  readonly permissions: 'ask' | 'auto';
  /** Of whoever added it: where its programs and its login are, however the bridge is started later. */
  readonly places?: { readonly PATH?: string; readonly HOME?: string };
}

/** An agent elsewhere that speaks A2A. */
export interface A2aSpec {
  readonly kind: 'a2a';
  /** The address of its card, or the one below which the card is. */
  readonly url: string;
  /** Its address may be a private one, because a person named it. */
  readonly isPrivate?: true;
  /** The variable of the bridge's environment with the token for it. */
  readonly tokenVariable?: string;
}

/** An agent that can be run here. */
export type RunnableSpec = { readonly kind: 'echo' } | ExecSpec | AcpSpec | A2aSpec;

/** True of agents that remember what was said, and may have acted when they were interrupted. */
export function hasMemory({ kind }: { readonly kind: string }): boolean {
  return kind === 'acp' || kind === 'a2a';
}

/** Makes the runtime of an agent, not started yet. */
export type CreateRuntime = (spec: RunnableSpec, host: RuntimeHost) => AgentRuntime;
