/** Questions of agents. */
import type { ChatId, MessageId, OpenId, TurnId, WorkspaceId } from '../../core/ids.ts';
import type { ShownCode } from '../../core/content.ts';
import type { PermissionAsked, QuestionOption } from '../../core/turn-update.ts';
import type { ApprovalScope } from './approvals.ts';

/** A question at its target: which turn asked it, and the id that its update had. */
export interface AskedTurn {
  readonly target: WorkspaceId;
  readonly messageId: string;
  readonly id: string;
}

/** Why nobody answers a question any more, besides that its time is over. */
export type QuestionEndReason =
  /** The bridge was started again, and whoever asked has ended with it. */
  | 'restarted'
  /** The agent has answered without waiting for it. */
  | 'not_needed'
  /** The turn has ended in another way. */
  | 'turn_ended'
  | 'stopped'
  | 'recalled'
  /** Only the owner may answer, and nobody knows who that is. */
  | 'no_owner'
  /** It could not be shown. */
  | 'not_shown'
  /** Somebody answered, but the agent did not wait for it any more. */
  | 'not_heard';

export type QuestionState =
  | { readonly phase: 'open' }
  /**
   * `isHeard`: the agent has the answer. `always`: what is like it is allowed from now on. `approval`: the number of
   * an approval from before that answered it.
   */
  | {
      readonly phase: 'answered';
      /** Undefined: it was answered in words, which stand in the chat and are not kept here. */
      readonly option?: QuestionOption;
      readonly by: OpenId;
      readonly atMs: number;
      readonly isHeard?: true;
      readonly always?: true;
      readonly approval?: number;
    }
  | { readonly phase: 'expired'; readonly atMs: number }
  | { readonly phase: 'over'; readonly why: QuestionEndReason; readonly atMs: number };

/** Of a question whether a tool may be used. `would`: what it would do, as people are shown it. */
export interface Permission extends Pick<PermissionAsked, 'tool' | 'allow' | 'reject' | 'lasting'> {
  readonly would: readonly ShownCode[];
  /** What can be allowed with it from now on. Undefined: only this once. */
  readonly always?: ApprovalScope;
}

/** What an agent asks during a turn. */
export interface Question {
  /** Also the key of the row that shows it. */
  readonly key: string;
  readonly turn: TurnId;
  readonly run: number;
  readonly target: WorkspaceId;
  /** As its update named it. */
  readonly id: string;
  readonly chatId: ChatId;
  readonly threadId: string | undefined;
  /** How people of the chat tell it apart from others that are open at the same time. */
  readonly number: number;
  readonly text: string;
  readonly options: readonly QuestionOption[];
  /** Whose next message answers it, if words are an answer. */
  readonly wordsOf?: OpenId;
  readonly permission?: Permission;
  /** Nobody else may answer. */
  readonly only?: 'owner';
  readonly askedAtMs: number;
  readonly expiresAtMs: number;
  readonly state: QuestionState;
}

/**
 * The stored questions. They are read at once, and written inside a commit of the journal only (`join`), because a
 * question, what shows it and the time of its turn change together.
 */
export interface QuestionStore {
  question(key: string): Question | undefined;
  ofTurn(turn: TurnId): readonly Question[];
  /** The open ones of a chat, newest first. */
  openIn(chat: ChatId): readonly Question[];
  /** Those that are open, and those whose answer the agent may not have. */
  unsettled(): readonly Question[];
  insert(question: Question): void;
  /** Stores the state, and what was asked, which is empty once the message was recalled. */
  update(question: Question): void;
  /** The message that shows a question. `isCard`: it can be changed. Undefined: none does. */
  shown(
    question: Pick<Question, 'key' | 'turn'>,
  ): { readonly messageId: MessageId; readonly isCard: boolean } | undefined;
}
