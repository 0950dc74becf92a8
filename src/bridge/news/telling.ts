/** The parts that tell others what happens here. */
import type { OpenId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Clock } from '../../time/clock.ts';
import { closing, type Service } from '../../time/service.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { CommandSurroundings } from '../ports/commands.ts';
import type { Journal } from '../ports/journal.ts';
import type { NewsStore } from '../ports/news.ts';
import type { OutboxRow } from '../ports/outbox.ts';
import type { QuestionStore } from '../ports/questions.ts';
import type { ReportStore } from '../ports/reports.ts';
import type { CallWebhook, WebhookQueue } from '../ports/webhooks.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { Follows, isOfFollow } from './follows.ts';
import { News } from './news.ts';
import { Reports } from './reports.ts';
import { WebhookCalls } from './webhook-calls.ts';

interface TellingParts {
  readonly journal: Journal;
  readonly questions: QuestionStore;
  readonly news?: NewsStore | undefined;
  readonly reports?: ReportStore | undefined;
  readonly webhooks?: Webhooks | undefined;
  readonly reportTime: { readonly minuteOfDay: number | undefined; readonly zone: string };
  readonly surroundings?: Pick<CommandSurroundings, 'agentName'> | undefined;
  readonly owner: () => OpenId | undefined;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly turnTimeoutMs: number;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Log;
}

/** Absent: no webhook is called. */
export interface Webhooks {
  readonly queue: WebhookQueue;
  readonly call: CallWebhook;
}

export interface Telling {
  readonly news: News;
  readonly services: readonly Service[];
  /** What people can order of it. */
  readonly orders: Pick<CommandSurroundings, 'follows' | 'reports'>;
  readonly onDead: (row: OutboxRow) => Promise<void>;
}

export function createTelling(given: TellingParts): Telling {
  const { surroundings, reportTime, ...parts } = given;
  const agentName = () => surroundings?.agentName() ?? Promise.resolve(undefined);
  const follows = new Follows({ ...parts, agentName, store: parts.news });
  const reports = new Reports({ ...parts, ...reportTime, agentName, store: parts.reports });
  const calls = parts.webhooks && new WebhookCalls({ ...parts, ...parts.webhooks, agentName });
  const onNews = () => {
    follows.hurry();
    calls?.hurry();
  };
  const news = new News({ ...parts, store: parts.news, onNews });
  return {
    news,
    services: [follows, reports, ...(calls ? [calls] : []), closing('news', () => news.stop())],
    orders: { ...(parts.news && { follows }), ...(parts.reports && { reports }) },
    onDead: async (row) => {
      if (isOfFollow(row)) await follows.notShown(row);
    },
  };
}
