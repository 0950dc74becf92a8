/** The report of each day: who gets it, and what it is made of. */
import type { ChatId, OpenId } from '../../core/ids.ts';
import type { TurnPhase } from '../../core/turn.ts';
import type { LocalDay } from '../../time/local-day.ts';

export interface ReportOrder {
  readonly chatId: ChatId;
  /** Who ordered it. It is in their language. */
  readonly by: OpenId;
  /** Undefined: no report, although a setting asks for one. */
  readonly minuteOfDay: number | undefined;
  /** A setting asks for it, and nobody has ordered anything else in the chat. */
  readonly isSetting: boolean;
  /** The newest day that was reported, or that needs no report. */
  readonly lastDay: LocalDay;
}

/** What a report needs to know of a turn. */
export interface ReportedTurn {
  readonly seq: number;
  readonly receivedAtMs: number;
  readonly phase: TurnPhase;
  /** Undefined: no agent gets it, such as a command. */
  readonly session: string | undefined;
  readonly agent: string | undefined;
  readonly folder: string | undefined;
}

export interface ReportStore {
  orders(): readonly ReportOrder[];
  order(order: ReportOrder): Promise<void>;
  remove(chat: ChatId): Promise<void>;
  /** To be called in the commit that stores the report. False if that day was reported before. */
  noteSent(order: ReportOrder, day: LocalDay): boolean;
  /** Messages that came before `seq`, newest first. */
  turnsBefore(seq: number, limit: number): readonly ReportedTurn[];
  /** What turns that ended in this time have cost, by currency. */
  spent(sinceMs: number, untilMs: number): readonly Spent[];
}

/** As agents compute it. */
export interface Spent {
  readonly amount: number;
  readonly currency: string;
}

/** What the owner orders in a chat. */
export interface ReportOrders {
  /** The report of what was done since the last one, to be shown now. */
  now(chat: ChatId): Promise<ShownReport>;
  begin(chat: ChatId, by: OpenId, minuteOfDay: number): Promise<ReportTimes>;
  end(chat: ChatId, by: OpenId): Promise<void>;
}

/** When the reports of a chat come: `18:00`, and in which time zone. */
export interface ReportTimes {
  readonly time: string;
  readonly zone: string;
}

export interface ShownReport {
  readonly report: DayReport;
  /** Undefined: none is sent to this chat. */
  readonly times: ReportTimes | undefined;
}

export interface DayReport {
  readonly turns: number;
  readonly answered: number;
  readonly failed: number;
  /** They wait, run, or wait for a decision. */
  readonly open: number;
  readonly sessions: number;
  /** The most turns first. */
  readonly byAgent: readonly Counted[];
  readonly byFolder: readonly Counted[];
  /** Empty: no agent said what its turns cost. */
  readonly spent: readonly Spent[];
  /** There were more turns than are counted. */
  readonly isCut: boolean;
}

export interface Counted {
  readonly name: string;
  readonly turns: number;
}
