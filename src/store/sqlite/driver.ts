/**
 * The SQLite driver: Node's own `node:sqlite` if it exists (from 22.13), otherwise the same API from
 * `@photostructure/sqlite`, whose binaries are part of the npm package. Only this file imports them.
 */
import { createRequire } from 'node:module';

/** Values that can be bound and read. The caller must convert booleans and dates. */
export type SqlValue = string | number | bigint | null | Uint8Array;
export type SqlRow = Record<string, SqlValue>;

export interface Statement {
  run(...values: SqlValue[]): {
    readonly changes: number | bigint;
    readonly lastInsertRowid: number | bigint;
  };
  get(...values: SqlValue[]): SqlRow | undefined;
  all(...values: SqlValue[]): SqlRow[];
}

export interface Connection {
  exec(sql: string): void;
  prepare(sql: string): Statement;
  close(): void;
}

interface ConnectOptions {
  /** Writes nothing, and does not create a missing file. */
  readonly readOnly?: boolean;
}

interface Driver {
  readonly DatabaseSync: new (path: string, options?: ConnectOptions) => Connection;
}

const require = createRequire(import.meta.url);

function loadDriver(): Driver {
  // Node 22 and 24 print an ExperimentalWarning when the module loads. Users can do nothing about it.
  const emitWarning = process.emitWarning.bind(process);
  process.emitWarning = () => {};
  try {
    return require('node:sqlite') as Driver;
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code;
    if (code !== 'ERR_UNKNOWN_BUILTIN_MODULE') throw error;
    return require('@photostructure/sqlite') as Driver;
  } finally {
    process.emitWarning = emitWarning;
  }
}

let driver: Driver | undefined;

export function connect(path: string, options: ConnectOptions = {}): Connection {
  driver ??= loadDriver();
  return new driver.DatabaseSync(path, options);
}
