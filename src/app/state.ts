/** The database of a state directory, opened by the one process that runs on it. */
import { basename, dirname, join } from 'node:path';
import type { Config } from '../config/load.ts';
import { BridgeError, isSystemError } from '../core/errors.ts';
import type { AppId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import { closing, type Service } from '../time/service.ts';
import { removeUnfinished } from '../files/private-file.ts';
import { finishReplacement, REPLACEMENT_FILE } from '../files/replacement.ts';
import { acquireInstanceLock } from '../host/instance-lock.ts';
import { warnOfOpenSecrets, WEBHOOK_SECRET_FILE } from '../host/secret-files.ts';
import { SqliteLanguages } from '../store/sqlite/bridge/languages.ts';
import { SqliteAccess } from '../store/sqlite/bridge/access.ts';
import { SqliteJournal } from '../store/sqlite/bridge/journal.ts';
import { SqliteLiveCards } from '../store/sqlite/bridge/live-cards.ts';
import { SqliteNews } from '../store/sqlite/bridge/news.ts';
import { SqliteReports } from '../store/sqlite/bridge/reports.ts';
import { SqliteUsage } from '../store/sqlite/bridge/usage.ts';
import { SqliteQuestions } from '../store/sqlite/bridge/questions.ts';
import { SqliteSessionBook } from '../store/sqlite/bridge/session-book.ts';
import { SqliteSaidInSessions } from '../store/sqlite/bridge/said-in-sessions.ts';
import { SqliteApprovals } from '../store/sqlite/bridge/approvals.ts';
import { SqliteOwnerNotices } from '../store/sqlite/bridge/owner-notices.ts';
import { SqliteOrders } from '../store/sqlite/bridge/orders.ts';
import { Db } from '../store/sqlite/db.ts';
import { tryFileLock } from '../store/sqlite/file-lock.ts';
import { systemClock } from '../time/clock.ts';
import { repeating } from '../time/repeat.ts';
import type { LarkSettings } from './context.ts';

/** Where files of answers lie until they are sent, in the state directory. */
export const ANSWER_FILES = join('attachments', 'out');

/** Holds a folder for each agent that works in none of the person's, in the state directory. */
export const AGENT_FOLDERS = 'agents';

/** Opens the database for this process alone. What has to be closed later is put into `opened`. */
export function openState(
  config: Config,
  log: Log,
  { opened, app }: { opened: Service[]; app?: LarkSettings },
): Db {
  const { stateDir, home } = config;
  const lock = acquireInstanceLock({ stateDir, home, tryLock: tryFileLock, ...(app && { app }) });
  opened.push(closing('lock', () => lock.release()));
  finishRestore(stateDir);
  warnOfOpenSecrets(stateDir, log, config.openSecrets);
  tidyUp(config, log);
  const db = Db.open(config.dbPath, log);
  opened.push(closing('database', () => db.close()));
  return db;
}

/** A restore was cut off in the middle. The settings were read before its end, so another start has to read them. */
function finishRestore(stateDir: string): void {
  if (finishReplacement(stateDir) === undefined) return;
  throw new BridgeError('failed', 'a restore was cut off in the middle, and is finished only now', {
    next: 'Start lark-bridge again: it reads the restored settings then.',
  });
}

/** Files that are written as private files. What a killed process left of one is removed at the next start. */
const PRIVATE_FILES = [
  'config.draft.json',
  'config.json',
  'connect.json',
  'credentials.json',
  'instance.lock.owner',
  'owner.json',
  'provision-token',
  REPLACEMENT_FILE,
  WEBHOOK_SECRET_FILE,
  'workspace-token.json',
];

function tidyUp({ stateDir, dbPath }: Config, log: Log): void {
  const ofDatabase =
    dirname(dbPath) === stateDir
      ? ['last', 'suspect'].map((end) => `${basename(dbPath)}.${end}`)
      : [];
  const names = new Set([...PRIVATE_FILES, ...ofDatabase]);
  try {
    const removed = removeUnfinished(stateDir, { names, nowMs: systemClock.nowMs() });
    if (removed.length > 0) log.info('unfinished_files_removed', { names: removed.join(' ') });
  } catch (error) {
    // A folder that can't be listed is no reason not to start.
    if (!isSystemError(error)) throw error;
  }
}

/** How soon it is noticed that a file of the state directory was renamed, removed or replaced. */
const WATCH_EVERY_MS = 2_000;

/** `ended` rejects when the process can't go on with its database. Never resolves. */
export function watchDatabase(db: Db, log: Log): { service: Service; ended: Promise<never> } {
  let reject!: (loss: BridgeError) => void;
  const ended = new Promise<never>((_resolve, fail) => {
    reject = fail;
  });
  // Whoever runs the program waits for it; during a start or a stop nobody may.
  ended.catch(() => {});
  let isTold = false;
  const work = () => {
    const loss = db.loss();
    if (loss === undefined || isTold) return;
    isTold = true;
    log.error('database_lost', { error: loss.message, next: loss.next });
    reject(loss);
  };
  const name = 'database_watch';
  const service = repeating({ name, everyMs: WATCH_EVERY_MS, work, clock: systemClock, log });
  return { service, ended };
}

/** The journal of an app, the orders about it, and who may talk to it. */
export function journalOf(db: Db, app: AppId) {
  const parts = { db, app, clock: systemClock };
  return {
    journal: new SqliteJournal(parts),
    orders: new SqliteOrders(parts),
    liveJournal: new SqliteLiveCards(parts),
    languageChoices: new SqliteLanguages(parts),
    access: new SqliteAccess(parts),
    questions: new SqliteQuestions(parts),
    sessions: new SqliteSessionBook(parts),
    said: new SqliteSaidInSessions(parts),
    news: new SqliteNews(parts),
    reports: new SqliteReports(parts),
    usage: new SqliteUsage(parts),
    approvals: new SqliteApprovals(parts),
    ownerNotices: new SqliteOwnerNotices(parts),
  };
}
