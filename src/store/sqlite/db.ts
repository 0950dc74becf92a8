import {
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  renameSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { BridgeError, errorText } from '../../core/errors.ts';
import type { Connection, SqlRow, SqlValue, Statement } from './driver.ts';
import { MIGRATIONS } from './migrations.ts';
import { openAsItIs, openMigrated, rollback } from './opening.ts';
import { asStoreError, isCorrupt, isLocked } from './sqlite-errors.ts';
import type { Log } from '../../core/log.ts';

/** How long a write waits for another process (`agents add` beside a running daemon). */
const BUSY_TIMEOUT_MS = 5_000;
/** How much of that it waits at a time inside SQLite, where everything else stands still. */
const BUSY_LOOK_MS = 20;
/** And beside the event loop, until it looks again. */
const BUSY_PAUSE_MS = 50;
/** A commit takes at most this many writes, so that a flood can't hold the event loop for long. */
const WRITES_PER_COMMIT_MAX = 512;

interface Waiting {
  /** By a clock that nobody sets. */
  readonly sinceMs: number;
  readonly run: () => void;
  /** To be called when it is durable, before its writer hears of it. */
  whenDurable: (() => void)[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Commits fail for a reason that may pass, such as a full disk. */
export interface StoreTrouble {
  readonly sinceMs: number;
  readonly detail: string;
}

/**
 * One SQLite file. Writers share one commit, and what is written while that goes to the disk shares the
 * next. SQLite itself waits for no disk at a commit (`synchronous = NORMAL`): this class syncs the log
 * after it, beside the event loop, and nobody hears of a commit before. The log is written in order, so
 * whoever waits for his own commit waits for all before it.
 */
export class Db {
  readonly #connection: Connection;
  readonly #walFd: number;
  readonly #statements = new Map<string, Statement>();
  #waiting: Waiting[] = [];
  /** Committed, and on its way to the disk. */
  #syncing: Waiting[] = [];
  #flushPlanned = false;
  /** The latest commit found another process writing. */
  #postponed = false;
  #closed = false;
  /** The write whose work runs at this moment. */
  #writing: Waiting | undefined;
  #trouble: StoreTrouble | undefined;

  private constructor(connection: Connection, path: string) {
    this.#connection = connection;
    // Readers of a write-ahead log wait for nobody; for writers see `#postpone`.
    connection.exec(`PRAGMA busy_timeout = ${BUSY_LOOK_MS}`);
    // Closing it again harms no lock of SQLite: those are on the other two files.
    this.#walFd = openSync(`${path}-wal`, 'r+');
  }

  /**
   * Opens (or creates) the file and brings its schema up to date. A file that is not a sound database is
   * set aside with its name in the log, never deleted, and a new one is begun.
   * Throws `state_newer` for a file of a newer version and `store_unavailable` if it can't be opened.
   */
  static open(path: string, log: Log): Db {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    try {
      return new Db(openMigrated(path), path);
    } catch (error) {
      if (error instanceof BridgeError) throw error;
      if (!isCorrupt(error)) {
        throw new BridgeError(
          'store_unavailable',
          `can't open the database ${path}: ${errorText(error)}`,
          {
            next: 'Check that the folder exists, is writable and has space left.',
            cause: error,
          },
        );
      }
      const kept = setAside(path);
      log.error('database_corrupt', { path, kept, error: errorText(error) });
      return new Db(openMigrated(path), path);
    }
  }

  /**
   * Opens a file for a look from beside the daemon, as it is: nothing is created, brought up to date or set
   * aside. `undefined` if there is none. Throws like `open`.
   */
  static openExisting(path: string): Db | undefined {
    if (!existsSync(path)) return undefined;
    try {
      return new Db(openAsItIs(path), path);
    } catch (error) {
      if (error instanceof BridgeError) throw error;
      throw new BridgeError(
        'store_unavailable',
        `can't read the database ${path}: ${errorText(error)}`,
        { next: 'Check its rights; a start of the daemon sets a broken file aside.', cause: error },
      );
    }
  }

  /** A prepared statement, made once per SQL text. */
  prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = this.#connection.prepare(sql);
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  run(sql: string, ...values: SqlValue[]): number {
    return Number(this.prepare(sql).run(...values).changes);
  }

  /** The number of the new row, or `undefined` if `ON CONFLICT DO NOTHING` kept it out. */
  insert(sql: string, ...values: SqlValue[]): number | undefined {
    // A third of the time that `RETURNING` takes.
    const { changes, lastInsertRowid } = this.prepare(sql).run(...values);
    return Number(changes) === 0 ? undefined : Number(lastInsertRowid);
  }

  get(sql: string, ...values: SqlValue[]): SqlRow | undefined {
    return this.prepare(sql).get(...values);
  }

  all(sql: string, ...values: SqlValue[]): SqlRow[] {
    return this.prepare(sql).all(...values);
  }

  /** A number that changes when another connection has committed, and only then. */
  outsideVersion(): number {
    return Number(this.get('PRAGMA data_version')?.['data_version']);
  }

  /**
   * What keeps the database from doing its work, found out at once and without waiting: after a commit
   * that failed only a small write of its own that succeeds counts as recovery.
   */
  trouble(): StoreTrouble | undefined {
    try {
      if (this.#trouble === undefined) this.get('PRAGMA user_version');
      else this.#probe();
      this.#trouble = undefined;
    } catch (error) {
      this.#trouble ??= { sinceMs: Date.now(), detail: errorText(error) };
    }
    return this.#trouble;
  }

  /**
   * Runs `work` inside the next commit and resolves after that commit is durable. Work that throws
   * takes nothing with it but itself. `work` may be run twice (when a neighbour in the same commit
   * failed), so it must do nothing but read and write this database.
   * Rejects with `store_unavailable` if the commit fails (disk full, locked): then nothing was written.
   */
  write<T>(work: () => T): Promise<T> {
    if (this.#closed) return Promise.reject(closedError());
    const { promise, resolve, reject } = withResolvers<T>();
    let result: T;
    this.#waiting.push({
      sinceMs: performance.now(),
      run: () => {
        result = work();
      },
      whenDurable: [],
      resolve: () => resolve(result),
      reject,
    });
    this.#planFlush();
    return promise;
  }

  /** Calls `run` when the write at hand is durable, never if it fails. To be called inside of `write`. */
  whenDurable(run: () => void): void {
    if (this.#writing === undefined) throw new Error('whenDurable was called outside of a write');
    this.#writing.whenDurable.push(run);
  }

  /** Commits what waits, then closes. */
  close(): void {
    if (this.#closed) return;
    const committed = this.#syncing;
    while (this.#waiting.length > 0) committed.push(...this.#commitNext());
    this.#closed = true;
    if (committed.length > 0) fdatasyncSync(this.#walFd);
    tell(committed);
    closeSync(this.#walFd);
    this.#connection.close();
  }

  /** What else this turn of the event loop wants to write goes into the same commit. */
  #planFlush(pauseMs = 0): void {
    if (this.#flushPlanned || this.#syncing.length > 0) return;
    this.#flushPlanned = true;
    const flush = () => {
      this.#flushPlanned = false;
      if (!this.#closed) this.#flush();
    };
    if (pauseMs === 0) setImmediate(flush);
    else setTimeout(flush, pauseMs);
  }

  #flush(): void {
    this.#syncing = this.#commitNext();
    if (this.#syncing.length > 0) {
      fdatasync(this.#walFd, (error) => this.#synced(error));
    } else if (this.#waiting.length > 0) {
      this.#planFlush(this.#postponed ? BUSY_PAUSE_MS : 0);
    }
  }

  #synced(error: Error | null): void {
    if (this.#closed) return;
    // Nobody can say now what the disk has, and a second try would not tell (Linux forgets such pages).
    // Only a new start reads what is really there; nothing of it was acked or told.
    if (error !== null) throw syncFailed(error);
    const committed = this.#syncing;
    this.#syncing = [];
    tell(committed);
    if (this.#waiting.length > 0) this.#planFlush();
  }

  /** One commit of what waits; returns what of it succeeded. */
  #commitNext(): Waiting[] {
    const batch = this.#waiting.splice(0, WRITES_PER_COMMIT_MAX);
    if (batch.length === 0) return [];
    this.#postponed = false;
    try {
      this.#commit(batch);
      return batch;
    } catch (error) {
      if (isLocked(error)) return this.#postpone(batch, error);
      if (batch.length > 1) return batch.filter((one) => this.#committedAlone(one));
      batch[0]?.reject(error);
      return [];
    }
  }

  /** Another process writes. What has waited for it too long is refused, the rest stays first in line. */
  #postpone(batch: readonly Waiting[], error: unknown): [] {
    this.#postponed = true;
    const oldestMs = performance.now() - BUSY_TIMEOUT_MS;
    for (const one of batch) if (one.sinceMs <= oldestMs) one.reject(error);
    this.#waiting.unshift(...batch.filter(({ sinceMs }) => sinceMs > oldestMs));
    return [];
  }

  #committedAlone(one: Waiting): boolean {
    try {
      this.#commit([one]);
      return true;
    } catch (error) {
      one.reject(error);
      return false;
    }
  }

  #commit(batch: readonly Waiting[]): void {
    try {
      this.#transact(batch);
    } catch (error) {
      const judged = asStoreError(error);
      // Work that failed by itself says nothing about the disk.
      if (judged !== error) this.#trouble ??= { sinceMs: Date.now(), detail: errorText(error) };
      throw judged;
    }
  }

  /** A commit that changes nothing and still has to reach the disk. */
  #probe(): void {
    this.#connection.exec('PRAGMA busy_timeout = 0');
    try {
      this.#connection.exec('BEGIN IMMEDIATE');
      this.#connection.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
      this.#connection.exec('COMMIT');
    } catch (error) {
      rollback(this.#connection);
      throw error;
    } finally {
      this.#connection.exec(`PRAGMA busy_timeout = ${BUSY_LOOK_MS}`);
    }
  }

  #transact(batch: readonly Waiting[]): void {
    this.#connection.exec('BEGIN IMMEDIATE');
    try {
      for (const one of batch) {
        this.#writing = one;
        // It may be run a second time.
        one.whenDurable = [];
        one.run();
      }
      this.#connection.exec('COMMIT');
    } catch (error) {
      rollback(this.#connection);
      throw error;
    } finally {
      this.#writing = undefined;
    }
  }
}

/** Their writes are durable. */
function tell(committed: readonly Waiting[]): void {
  for (const { whenDurable } of committed) for (const run of whenDurable) run();
  for (const { resolve } of committed) resolve();
}

function setAside(path: string): string {
  const kept = `${path}.corrupt-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, kept + suffix);
  }
  return kept;
}

function syncFailed(error: Error): BridgeError {
  return new BridgeError(
    'store_unavailable',
    `the disk did not keep a write: ${errorText(error)}`,
    { next: 'Check the disk, then start again: nothing that was confirmed is lost.', cause: error },
  );
}

function closedError(): BridgeError {
  return new BridgeError('store_unavailable', 'the database is closed');
}

function withResolvers<T>() {
  let resolve!: (value: T) => void;
  let reject!: (error: unknown) => void;
  const promise = new Promise<T>((res, rej) => {
    resolve = res;
    reject = rej;
  });
  return { promise, resolve, reject };
}
