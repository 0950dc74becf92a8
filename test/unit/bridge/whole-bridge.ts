/** A whole bridge with the real journal on a virtual clock, for tests that care about a part of it. */
import { join } from 'node:path';
import { Bridge, type BridgeParts } from '../../../src/bridge/bridge.ts';
import { workspaceId } from '../../../src/core/ids.ts';
import { SqliteAccess } from '../../../src/store/sqlite/bridge/access.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { SqliteLanguages } from '../../../src/store/sqlite/bridge/languages.ts';
import { SqliteNews } from '../../../src/store/sqlite/bridge/news.ts';
import { SqliteReports } from '../../../src/store/sqlite/bridge/reports.ts';
import { SqliteUsage } from '../../../src/store/sqlite/bridge/usage.ts';
import { SqliteQuestions } from '../../../src/store/sqlite/bridge/questions.ts';
import { SqliteSessionBook } from '../../../src/store/sqlite/bridge/session-book.ts';
import { SqliteSaidInSessions } from '../../../src/store/sqlite/bridge/said-in-sessions.ts';
import { SqliteApprovals } from '../../../src/store/sqlite/bridge/approvals.ts';
import { SqliteOwnerNotices } from '../../../src/store/sqlite/bridge/owner-notices.ts';
import { SqliteOrders } from '../../../src/store/sqlite/bridge/orders.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { settle, VirtualClock } from '../../kit/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';
import { choiceValues, message } from './samples.ts';
import { writesUnderWay } from './writes-under-way.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';

/** A hub with one agent, which knows repeated ids and whose answers name their turns. */
export const HUB = {
  correlates: true,
  deduplicates: true,
  currentTarget: () => Promise.resolve(workspaceId('agent')),
} as const;

/** A journal in a folder of its own, and its clock. Whoever opens it closes `db`. */
export function openJournal(nowMs = message.sentAtMs) {
  const db = Db.open(join(temporaryFolder(), 'bridge.db'), silentLog);
  const isWriting = writesUnderWay(db);
  const clock = new VirtualClock(nowMs);
  return { db, isWriting, clock, journal: new SqliteJournal({ db, app: message.appId, clock }) };
}

interface Given extends Partial<BridgeParts> {
  readonly db: Db;
  readonly clock: VirtualClock;
  readonly target: BridgeParts['target'];
}

/** At a Lark that takes everything, with eight slots and ten minutes for a turn, unless others are given. */
export function createBridge({ db, clock, ...given }: Given): Bridge {
  const parts = { db, app: message.appId, clock };
  return new Bridge({
    journal: new SqliteJournal(parts),
    orders: new SqliteOrders(parts),
    appId: message.appId,
    access: new SqliteAccess(parts),
    // The people of most tests are strangers to the bot.
    accessMode: 'open',
    lark: {
      form: contentForm,
      deliver: () => Promise.resolve({ ok: true, id: 'om_out' }),
      history: () => Promise.resolve([]),
    },
    choices: choiceValues,
    clock,
    random: () => 0.5,
    log: silentLog,
    brand: 'feishu',
    language: 'en',
    languageChoices: new SqliteLanguages(parts),
    turnsRunningMax: 8,
    turnTimeoutMs: 600_000,
    questions: new SqliteQuestions(parts),
    sessions: new SqliteSessionBook(parts),
    said: new SqliteSaidInSessions(parts),
    news: new SqliteNews(parts),
    reports: new SqliteReports(parts),
    usage: new SqliteUsage(parts),
    approvals: new SqliteApprovals(parts),
    ownerNotices: new SqliteOwnerNotices(parts),
    questionTimeoutMs: 600_000,
    reportTime: { minuteOfDay: undefined, zone: 'UTC' },
    owner: () => undefined,
    ...given,
  });
}

/** Lets so much time pass, with everything that happens in it. */
export async function passTime(
  clock: VirtualClock,
  { isWriting, durationMs }: { isWriting: () => boolean; durationMs: number },
): Promise<void> {
  const untilMs = clock.nowMs() + durationMs;
  do await settle(isWriting);
  while (clock.step(untilMs));
  await settle(isWriting);
}
