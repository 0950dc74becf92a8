/** Lark as the bridge sees it. */
import type {
  AnswerContent,
  AnswerFile,
  Content,
  FileContent,
  Person,
} from '../../core/content.ts';
import type { ChatId, MessageId } from '../../core/ids.ts';
import type { InboundMessage, Resource } from '../../core/message.ts';
import type { Upload } from './answer-files.ts';
import type { ResourceResult } from './attachments.ts';
import type { CallPriority, DeliveryResult, Outgoing } from './delivery.ts';
import type { LiveGateway } from './live.ts';
import type { Surroundings } from './said-before.ts';

/** A message as the chat's history shows it. */
export interface HistoryMessage {
  readonly messageId: MessageId;
  readonly chatId: ChatId;
  readonly sentAtMs: number;
  /** True if this app sent it. */
  readonly own: boolean;
  readonly parentId: MessageId | undefined;
  /** The thread that contains it, or that began with it. */
  readonly threadId: string | undefined;
  readonly deleted: boolean;
  /** For own messages: the text as it is shown. It tells whether a send arrived. */
  readonly text: string | undefined;
  /** For own messages of which Lark does not give back what they say. */
  readonly form?: 'card' | 'post' | 'file' | undefined;
  /** The message as its event would give it. Undefined if it is not for the bot. */
  readonly inbound: InboundMessage | undefined;
}

/** What the bridge has to know about Lark's forms of answers before it sends one. */
export interface ContentForm {
  /**
   * An agent's text as parts that Lark accepts, in order. What has nothing visible is left out. Images among `files`
   * that its Markdown names are shown in place.
   */
  partsOf(text: string, files?: readonly AnswerFile[]): readonly (AnswerContent | FileContent)[];
  /** What is sent in place of a refused part: it in the next simpler form. Empty if there is none. */
  simplerThan(refused: AnswerContent, why: RefusedForm): readonly (AnswerContent | FileContent)[];
  /** A file that came with an answer, as a message of its own. */
  fileRow(file: AnswerFile): FileContent;
  /** True if the text may call somebody by name. */
  mayCall(text: string): boolean;
  /** A text that Lark refused as too long, in smaller pieces. `undefined` if smaller pieces would not help. */
  smallerPiecesOf(text: string): readonly string[] | undefined;
  /** A message that is a text, as `history` gives it back. */
  shownText(content: Content): string;
}

/** Why a form was refused: for its length, or for something else. */
export type RefusedForm = 'too_long' | 'form';

export interface LarkGateway {
  readonly form: ContentForm;
  /** Does not reject if Lark or the network fails. `key` makes repeats of one send harmless. */
  deliver(out: Outgoing, key: string, priority: CallPriority): Promise<DeliveryResult>;
  /**
   * Messages of a chat from `sinceMs` on, oldest first. Messages inside a thread come only if `threadId` names it.
   * Each page of 50 messages is one call. Without `pagesMax` all pages are read.
   * Throws `BridgeError` if Lark refuses.
   */
  history(
    chatId: ChatId,
    sinceMs: number,
    threadId?: string,
    pagesMax?: number,
  ): Promise<readonly HistoryMessage[]>;
  /**
   * What a bundle of forwarded messages says, in Markdown. Does not reject if Lark or the network fails.
   * Absent: bundles can't be read.
   */
  forwarded?(bundle: MessageId): Promise<ForwardedResult>;
  /**
   * A file of a message. It is not read into memory. Does not reject if Lark or the network fails.
   * Absent: files can't be read.
   */
  resource?(of: MessageId, resource: Resource): Promise<ResourceResult>;
  /** Gives Lark the content of a file. Does not reject if Lark or the network fails. Absent: it takes no files. */
  upload?(file: Upload, priority: CallPriority): Promise<DeliveryResult>;
  /**
   * Who is in a group. Does not reject if Lark or the network fails. Undefined if it can't be found out.
   * Absent: nobody is known.
   */
  membersOf?(chat: ChatId): Promise<readonly Person[] | undefined>;
  /** Lark's own spelling of the name of an emoji. Undefined if Lark has no such emoji. Absent: any name is taken. */
  emojiNamed?(name: string): string | undefined;
  /** Absent: neither names nor what was said before can be read. */
  readonly surroundings?: Surroundings;
  /** Absent: there are no live cards. */
  readonly live?: LiveGateway;
}

export type ForwardedResult =
  | { readonly ok: true; readonly text: string }
  /** `reason` is for the agent. `isPassing`: another try may help. */
  | { readonly ok: false; readonly reason: string; readonly isPassing: boolean };
