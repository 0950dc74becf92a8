/**
 * Whether the files that a process has open are still those with their names. A process that goes on with a
 * database that was renamed, removed or replaced answers people as before, and everything it writes is lost
 * when it ends. Only a new start reads what is really there.
 */
import {
  existsSync,
  fstatSync,
  readdirSync,
  readlinkSync,
  renameSync,
  type Stats,
  statSync,
} from 'node:fs';
import { isSystemError } from '../../core/errors.ts';

/** A database with its log and the index of that log. */
export const DATABASE_SUFFIXES = ['', '-wal', '-shm'] as const;
const OPEN_FILES = '/proc/self/fd';

export interface Loss {
  /** What happened, as a sentence without its end. */
  readonly what: string;
  /** The open database has no name any more: it is gone when the process ends. */
  readonly isRemoved: boolean;
}

export class Place {
  readonly #path: string;
  readonly #files: ReadonlyMap<string, string>;

  /** To be made while all files are in place. */
  constructor(path: string) {
    this.#path = path;
    this.#files = new Map(
      DATABASE_SUFFIXES.map((suffix) => [suffix, identityAt(path + suffix)]).filter(
        (entry): entry is [string, string] => entry[1] !== undefined,
      ),
    );
  }

  loss(): Loss | undefined {
    const changed = [...this.#files].find(([suffix, file]) => this.#now(suffix) !== file);
    if (changed === undefined) return undefined;
    const [suffix] = changed;
    const how = this.#now(suffix) === undefined ? 'renamed or removed' : 'replaced by another file';
    const open = this.#openDatabase();
    const isRemoved = open?.stat.nlink === 0;
    const name = open?.name;
    const isElsewhere = !isRemoved && name !== undefined && name !== this.#path;
    const place = isElsewhere ? `; the database is now ${name}` : '';
    return { what: `${this.#path}${suffix} was ${how} while lark-bridge ran${place}`, isRemoved };
  }

  /** If somebody has put another log in the place of ours, it has another name during `work`. */
  keepingForeignLog(work: () => void): void {
    const now = this.#now('-wal');
    if (now === undefined || now === this.#files.get('-wal')) {
      work();
      return;
    }
    const log = `${this.#path}-wal`;
    renameSync(log, `${log}.aside`);
    try {
      work();
    } finally {
      renameSync(`${log}.aside`, log);
    }
  }

  /** The same as before if that can't be found out. A network drive that does not answer is no loss. */
  #now(suffix: string): string | undefined {
    try {
      return identityAt(this.#path + suffix);
    } catch (error) {
      if (!isSystemError(error)) throw error;
      return this.#files.get(suffix);
    }
  }

  /** Where the system keeps a list of open files. They are only looked at: to open and close one ends its locks. */
  #openDatabase(): { readonly stat: Stats; readonly name: string } | undefined {
    if (!existsSync(OPEN_FILES)) return undefined;
    for (const entry of readdirSync(OPEN_FILES)) {
      try {
        const stat = fstatSync(Number(entry));
        if (identityOf(stat) === this.#files.get('')) {
          return { stat, name: readlinkSync(`${OPEN_FILES}/${entry}`) };
        }
      } catch (error) {
        // The one with which the list was read is closed again.
        if (!isSystemError(error)) throw error;
      }
    }
    return undefined;
  }
}

/** Undefined if nothing has the name. */
export function identityAt(path: string): string | undefined {
  const stat = statSync(path, { throwIfNoEntry: false });
  return stat && identityOf(stat);
}

function identityOf({ dev, ino }: Stats): string {
  return `${dev} ${ino}`;
}
