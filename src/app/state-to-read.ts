/** The database of a state directory as any other process reads it, while a daemon runs on it or not. */
import type { Config } from '../config/load.ts';
import { appId, type AppId } from '../core/ids.ts';
import { parseDaemonStatus, type SavedStatus } from '../host/daemon-status.ts';
import { findInstance } from '../host/instance-lock.ts';
import { SqliteAccess } from '../store/sqlite/bridge/access.ts';
import { DaemonTable } from '../store/sqlite/bridge/daemon.ts';
import { SqliteJournal } from '../store/sqlite/bridge/journal.ts';
import { SqliteOrders } from '../store/sqlite/bridge/orders.ts';
import { Db } from '../store/sqlite/db.ts';
import { tryFileLock } from '../store/sqlite/file-lock.ts';
import { systemClock } from '../time/clock.ts';

/** The latest status that a daemon wrote, and when. */
interface LatestStatus {
  readonly pid: number;
  readonly atMs: number;
  readonly status: SavedStatus;
}

export function latestStatus(db: Db): LatestStatus | undefined {
  const row = new DaemonTable(db).read();
  return row && { pid: row.pid, atMs: row.atMs, status: parseDaemonStatus(row.status) };
}

/**
 * Undefined if there is no database. The journal is that of the app in the settings, else that of the app that ran
 * last.
 */
export function openStateToRead(config: Config) {
  const db = Db.openExisting(config.dbPath);
  if (db === undefined) return undefined;
  const latest = latestStatus(db);
  const app = config.appId === undefined ? latest?.status.app_id : appId(config.appId);
  return { db, latest, work: app && workOf(db, app) };
}

/** What an operator reads, and the orders that they leave. */
function workOf(db: Db, app: AppId) {
  const parts = { db, app, clock: systemClock };
  return {
    journal: new SqliteJournal(parts),
    orders: new SqliteOrders(parts),
    access: new SqliteAccess(parts),
  };
}

/** The process that runs on the state directory. */
export function runningInstance({ stateDir }: Pick<Config, 'stateDir'>) {
  return findInstance(stateDir, tryFileLock);
}
