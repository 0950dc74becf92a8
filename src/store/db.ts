import {
  chmodSync,
  closeSync,
  existsSync,
  fdatasync,
  fdatasyncSync,
  mkdirSync,
  openSync,
  renameSync,
} from 'node:fs';
import { dirname } from 'node:path';
import { BridgeError, errorText } from '../core/errors.ts';
import type { Log } from '../core/ports.ts';
import { connect, type Connection, type SqlRow, type SqlValue, type Statement } from './driver.ts';
import { MIGRATIONS } from './migrations.ts';

/** How long a write waits for another process (`agents add` beside a running daemon). */
const BUSY_TIMEOUT_MS = 5_000;
/** A commit takes at most this many writes, so that a flood can't hold the event loop for long. */
const WRITES_PER_COMMIT_MAX = 512;

interface Waiting {
  readonly run: () => void;
  readonly resolve: () => void;
  readonly reject: (error: unknown) => void;
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
  #closed = false;

  private constructor(connection: Connection, path: string) {
    this.#connection = connection;
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
      run: () => {
        result = work();
      },
      resolve: () => resolve(result),
      reject,
    });
    this.#planFlush();
    return promise;
  }

  /** Commits what waits, then closes. */
  close(): void {
    if (this.#closed) return;
    const committed = this.#syncing;
    while (this.#waiting.length > 0) committed.push(...this.#commitNext());
    this.#closed = true;
    if (committed.length > 0) fdatasyncSync(this.#walFd);
    for (const one of committed) one.resolve();
    closeSync(this.#walFd);
    this.#connection.close();
  }

  /** What else this turn of the event loop wants to write goes into the same commit. */
  #planFlush(): void {
    if (this.#flushPlanned || this.#syncing.length > 0) return;
    this.#flushPlanned = true;
    setImmediate(() => {
      this.#flushPlanned = false;
      if (!this.#closed) this.#flush();
    });
  }

  #flush(): void {
    this.#syncing = this.#commitNext();
    if (this.#syncing.length > 0) {
      fdatasync(this.#walFd, (error) => this.#synced(error));
    } else if (this.#waiting.length > 0) {
      this.#planFlush();
    }
  }

  #synced(error: Error | null): void {
    if (this.#closed) return;
    // Nobody can say now what the disk has, and a second try would not tell (Linux forgets such pages).
    // Only a new start reads what is really there; nothing of it was acked or told.
    if (error !== null) throw syncFailed(error);
    const committed = this.#syncing;
    this.#syncing = [];
    for (const one of committed) one.resolve();
    if (this.#waiting.length > 0) this.#planFlush();
  }

  /** One commit of what waits; returns what of it succeeded. */
  #commitNext(): Waiting[] {
    const batch = this.#waiting.splice(0, WRITES_PER_COMMIT_MAX);
    if (batch.length === 0) return [];
    try {
      this.#commit(batch);
      return batch;
    } catch (error) {
      if (batch.length > 1) return batch.filter((one) => this.#committedAlone(one));
      batch[0]?.reject(asStoreError(error));
      return [];
    }
  }

  #committedAlone(one: Waiting): boolean {
    try {
      this.#commit([one]);
      return true;
    } catch (error) {
      one.reject(asStoreError(error));
      return false;
    }
  }

  #commit(batch: readonly Waiting[]): void {
    this.#connection.exec('BEGIN IMMEDIATE');
    try {
      for (const one of batch) one.run();
      this.#connection.exec('COMMIT');
    } catch (error) {
      rollback(this.#connection);
      throw error;
    }
  }
}

function openMigrated(path: string): Connection {
  const connection = connect(path);
  try {
    connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    connection.exec('PRAGMA journal_mode = WAL');
    // Its checkpoints sync what they must; the sync of the log after each commit is ours.
    connection.exec('PRAGMA synchronous = NORMAL');
    connection.exec('PRAGMA foreign_keys = ON');
    connection.exec('PRAGMA wal_autocheckpoint = 4000');
    chmodSync(path, 0o600);
    migrate(connection, path);
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function openAsItIs(path: string): Connection {
  const connection = connect(path);
  try {
    connection.exec(`PRAGMA busy_timeout = ${BUSY_TIMEOUT_MS}`);
    connection.exec('PRAGMA synchronous = NORMAL');
    const version = versionOf(connection, path);
    if (version < MIGRATIONS.length) {
      throw new BridgeError(
        'store_unavailable',
        `the database ${path} is of an older lark-bridge (schema ${version}, this one wants ${MIGRATIONS.length})`,
        { next: 'Start the daemon of this version once: it brings the database up to date.' },
      );
    }
    return connection;
  } catch (error) {
    connection.close();
    throw error;
  }
}

function migrate(connection: Connection, path: string): void {
  connection.exec('BEGIN IMMEDIATE');
  try {
    const version = versionOf(connection, path);
    for (const sql of MIGRATIONS.slice(version)) connection.exec(sql);
    connection.exec(`PRAGMA user_version = ${MIGRATIONS.length}`);
    connection.exec('COMMIT');
  } catch (error) {
    rollback(connection);
    throw error;
  }
}

/** Throws `state_newer` for a schema that this program does not know. */
function versionOf(connection: Connection, path: string): number {
  const version = Number(connection.prepare('PRAGMA user_version').get()?.['user_version'] ?? 0);
  if (version > MIGRATIONS.length) {
    throw new BridgeError(
      'state_newer',
      `the database ${path} was written by a newer lark-bridge (schema ${version}, this one knows ${MIGRATIONS.length})`,
      { next: 'Install that newer version, or choose another --state-dir.' },
    );
  }
  return version;
}

function rollback(connection: Connection): void {
  try {
    connection.exec('ROLLBACK');
  } catch {
    // SQLite has already rolled back by itself (a full disk does that); the first error is the one to see.
  }
}

function setAside(path: string): string {
  const kept = `${path}.corrupt-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  for (const suffix of ['', '-wal', '-shm']) {
    if (existsSync(path + suffix)) renameSync(path + suffix, kept + suffix);
  }
  return kept;
}

/** SQLite's primary result codes (https://sqlite.org/rescode.html). */
const SQLITE_CORRUPT = 11;
const SQLITE_NOTADB = 26;
/** Faults of the disk and of company, which pass: locked, out of memory, read-only, I/O, full, can't open. */
const PASSING = new Set([5, 6, 7, 8, 10, SQLITE_CORRUPT, 13, 14]);

function isCorrupt(error: unknown): boolean {
  const code = sqliteCode(error);
  return code === SQLITE_CORRUPT || code === SQLITE_NOTADB;
}

function sqliteCode(error: unknown): number | undefined {
  const { errcode } = error as { errcode?: unknown };
  // The low byte is the primary code, the rest says more about it.
  return typeof errcode === 'number' ? errcode & 0xff : undefined;
}

function asStoreError(error: unknown): unknown {
  // A broken constraint or a wrong type is a bug: it must not look like weather that one waits out.
  if (!PASSING.has(sqliteCode(error) ?? 0)) return error;
  return new BridgeError('store_unavailable', `the database refused a write: ${errorText(error)}`, {
    next: 'Check the free space and the rights of the state directory.',
    cause: error,
  });
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
