/** Cards that change while a turn runs. */
import type { Content, ShownCode } from '../../core/content.ts';
import type { ChatId, MessageId, TurnId } from '../../core/ids.ts';
import type { PlanEntry, TurnStep } from '../../core/turn-update.ts';
import type { ButtonValue } from '../../wire/choice-value.ts';
import type { CallPriority, DeliveryResult } from './delivery.ts';

/** What a card shows of a turn at work. The bridge has chosen the words, Lark's side the form. */
export interface LiveView {
  readonly heading: string;
  /** What the agent wants to be seen beside its answer. */
  readonly remarks?: readonly {
    readonly level: 'info' | 'warning' | 'error';
    readonly text: string;
  }[];
  /** What it means to do. `planMore`: a line for what is left out. */
  readonly plan?: readonly PlanEntry[];
  readonly planMore?: string;
  /** `changes`: one line for each file that it changed. */
  readonly steps: readonly (Pick<TurnStep, 'title' | 'status'> & {
    readonly changes?: readonly string[];
  })[];
  /** Set if the steps are folded under this title. */
  readonly stepsTitle?: string;
  /** What is folded, the least important first. */
  readonly folds?: readonly ShownCode[];
  /** The agent's text, in Markdown. */
  readonly text: string;
  /** Undefined: the card does not change any more. */
  readonly stop?: { readonly label: string; readonly value: ButtonValue };
}

/** Why a call about a live card failed. */
export type LiveTrouble =
  /** It passes. */
  | 'passing'
  /** It passes, and Lark may have done it. */
  | 'unknown'
  /** Lark has ended the streaming of this card. */
  | 'closed'
  /** The card or its message does not exist any more. */
  | 'gone'
  /** The number of the call is not higher than that of an earlier one. */
  | 'sequence'
  /** The app may not use cards of this kind. */
  | 'no_right'
  | 'refused';

export type LiveResult =
  | { readonly ok: true; readonly id: string }
  | (Extract<DeliveryResult, { ok: false }> & { readonly why: LiveTrouble });

export interface LivePlace {
  readonly chatId: ChatId;
  readonly replyTo: MessageId;
  readonly inThread: boolean;
}

/** A card in a chat. Without `cardId` it is changed through its message, and calls have no number. */
export interface LiveCardRef {
  readonly chatId: ChatId;
  readonly messageId: MessageId;
  readonly cardId: string | undefined;
}

/** Cards that change while they are shown. Nothing here rejects if Lark or the network fails. */
export interface LiveGateway {
  /** Makes a card, which can be sent once. `id` is its own. */
  create(view: LiveView): Promise<LiveResult>;
  /** Sends a card by its id, or one that is changed through its message. `id` is the message's. */
  send(place: LivePlace, card: string | LiveView, key: string): Promise<LiveResult>;
  update(card: LiveCardRef, view: LiveView, sequence: number): Promise<LiveResult>;
  /** Changes the text only. The card shows one already. */
  updateText(
    card: LiveCardRef & { readonly cardId: string },
    view: LiveView,
    sequence: number,
  ): Promise<LiveResult>;
  /** Shows what stays. `key` makes repeats harmless. If it succeeds, the message exists. */
  end(card: LiveCardRef, content: Content, ending: LiveEnding): Promise<LiveResult>;
}

export interface LiveEnding {
  readonly key: string;
  readonly sequence: number;
  readonly priority: CallPriority;
  readonly buttonValues?: readonly ButtonValue[] | undefined;
}

/** What was done so far, for people who are asked about a turn whose process died. */
export interface DoneSoFar {
  readonly steps: readonly Pick<TurnStep, 'title' | 'status'>[];
  /** The end of what was told of the answer. */
  readonly lastWords: string;
}

/** A live card as the journal keeps it. */
export interface LiveCardRecord {
  /** Also the key with which it is sent. */
  readonly key: string;
  readonly turn: TurnId;
  readonly run: number;
  readonly place: LivePlace;
  readonly cardId: string | undefined;
  /** Undefined: it is not known whether it was sent. */
  readonly messageId: MessageId | undefined;
  readonly openedAtMs: number;
  /** What its turn had done when this was stored last. */
  readonly done?: DoneSoFar;
}

export interface LiveJournal {
  /** Before the card is sent. */
  open(card: LiveCardRecord): Promise<void>;
  /** The message of a card that was sent; or that it is changed through its message from now on. */
  change(key: string, change: Partial<Pick<LiveCardRecord, 'cardId' | 'messageId'>>): Promise<void>;
  /** What its turn has done so far. */
  noteDone(key: string, done: DoneSoFar): Promise<void>;
  /** A card that was not sent, or is gone. */
  remove(key: string): Promise<void>;
  card(key: string): Promise<LiveCardRecord | undefined>;
  /** Sets so many numbers of calls aside, and gives the first one. None is given twice. */
  reserve(key: string, count: number): Promise<number>;
  /** Cards that no row of the outbox has ended or is going to end, oldest first. */
  unended(openedSinceMs: number): Promise<readonly LiveCardRecord[]>;
}
