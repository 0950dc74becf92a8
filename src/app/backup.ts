/** Makes a backup: one file with all that a state directory holds and nobody can make again. */
import { randomBytes } from 'node:crypto';
import { closeSync, existsSync, openSync, renameSync, rmSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { Config } from '../config/load.ts';
import { BridgeError } from '../core/errors.ts';
import { seal } from '../files/seal.ts';
import { packageFacts } from '../host/package.ts';
import { writeBackup } from '../store/sqlite/backup.ts';
import { systemClock } from '../time/clock.ts';
import { contentsOf, readKept } from './backup-contents.ts';

interface BackupRequest {
  readonly config: Config;
  /** A file, or a folder that gets one. Undefined: the folder in which the command was called. */
  readonly to: string | undefined;
  readonly withSecrets: boolean;
  /** Tells what is being done. */
  readonly note: (text: string) => void;
}

/** `backup --json` shows it under these names. */
export interface BackupReport {
  readonly file: string;
  readonly bytes: number;
  readonly made_at: string;
  readonly with_secrets: boolean;
  readonly left_out: readonly string[];
  readonly skipped: readonly string[];
}

/** While a daemon runs or not. The file gets its name when it is whole. */
export function makeBackup({ config, to, withSecrets, note }: BackupRequest): BackupReport {
  const { stateDir, dbPath } = config;
  const nowMs = systemClock.nowMs();
  const file = freeName(to, nowMs);
  const unfinished = `${file}.${randomBytes(8).toString('hex')}.new`;
  const { files, secrets, skipped } = contentsOf(stateDir);
  const leftOut = withSecrets ? [] : secrets;
  try {
    closeSync(openSync(unfinished, 'wx', 0o600));
    note(`Copying ${dbPath}`);
    writeBackup({ database: dbPath, to: unfinished }, (backup) => {
      const paths = withSecrets ? [...files, ...secrets] : files;
      if (paths.length > 0) note(`Adding ${paths.length} ${paths.length === 1 ? 'file' : 'files'}`);
      for (const path of paths) {
        const kept = readKept(stateDir, path);
        if (kept !== undefined) backup.addFile(kept);
      }
      backup.addFacts({
        made_at_ms: nowMs,
        version: packageFacts().version,
        app_id: config.appId ?? null,
        with_secrets: withSecrets,
        left_out: leftOut,
      });
    });
    seal(unfinished);
    renameSync(unfinished, file);
  } catch (error) {
    rmSync(unfinished, { force: true });
    throw error;
  }
  const { size: bytes } = statSync(file);
  const made = new Date(nowMs).toISOString();
  return { file, bytes, made_at: made, with_secrets: withSecrets, left_out: leftOut, skipped };
}

function freeName(to: string | undefined, nowMs: number): string {
  const asked = resolve(to ?? '.');
  const isFolder = statSync(asked, { throwIfNoEntry: false })?.isDirectory() === true;
  const stamp = new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, '');
  const file = isFolder ? join(asked, `lark-bridge-${stamp}Z.backup`) : asked;
  if (!existsSync(file)) return file;
  throw new BridgeError('usage', `${file} is there already`, {
    next: 'Give another name: a backup never replaces a file.',
  });
}
