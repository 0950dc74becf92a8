import { closeSync, existsSync, fdatasync, fdatasyncSync, mkdirSync, openSync } from 'node:fs';
import { dirname } from 'node:path';
import { BridgeError, errorText } from '../../core/errors.ts';
import type { Connection, SqlRow, SqlValue, Statement } from './driver.ts';
import { MIGRATIONS } from './migrations.ts';
import { openAsItIs, openMigrated, refuseForeign, rollback } from './opening.ts';
import { closeConnection, guarded, lossError } from './guard.ts';
import { Place } from './place.ts';
import {
  mustBeSound,
  noteSuspicion,
  refuseDamagedLog,
  rescue,
  secureLog,
  setAside,
  tellOfLoss,
} from './recovery.ts';
import { asStoreError, isCorrupt, isLocked, openError, syncFailed } from './sqlite-errors.ts';
import type { Log } from '../../core/log.ts';

/** How long a write waits for another process (such as `agents add` while a daemon runs). */
const BUSY_TIMEOUT_MS = 5_000;
/** How long one attempt waits inside SQLite. Nothing else runs in this process meanwhile. */
const BUSY_LOOK_MS = 20;
/** The pause before the next attempt. Other work goes on meanwhile. */
const BUSY_PAUSE_MS = 50;
/** A commit takes at most this many writes, so that many writes can't block the event loop for long. */
const WRITES_PER_COMMIT_MAX = 512;

interface Waiting {
  /** From a clock that nobody can set. */
  readonly sinceMs: number;
  readonly run: () => void;
  /** Called when the write is durable, before its caller is told. */
  whenDurable: (() => void)[];
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
}

/** Commits fail for a reason that may pass, such as a full disk. */
interface StoreTrouble {
  readonly sinceMs: number;
  readonly detail: string;
}

/**
 * One SQLite file. All waiting writes share one commit. Writes that come while a commit goes to the disk
 * share the next one. SQLite itself does not wait for the disk at a commit (`synchronous = NORMAL`). Instead
 * this class syncs the log after the commit, outside the event loop, and only then resolves the writes. The
 * log is written in order, so a commit that is durable makes all earlier ones durable.
 */
export class Db {
  readonly #connection: Connection;
  readonly #walFd: number;
  readonly #statements = new Map<string, Statement>();
  #waiting: Waiting[] = [];
  /** Commits whose sync is running. */
  #syncing: Waiting[] = [];
  #flushPlanned = false;
  /** The latest commit had to wait for another process. */
  #postponed = false;
  #closed = false;
  /** The write whose work runs now. */
  #writing: Waiting | undefined;
  #trouble: StoreTrouble | undefined;
  readonly #path: string;
  readonly #place: Place;
  /** Why this process can't go on with its files. */
  #loss: BridgeError | undefined;

  private constructor(connection: Connection, path: string) {
    this.#connection = connection;
    this.#path = path;
    // With a write-ahead log readers wait for nobody. For writers see `#postpone`.
    connection.exec(`PRAGMA busy_timeout = ${BUSY_LOOK_MS}`);
    // Closing it does not release SQLite's locks, because those are on the other two files.
    this.#walFd = openSync(`${path}-wal`, 'r+');
    this.#place = new Place(path);
  }

  /**
   * Opens or creates the file and updates its schema. A file that is not a valid database is moved aside,
   * never deleted. Its new name is in the log, and a new database is made.
   * Throws `state_newer` for a file of a newer version, and `store_unavailable` if it can't be opened.
   */
  static open(path: string, log: Log): Db {
    mkdirSync(dirname(path), { recursive: true, mode: 0o700 });
    refuseForeign(path);
    try {
      secureLog(path, log);
      return Db.#openKnown(path, log);
    } catch (error) {
      if (error instanceof BridgeError) throw error;
      if (!isCorrupt(error)) throw openError("can't open the database", path, error);
      const kept = setAside(path);
      log.error('database_set_aside', { path, kept, error: errorText(error) });
      return Db.#openKnown(path, log);
    }
  }

  static #openKnown(path: string, log: Log): Db {
    const connection = openMigrated(path);
    try {
      mustBeSound(connection, path);
      tellOfLoss(connection, path, log);
      return new Db(connection, path);
    } catch (error) {
      connection.close();
      throw error;
    }
  }

  /**
   * Opens a file only to read it while a daemon may run. It creates nothing, does not update the schema and
   * moves no file. `undefined` if there is no file. Throws like `open`.
   */
  static openExisting(path: string): Db | undefined {
    if (!existsSync(path)) return undefined;
    refuseForeign(path);
    try {
      refuseDamagedLog(path);
      return new Db(openAsItIs(path), path);
    } catch (error) {
      if (error instanceof BridgeError) throw error;
      if (!isCorrupt(error)) throw openError("can't read the database", path, error);
      throw new BridgeError(
        'store_unavailable',
        `can't read the database ${path}: ${errorText(error)}`,
        { next: 'A start of the daemon sets the broken file aside.', cause: error },
      );
    }
  }

  /** A prepared statement. It is made once for each SQL text. */
  prepare(sql: string): Statement {
    let statement = this.#statements.get(sql);
    if (statement === undefined) {
      statement = guarded(this.#connection.prepare(sql), (error) => this.#noticeDamage(error));
      this.#statements.set(sql, statement);
    }
    return statement;
  }

  run(sql: string, ...values: SqlValue[]): number {
    return Number(this.prepare(sql).run(...values).changes);
  }

  /** The number of the new row. `undefined` if `ON CONFLICT DO NOTHING` skipped it. */
  insert(sql: string, ...values: SqlValue[]): number | undefined {
    // Takes a third of the time of `RETURNING`.
    const { changes, lastInsertRowid } = this.prepare(sql).run(...values);
    return Number(changes) === 0 ? undefined : Number(lastInsertRowid);
  }

  get(sql: string, ...values: SqlValue[]): SqlRow | undefined {
    return this.prepare(sql).get(...values);
  }

  all(sql: string, ...values: SqlValue[]): SqlRow[] {
    return this.prepare(sql).all(...values);
  }

  /** A number that changes only when another connection has committed. */
  outsideVersion(): number {
    return Number(this.get('PRAGMA data_version')?.['data_version']);
  }

  /**
   * The reason why the database can't write, checked now and without waiting. After a failed commit it makes
   * a small write: only if that succeeds the problem is over.
   */
  trouble(): StoreTrouble | undefined {
    if (this.#loss !== undefined) return this.#trouble;
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
   * Why this process must end: its files are no longer those with their names, or the database is damaged. From
   * then on all writes are refused. What the process has stored is kept.
   */
  loss(): BridgeError | undefined {
    if (this.#loss !== undefined) return this.#loss;
    const loss = this.#place.loss();
    if (loss === undefined) return undefined;
    const kept = loss.isRemoved ? rescue(this.#connection, this.#path) : undefined;
    this.#end(lossError(loss, this.#path, kept));
    return this.#loss;
  }

  /** The same in a few words, for whoever asks often: nothing is done about it. */
  lost(): string | undefined {
    return this.#loss?.message ?? this.#place.loss()?.what;
  }

  #noticeDamage(error: unknown): unknown {
    if (!isCorrupt(error)) return error;
    noteSuspicion(this.#path);
    const damage = asStoreError(error);
    if (this.#loss === undefined && damage instanceof BridgeError) this.#end(damage);
    return damage;
  }

  #end(loss: BridgeError): void {
    this.#loss = loss;
    this.#trouble ??= { sinceMs: Date.now(), detail: loss.message };
    for (const one of this.#waiting.splice(0)) one.reject(loss);
  }

  /**
   * Runs `work` inside the next commit, and resolves when that commit is durable. If `work` throws, the other
   * writes of the commit are not affected. `work` may run twice (if another write of the commit failed), so
   * it must only read and write this database.
   * Rejects with `store_unavailable` if the commit fails (disk full, locked). Then nothing was written.
   */
  write<T>(work: () => T): Promise<T> {
    if (this.#closed || this.#loss !== undefined)
      return Promise.reject(this.#loss ?? closedError());
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

  /** Calls `run` when the current write is durable, and never if it fails. Call it inside `write`. */
  whenDurable(run: () => void): void {
    if (this.#writing === undefined) throw new Error('whenDurable was called outside of a write');
    this.#writing.whenDurable.push(run);
  }

  /** Commits the waiting writes, then closes. */
  close(): void {
    if (this.#closed) return;
    const committed = this.#syncing;
    while (this.#waiting.length > 0) committed.push(...this.#commitNext());
    this.#closed = true;
    if (committed.length > 0) fdatasyncSync(this.#walFd);
    tell(committed);
    closeSync(this.#walFd);
    closeConnection(this.#connection, this.#place);
  }

  /** Other writes of the same turn of the event loop go into the same commit. */
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
    // Now it is unknown what is on the disk, and a second sync would not show it (Linux drops such pages).
    // Only a new start can read it. Nothing of this commit was confirmed to anybody.
    if (error !== null) throw syncFailed(error);
    const committed = this.#syncing;
    this.#syncing = [];
    tell(committed);
    if (this.#waiting.length > 0) this.#planFlush();
  }

  /** One commit of the waiting writes. Returns the ones that succeeded. */
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

  /**
   * Another process is writing. Writes that waited too long are refused. The others stay first in the queue.
   */
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
      const storeError = asStoreError(this.#noticeDamage(error));
      // Work that failed by itself says nothing about the disk.
      if (storeError !== error) this.#trouble ??= { sinceMs: Date.now(), detail: errorText(error) };
      throw storeError;
    }
  }

  /** A commit that changes nothing but has to reach the disk. */
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
        // It may run a second time.
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
