/** Turns for a hub, and what comes back. */
import type { AnswerFiles } from '../../core/content.ts';
import type { WorkspaceId } from '../../core/ids.ts';
import type { LarkContext } from '../../core/message.ts';
import type { TurnDetails } from '../../core/turn-details.ts';
import type { QuestionAnswer, TurnUpdate } from '../../core/turn-update.ts';
import type { ReplyToken } from '../../wire/lark-context.ts';
import type { Chosen } from './sessions.ts';
import type { AskedTurn } from './questions.ts';

export interface TurnRequest {
  /** The same for every try of one turn. So the hub knows that a second send is a repeat. */
  readonly messageId: string;
  readonly text: string;
  readonly context: LarkContext;
  /** The workspace that gets the turn. It does not change after the first try. */
  readonly target: WorkspaceId;
  readonly reply?: ReplyToken;
  /** A target elsewhere gets of it only what was said before: the rest names files of this machine. */
  readonly details?: TurnDetails;
}

export type TurnAnswer = (
  | {
      readonly kind: 'answered';
      readonly text: string;
      /** Names of the files that came with it. */
      readonly files?: readonly string[];
      /** Files that came with it and lie on this machine. Only from a target in this process. */
      readonly attached?: AnswerFiles;
      /** The answer may be incomplete. One plain sentence that says so. */
      readonly warning?: string;
    }
  /**
   * The agent refused or failed. `detail` is for people. `interrupted`: the agent's process died. `agent`: the
   * agent's name, if the hub ran it itself. Then `detail` comes from the hub and not from the agent.
   */
  | {
      readonly kind: 'failed';
      readonly detail: string;
      readonly interrupted?: boolean;
      readonly agent?: string;
      /** Of the agent's program, if that ended with one. */
      readonly exitCode?: number;
      /** The last words of the agent's program. In a chat only the owner of the bot may see them. */
      readonly lastWords?: string;
      /** The agent needs a login on this machine, with this command if it is known. */
      readonly login?: { readonly command?: string };
    }
) & {
  /** Set by a target in the journal's own database: notes there that it has answered. Run it with the turn's change. */
  readonly store?: () => void;
};

/** The agent wants something from the person. Its task is not over, so an answer may come even without a reply. */
export interface TurnQuestion {
  readonly kind: 'question';
  readonly wants: 'input' | 'sign_in';
  readonly text: string;
  readonly files?: readonly string[];
}

export type SendResult =
  | TurnAnswer
  | TurnQuestion
  /** The answer will come under `ticket` (a queue id). */
  | { readonly kind: 'accepted'; readonly ticket: string }
  /** Accepted by a target that can't say which turn an answer belongs to. */
  | { readonly kind: 'accepted_uncorrelated' }
  /** Accepted by a target whose answer can't come back to the bridge. */
  | { readonly kind: 'unanswerable' }
  /** Not accepted. It can be sent again after `retryAfterMs`. */
  | { readonly kind: 'busy'; readonly retryAfterMs: number; readonly detail: string }
  /** Nothing reached the hub, so it can be sent again. */
  | { readonly kind: 'unreachable'; readonly detail: string }
  /** Refused. Another try does not help until somebody changes something. */
  | { readonly kind: 'refused'; readonly detail: string }
  /** The request was sent and no usable answer came. The turn may be running. */
  | { readonly kind: 'unknown'; readonly detail: string };

export type WaitResult =
  | TurnAnswer
  | TurnQuestion
  | { readonly kind: 'pending' }
  /** Under the ticket is only that the agent works. The answer may come under the ticket, or without naming its turn. */
  | { readonly kind: 'unfinished' }
  /** The hub does not know the ticket, or not any more. */
  | { readonly kind: 'lost'; readonly detail: string }
  | { readonly kind: 'unreachable'; readonly detail: string };

/** A message of an agent to the bridge that names no turn by its form. */
export interface UnmatchedAnswer {
  /** The same each time that the answer is handed over. */
  readonly id: string;
  readonly from: WorkspaceId;
  /** The token of the turn that the text answers. Undefined if the text begins with none. */
  readonly replyToken?: string;
  /** The text without that token. */
  readonly text: string;
  /** Names of the files that came with it. */
  readonly files?: readonly string[];
  /** Set if the text says why there is no answer. */
  readonly failure?: string;
  /** Set if the text is a question to the person. */
  readonly wants?: TurnQuestion['wants'];
}

export type CancelResult =
  /** Nobody works on it, or the hub can't end it. No further try is needed. */
  | 'over'
  /** The hub has no such message, or does not have it yet. */
  | 'not_known'
  /** The hub did not answer. It has to be tried again. */
  | 'not_reached';

/** An agent whom nobody serves: what it is sent waits or fails. */
export interface UnservedAgent {
  readonly agent: string;
  /** Nobody has asked for its turns, nobody does any more, or its address does not answer. */
  readonly why: 'never' | 'gone' | 'unreachable';
  readonly sinceMs: number;
}

/** The hub as the bridge sees it. */
export interface TurnTarget {
  /** True if every answer names its turn, so that turns of several chats may run at the same time. */
  readonly correlates: boolean;
  /** True if the hub knows a repeated message id as the same turn, so that "unknown" may be sent again. */
  readonly deduplicates: boolean;
  /** The workspace that gets new turns: the agent of this name. A target that knows no names ignores it. */
  currentTarget(agent?: string): Promise<WorkspaceId>;
  /** The name of the agent of a workspace that got turns. Only a target that knows names has this method. */
  nameOf?(target: WorkspaceId): string | undefined;
  /** Whether nobody serves an agent now. Only a target that knows has this method. */
  unserved?(target: WorkspaceId): UnservedAgent | undefined;
  /** What of a choice can't be had any more. Only a target where people can choose has this method. */
  goneOf?(chosen: Chosen): Promise<Chosen | undefined>;
  /** How long a turn may take there, while nobody is asked. Undefined: as long as any other. */
  limitMs?(target: WorkspaceId): number | undefined;
  /**
   * For a target in the journal's own database: stores the turn there, in the same commit as the note that it is
   * sent. It may run twice. After that `send` is called and finds the turn.
   */
  join?(request: TurnRequest): void;
  send(request: TurnRequest, signal: AbortSignal): Promise<SendResult>;
  /** Waits for the answer under a ticket, at most for some tens of seconds. */
  wait(target: WorkspaceId, ticket: string, signal: AbortSignal): Promise<WaitResult>;
  /**
   * Calls `take` for each update of a message's turn, until the returned function is called. Only a target that
   * gets updates has this method. The HTTP contract has no updates.
   */
  watch?(target: WorkspaceId, messageId: string, take: (update: TurnUpdate) => void): () => void;
  /**
   * Gives the agent the answer to a question that an update told. `over`: it does not wait for it. Does not reject if
   * the network or the hub fails. Only a target whose updates can be questions has this method.
   */
  answerQuestion?(question: AskedTurn, answer: QuestionAnswer): Promise<'taken' | 'over'>;
  /**
   * Says that nobody wants the answer to a message any more. A hub that can do so ends the work on it. Does not
   * reject if the network or the hub fails.
   */
  cancel?(target: WorkspaceId, messageId: string, signal: AbortSignal): Promise<CancelResult>;
}
