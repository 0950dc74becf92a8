/** Puts a state directory back as a backup has it. */
import {
  closeSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join, relative, sep } from 'node:path';
import { checkConfig, type ConfigRequest, locateStateDir } from '../config/load.ts';
import { BridgeError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import {
  beginReplacement,
  finishReplacement,
  type Move,
  REPLACEMENT_FILE,
} from '../files/replacement.ts';
import { unseal } from '../files/seal.ts';
import type { BackupFacts, KeptFile } from '../store/backup-facts.ts';
import { unpackBackup } from '../store/sqlite/backup.ts';
import { endOpenWork } from '../store/sqlite/bridge/restores.ts';
import { Db } from '../store/sqlite/db.ts';
import { systemClock } from '../time/clock.ts';
import { isInBackups, REPLACED } from './backup-contents.ts';
import { lockStopped } from './stopped-state.ts';

interface RestoreRequest {
  readonly file: string;
  readonly config: ConfigRequest;
  readonly log: Log;
  /** Tells what is being done. */
  readonly note: (text: string) => void;
}

/** `restore --json` shows it under these names. */
export interface RestoreReport {
  readonly state_dir: string;
  readonly made_at: string;
  readonly made_by: string;
  readonly app_id: string | null;
  /** Where everything is that was there before. */
  readonly set_aside: readonly string[];
  /** What the bot still needs before it can start, in words. */
  readonly missing: readonly string[];
}

const STAGED = 'restoring-';
const DATABASE = 'bridge.db';

/** Nothing is changed before all of the backup was found to be sound. Throws `already_running` beside a daemon. */
export async function restoreBackup(request: RestoreRequest): Promise<RestoreReport> {
  const { config } = request;
  const stateDir = locateStateDir(config);
  const lock = lockStopped({ stateDir });
  try {
    finishReplacement(stateDir);
    removeStaged(stateDir);
    const staged = mkdtempSync(join(stateDir, STAGED));
    try {
      const { facts, paths } = await unpack(request, staged);
      const place = await databasePlace(config, { stateDir, staged });
      beginReplacement(stateDir, {
        moves: movesOf({ stateDir, staged, place, paths }),
        folder: staged,
      });
      const setAside = finishReplacement(stateDir) ?? [];
      return await reportOf(config, { stateDir, facts, setAside });
    } catch (error) {
      // Once it has begun, only these files can finish it.
      if (!existsSync(join(stateDir, REPLACEMENT_FILE))) removeStaged(stateDir);
      throw error;
    }
  } finally {
    lock.release();
  }
}

/** What a restore left that was killed before it had begun to replace anything. */
function removeStaged(stateDir: string): void {
  for (const name of readdirSync(stateDir)) {
    if (name.startsWith(STAGED)) rmSync(join(stateDir, name), { recursive: true, force: true });
  }
}

async function unpack({ file, log, note }: RestoreRequest, staged: string) {
  const unpacked = join(staged, 'unpacked.db');
  note(`Checking ${file}`);
  if (!isWhole(file, unpacked)) {
    throw new BridgeError(
      'failed',
      `${file} is no backup of lark-bridge, or not all of it is there`,
      {
        next: 'Name a file that `lark-bridge backup` made. If it is one, copy it here again, or use another.',
      },
    );
  }
  const paths: string[] = [];
  const take = (kept: KeptFile) => {
    writeInto(staged, kept, file);
    paths.push(kept.path);
  };
  const facts = unpackBackup(unpacked, { shown: file, take });
  note('Preparing the database');
  const db = Db.open(unpacked, log);
  try {
    await endOpenWork(db, { backupAtMs: facts.made_at_ms, nowMs: systemClock.nowMs() });
    // A new file has all of it, without a log beside it.
    closeSync(openSync(join(staged, DATABASE), 'wx', 0o600));
    db.run('VACUUM INTO ?', join(staged, DATABASE));
  } finally {
    db.close();
  }
  return { facts, paths };
}

function isWhole(file: string, to: string): boolean {
  try {
    return unseal(file, to);
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException;
    if (code !== 'ENOENT' && code !== 'EACCES' && code !== 'EISDIR') throw error;
    throw new BridgeError('usage', `can't read the backup: ${message}`, {
      next: 'Name a file that `lark-bridge backup` made.',
      cause: error,
    });
  }
}

/** Whoever made the file may have put any name into it. */
function writeInto(staged: string, { path, mode, bytes }: KeptFile, file: string): void {
  const at = join(staged, path);
  // No way out of the folder by `..`, and none to what the bridge itself keeps there.
  if (relative(staged, at).replaceAll(sep, '/') !== path || !isInBackups(path)) {
    throw new BridgeError('failed', `the backup ${file} has a file that no backup has: ${path}`, {
      next: 'Use another backup. Nothing was changed.',
    });
  }
  mkdirSync(dirname(at), { recursive: true, mode: 0o700 });
  writeFileSync(at, bytes, { mode: mode & 0o777, flag: 'wx' });
}

interface Places {
  readonly stateDir: string;
  readonly staged: string;
}

/** The restored settings may name another place for the database, maybe on another disk. */
async function databasePlace(
  { env, flags, ...request }: ConfigRequest,
  { stateDir, staged }: Places,
): Promise<{ readonly from: string; readonly to: string }> {
  const report = await checkConfig({ ...request, env, flags: { ...flags, stateDir: staged } });
  const chosen = report.incomplete?.dbPath ?? join(staged, DATABASE);
  const from = join(staged, DATABASE);
  if (chosen.startsWith(staged + sep))
    return { from, to: join(stateDir, relative(staged, chosen)) };
  const beside = `${chosen}.restoring`;
  mkdirSync(dirname(chosen), { recursive: true, mode: 0o700 });
  copyFileSync(from, beside);
  return { from: beside, to: chosen };
}

function movesOf({
  stateDir,
  staged,
  place,
  paths,
}: Places & {
  readonly place: { readonly from: string; readonly to: string };
  readonly paths: readonly string[];
}): Move[] {
  const stamp = new Date(systemClock.nowMs()).toISOString().replaceAll(/[:.]/g, '-');
  const isIn = (name: string) => paths.some((path) => path === name || path.startsWith(`${name}/`));
  const secrets = paths.filter((path) => !REPLACED.some((name) => path.startsWith(name)));
  const files = [...REPLACED, ...secrets].map((name) => ({
    to: join(stateDir, name),
    aside: `${join(stateDir, name)}.replaced-${stamp}`,
    ...(isIn(name) && { from: join(staged, name) }),
  }));
  const { from, to } = place;
  // The log goes first: SQLite would take it for that of the new database.
  const beside = ['-wal', '-shm', '.last', '.suspect'].map((end) => {
    return { to: `${to}${end}`, aside: `${to}.replaced-${stamp}${end}` };
  });
  return [...beside, { from, to, aside: `${to}.replaced-${stamp}` }, ...files];
}

async function reportOf(
  config: ConfigRequest,
  { stateDir, facts, setAside }: { stateDir: string; facts: BackupFacts; setAside: string[] },
): Promise<RestoreReport> {
  return {
    state_dir: stateDir,
    made_at: new Date(facts.made_at_ms).toISOString(),
    made_by: facts.version,
    app_id: facts.app_id,
    set_aside: setAside,
    missing: await missingOf(config, facts),
  };
}

async function missingOf(config: ConfigRequest, { app_id: app }: BackupFacts): Promise<string[]> {
  const { problems, incomplete } = await checkConfig({ ...config, needs: ['lark'] });
  const now = incomplete?.appId;
  const isOther = app !== null && now !== undefined && now !== app;
  const other = `the backup is of the bot ${app ?? ''}, and the credentials here are of ${now ?? ''}`;
  return [...problems.map(({ text }) => text), ...(isOther ? [other] : [])];
}
