import type { OpenId } from './ids.ts';

/** What an agent's runtime tells the bridge about a turn before the turn ends. Most of it is only shown, so it may be lost. */
export type TurnUpdate =
  /** More of the answer. */
  | { readonly kind: 'text_added'; readonly text: string }
  /** All of the answer up to now, in place of what was told before. */
  | { readonly kind: 'text_replaced'; readonly text: string }
  /** What the agent thinks on its way. People see it only if they want to. */
  | { readonly kind: 'thought_added'; readonly text: string }
  /** What the agent is doing. */
  | { readonly kind: 'status'; readonly text: string }
  /** A part of the agent's work. A step with a known id changes that step. */
  | { readonly kind: 'step'; readonly step: TurnStep }
  /** All that the agent means to do, each time the whole list. */
  | { readonly kind: 'plan'; readonly entries: readonly PlanEntry[] }
  /** What the agent wants to be seen beside its answer. */
  | { readonly kind: 'remark'; readonly level: 'info' | 'warning' | 'error'; readonly text: string }
  /** What the turn has used up to now. Each one replaces what was told before. */
  | { readonly kind: 'usage'; readonly usage: TurnUsage }
  /** The runtime says something about the turn in its own name. It is stored, and the chat is told once. */
  | { readonly kind: 'told'; readonly what: RuntimeNotice }
  | QuestionUpdate;

/** The turn waits for a person. Its time limits stand still meanwhile. Unlike the other updates it is stored. */
export interface QuestionUpdate {
  readonly kind: 'question';
  readonly id: string;
  readonly text: string;
  /** Empty: the person answers in words of their own. */
  readonly options: readonly QuestionOption[];
  /** Words of the person are an answer too, besides the options. Always so without options. */
  readonly takesWords?: true;
  /** Nobody else may answer. */
  readonly only?: 'owner';
  /** Set if it asks whether a tool may be used. */
  readonly permission?: PermissionAsked;
}

/** What would be done if a tool may be used. */
export interface PermissionAsked {
  readonly tool: ToolKind;
  /** The command that would run. */
  readonly command?: string;
  /** Where it would work, as the agent names it. */
  readonly paths?: readonly string[];
  readonly diffs?: readonly FileDiff[];
  /** Whatever else the tool would get, as JSON, or the agent's words if one line does not hold them. */
  readonly input?: string;
  /** The option that allows it this once, and the one that refuses it. Undefined: the agent offers none. */
  readonly allow?: string;
  readonly reject?: string;
  /** The options that allow more than this. */
  readonly lasting?: readonly string[];
}

/** As the Agent Client Protocol names kinds of tools. */
export type ToolKind =
  | 'read'
  | 'edit'
  | 'delete'
  | 'move'
  | 'search'
  | 'execute'
  | 'think'
  | 'fetch'
  | 'switch_mode'
  | 'other';

/** `before`: null if the file is new. */
export interface FileDiff {
  readonly path: string;
  readonly before: string | null;
  readonly after: string;
}

export interface QuestionOption {
  readonly id: string;
  readonly label: string;
  readonly style: 'primary' | 'danger' | 'default';
}

export type QuestionAnswer =
  | { readonly kind: 'chosen'; readonly option: string; readonly by: OpenId }
  /** In the person's own words. */
  | { readonly kind: 'said'; readonly text: string; readonly by: OpenId }
  /** Nobody answered in time. */
  | { readonly kind: 'expired' }
  /** Nobody will answer any more: the turn was stopped, or has ended. */
  | { readonly kind: 'cancelled' };

export interface TurnStep {
  readonly id: string;
  readonly title: string;
  readonly status: 'running' | 'done' | 'failed';
  /** What came of it, such as the output of a command. It is shown folded. */
  readonly detail?: string;
  readonly diffs?: readonly FileDiff[];
}

export interface PlanEntry {
  readonly text: string;
  readonly status: 'pending' | 'running' | 'done';
}

/** Numbers that the agent gave. What it did not say is undefined. */
export interface TurnUsage {
  /** Tokens of the turn. */
  readonly inputTokens?: number;
  readonly outputTokens?: number;
  /** Tokens of the memory, and how many fit. */
  readonly contextTokens?: number;
  readonly contextSize?: number;
  /** Of the whole session up to now, as the agent computes it. */
  readonly cost?: { readonly amount: number; readonly currency: string };
}

/** What a runtime says about a turn, for the people in the chat. */
export type RuntimeNotice =
  /** So many programs are at work already; it goes on when one has ended. */
  | { readonly kind: 'waits_for_program' }
  /** The agent could not go on with its memory of this chat, and was told what was said here before. */
  | { readonly kind: 'memory_lost' }
  /** The agent did not get ready in time, and is tried once more with a new memory. */
  | { readonly kind: 'tries_again' }
  /** Nothing was heard of the agent for so long. The notice has a button to stop it. */
  | { readonly kind: 'silent'; readonly silentMs: number }
  /** It was stopped, and something that it started still runs. It will be ended. */
  | { readonly kind: 'still_running' }
  /** The program that this conversation shares with others had to be ended. The conversation can go on. */
  | { readonly kind: 'program_ended' };
