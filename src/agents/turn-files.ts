/** Writes for each turn of a program a file with all that it gets: who asks, where, and what was said before. */
import { randomBytes } from 'node:crypto';
import {
  chmodSync,
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { BridgeError, errorText, isSystemError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { writePrivateFile } from '../files/private-file.ts';
import { folderTrouble, ownUser } from '../files/rights.ts';
import type { ProgramUser } from './program-user.ts';
import type { AgentTurn } from './runtime.ts';
import { turnFields } from './turn-fields.ts';

/** A file of a turn, also one that is not finished. */
const NAME = /^[0-9a-f]{32}\.json(?:\.[0-9a-f]{16}\.new)?$/;
/** Another user can't reach the state directory, and every user can reach this one. */
const PLACE_FOR_OTHERS = '/tmp/lark-bridge-turns-';
const PLACE = /^\/tmp\/lark-bridge-turns-\w{6}$/;
/** Names the place for others, so that the next process finds what is left in it. */
const NOTE = 'place-for-others';

type FileUser = Pick<ProgramUser, 'uid' | 'gid'>;

interface TurnFilesOptions {
  /** Holds nothing but these files. It is made with the first one. */
  readonly folder: string;
  readonly log: Log;
}

export class TurnFiles {
  readonly #folder: string;
  readonly #log: Log;
  readonly #paths = new Map<AgentTurn, string>();
  #placeForOthers: string | undefined;

  constructor({ folder, log }: TurnFilesOptions) {
    this.#folder = folder;
    this.#log = log;
  }

  /** Returns the path. `user`: who may read it, if not the user of the bridge. Throws a `BridgeError`. */
  write(turn: AgentTurn, user?: FileUser): string {
    try {
      this.#open();
      const place = user === undefined ? this.#folder : this.#openPlaceForOthers();
      const path = join(place, `${randomBytes(16).toString('hex')}.json`);
      this.#paths.set(turn, path);
      writePrivateFile(path, JSON.stringify(turnFields(turn)));
      // Nobody else may write to the folder, so this is the file that was just written.
      if (user !== undefined) chownSync(path, user.uid, user.gid);
      return path;
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const what = `the file of a turn could not be written: ${errorText(error)}`;
      throw new BridgeError('failed', what, {
        next: 'See whether the disk is full.',
        cause: error,
      });
    }
  }

  /** After the turn. */
  remove(turn: AgentTurn): void {
    const path = this.#paths.get(turn);
    this.#paths.delete(turn);
    if (path !== undefined) this.#tryTo(() => rmSync(path, { force: true }));
  }

  /** Removes what an earlier process left. */
  removeLeftovers(): void {
    this.#tryTo(() => {
      if (!existsSync(this.#folder)) return;
      this.#open();
      removeFilesIn(this.#folder);
      this.#removePlaceForOthers();
    });
  }

  #open(): void {
    mkdirSync(this.#folder, { recursive: true, mode: 0o700 });
    const stat = lstatSync(this.#folder);
    const trouble = stat.isDirectory()
      ? folderTrouble(this.#folder, stat)
      : { what: 'it is a link or a file, not a folder', next: 'Move it away.' };
    if (trouble === undefined) return;
    throw new BridgeError('failed', `${this.#folder}: ${trouble.what}`, { next: trouble.next });
  }

  /** Others may open a file there whose name they know, but neither list nor change anything. */
  #openPlaceForOthers(): string {
    if (this.#placeForOthers !== undefined && existsSync(this.#placeForOthers)) {
      return this.#placeForOthers;
    }
    const place = mkdtempSync(PLACE_FOR_OTHERS);
    writePrivateFile(join(this.#folder, NOTE), place);
    chmodSync(place, 0o711);
    this.#placeForOthers = place;
    return place;
  }

  #removePlaceForOthers(): void {
    const note = join(this.#folder, NOTE);
    if (!existsSync(note)) return;
    const place = readFileSync(note, 'utf8');
    const stat = PLACE.test(place) ? lstatSync(place, { throwIfNoEntry: false }) : undefined;
    if (stat?.isDirectory() === true && stat.uid === (ownUser() ?? stat.uid)) {
      removeFilesIn(place);
      rmdirSync(place);
    }
    rmSync(note, { force: true });
    this.#placeForOthers = undefined;
  }

  /** A file that stays is private, and the next start tries again. */
  #tryTo(work: () => void): void {
    try {
      work();
    } catch (error) {
      if (!(error instanceof BridgeError) && !isSystemError(error)) throw error;
      this.#log.warn('turn_file_not_removed', { folder: this.#folder, error: errorText(error) });
    }
  }
}

function removeFilesIn(folder: string): void {
  for (const name of readdirSync(folder)) {
    const path = join(folder, name);
    if (NAME.test(name) && lstatSync(path).isFile()) rmSync(path, { force: true });
  }
}
