/** Sends the report of each day, once, to the chats where it was ordered. */
import { type ChatId, directChatOf, type OpenId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { type RepeatedWork, repeating } from '../../time/repeat.ts';
import type { Service } from '../../time/service.ts';
import { pause } from '../../time/wait.ts';
import type { Delivery } from '../outbox/delivery.ts';
import { outKey } from '../outbox/keys.ts';
import type { Journal } from '../ports/journal.ts';
import type {
  DayReport,
  ReportOrder,
  ReportOrders,
  ReportStore,
  ReportTimes,
  ShownReport,
} from '../ports/reports.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { dailyReport } from '../texts/reports.ts';
import { reportOf } from './day-report.ts';
import { dueReport, newestReportDay, type ReportDay } from './report-day.ts';
import { chatDraft } from '../outbox/drafts.ts';

/** A report is at most so late. Timers don't notice when the clock of the machine is set. */
const LOOK_EVERY_MS = 30_000;
const DAY_MS = 24 * 60 * 60 * 1000;
/** For turns that name no agent, while nobody knows who gets them. */
const UNNAMED = '-';

interface ReportsParts {
  readonly store: ReportStore | undefined;
  /** The time zone of reports. */
  readonly zone: string;
  /** When the owner gets a report, if the settings say so. */
  readonly minuteOfDay: number | undefined;
  readonly owner: () => OpenId | undefined;
  readonly journal: Journal;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly agentName: () => Promise<string | undefined>;
  readonly clock: Clock;
  readonly log: Log;
}

export class Reports implements Service, ReportOrders {
  readonly name = 'reports';
  readonly #parts: ReportsParts;
  readonly #work: RepeatedWork;

  constructor(parts: ReportsParts) {
    this.#parts = parts;
    const { clock, log } = parts;
    const work = () => this.#look();
    this.#work = repeating({
      name: this.name,
      firstMs: 0,
      everyMs: LOOK_EVERY_MS,
      work,
      clock,
      log,
    });
  }

  start(): Promise<void> {
    return this.#parts.store === undefined ? Promise.resolve() : this.#work.start();
  }

  stop(): Promise<void> {
    return this.#work.stop();
  }

  async now(chat: ChatId): Promise<ShownReport> {
    const nowMs = this.#parts.clock.nowMs();
    const minuteOfDay = this.#orderOf(chat)?.minuteOfDay;
    const last = minuteOfDay === undefined ? undefined : this.#newest(minuteOfDay, nowMs);
    const sinceMs = last?.untilMs ?? nowMs - DAY_MS;
    const report = await this.#report({ sinceMs, untilMs: nowMs + 1 });
    return { report, times: minuteOfDay === undefined ? undefined : this.#times(minuteOfDay) };
  }

  async begin(chat: ChatId, by: OpenId, minuteOfDay: number): Promise<ReportTimes> {
    await this.#order({ chatId: chat, by, minuteOfDay, isSetting: false });
    return this.#times(minuteOfDay);
  }

  /** The word counts more than the settings, so it is kept. */
  async end(chat: ChatId, by: OpenId): Promise<void> {
    await this.#order({ chatId: chat, by, minuteOfDay: undefined, isSetting: false });
  }

  /** The first report is that of the next time. */
  async #order(order: Omit<ReportOrder, 'lastDay'>): Promise<void> {
    const { store, storeRetry, clock } = this.#parts;
    const before = this.#orderOf(order.chatId)?.lastDay;
    const { day } = this.#newest(order.minuteOfDay ?? 0, clock.nowMs());
    const lastDay = before !== undefined && before > day ? before : day;
    await storeRetry.untilStored(async () => store?.order({ ...order, lastDay }));
  }

  async #look(): Promise<void> {
    await this.#obeySettings();
    for (const order of this.#parts.store?.orders() ?? []) {
      const { minuteOfDay, lastDay } = order;
      if (minuteOfDay === undefined) continue;
      const time = { zone: this.#parts.zone, minuteOfDay };
      const due = dueReport(time, { lastDay, nowMs: this.#parts.clock.nowMs() });
      if (due !== undefined) await this.#send({ ...order, minuteOfDay }, due);
    }
  }

  async #obeySettings(): Promise<void> {
    const { store, storeRetry, minuteOfDay } = this.#parts;
    const owner = this.#parts.owner();
    if (store === undefined || owner === undefined) return;
    const chatId = directChatOf(owner);
    const known = this.#orderOf(chatId);
    if (known?.isSetting === false || known?.minuteOfDay === minuteOfDay) return;
    if (minuteOfDay === undefined) await storeRetry.untilStored(() => store.remove(chatId));
    else await this.#order({ chatId, by: owner, minuteOfDay, isSetting: true });
  }

  async #send(order: ReportOrder & { readonly minuteOfDay: number }, due: ReportDay) {
    const { store, journal, storeRetry, delivery, languages, clock, log } = this.#parts;
    const { chatId, by, minuteOfDay } = order;
    const { day } = due;
    const facts = { report: await this.#report(due), day, times: this.#times(minuteOfDay) };
    const draft = chatDraft(dailyReport(facts, languages.of(by)), {
      key: outKey('report', chatId, day, order.lastDay),
      lane: `report:${chatId}`,
      chatId,
      nowMs: clock.nowMs(),
    });
    const out = await storeRetry.untilStored(() =>
      journal.enqueueIf([draft], () => store?.noteSent(order, day) === true),
    );
    if (out.length > 0) log.info('report_made', { chat: chatId, day });
    delivery.offer(out);
  }

  async #report(span: { readonly sinceMs: number; readonly untilMs: number }): Promise<DayReport> {
    const { store, agentName, clock } = this.#parts;
    const agent = (await agentName()) ?? UNNAMED;
    const breathe = () => pause(clock, this.#work.stopSignal, 0);
    const nothing = { turnsBefore: () => [], spent: () => [] };
    return reportOf(store ?? nothing, span, { agent, breathe });
  }

  #orderOf(chat: ChatId): ReportOrder | undefined {
    return this.#parts.store?.orders().find(({ chatId }) => chatId === chat);
  }

  #newest(minuteOfDay: number, nowMs: number): ReportDay {
    return newestReportDay({ zone: this.#parts.zone, minuteOfDay }, nowMs);
  }

  #times(minuteOfDay: number): ReportTimes {
    const time = `${two(Math.floor(minuteOfDay / 60))}:${two(minuteOfDay % 60)}`;
    return { time, zone: this.#parts.zone };
  }
}

function two(value: number): string {
  return String(value).padStart(2, '0');
}
