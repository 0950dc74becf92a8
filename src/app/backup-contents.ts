/** What of a state directory is in a backup. The rest can be made again, or is only of use to the process that runs. */
import { lstatSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { loadCredentials } from '../config/credentials.ts';
import { isSystemError } from '../core/errors.ts';
import { WEBHOOK_SECRET_FILE } from '../host/secret-files.ts';
import type { KeptFile } from '../store/backup-facts.ts';
import { AGENT_FOLDERS, ANSWER_FILES } from './state.ts';

/** SQLite keeps no larger piece, and a file is read as a whole. */
const FILE_BYTES_MAX = 256 * 1024 * 1024;

const PLAIN_FILES = ['config.json', 'owner.json'];
const SECRETS = [
  'credentials.json',
  'provision-token',
  WEBHOOK_SECRET_FILE,
  'workspace-token.json',
];

/** A restore replaces these as a whole: what the backup does not have was not there. */
export const REPLACED = [...PLAIN_FILES, AGENT_FOLDERS, ANSWER_FILES];

/** True for the names that a backup gives to files. */
export function isInBackups(path: string): boolean {
  const isIn = [AGENT_FOLDERS, ANSWER_FILES].some((folder) => path.startsWith(`${folder}/`));
  return isIn || [...PLAIN_FILES, ...SECRETS].includes(path);
}

interface Contents {
  readonly files: readonly string[];
  /** Files with secrets, which stay out unless somebody asks for them. */
  readonly secrets: readonly string[];
  /** Links, pipes and files that are too large. */
  readonly skipped: readonly string[];
}

export function contentsOf(stateDir: string): Contents {
  const isThere = (name: string) =>
    statSync(join(stateDir, name), { throwIfNoEntry: false }) !== undefined;
  const credentials = loadCredentials(stateDir);
  // The keyring of the system has the secret, so the file has none.
  const isBare = credentials.kind === 'found' && credentials.credentials.appSecret === undefined;
  const plain = isBare ? [...PLAIN_FILES, 'credentials.json'] : PLAIN_FILES;
  const secrets = isBare ? SECRETS.slice(1) : SECRETS;
  const skipped: string[] = [];
  const inFolders = [AGENT_FOLDERS, ANSWER_FILES].flatMap((name) =>
    filesIn(stateDir, name, skipped),
  );
  return {
    files: [...plain.filter(isThere), ...inFolders],
    secrets: secrets.filter(isThere),
    skipped,
  };
}

/** Undefined if it has just gone, as files do that were waiting to be sent. */
export function readKept(stateDir: string, path: string): KeptFile | undefined {
  const at = join(stateDir, path);
  try {
    return { path, mode: statSync(at).mode & 0o777, bytes: readFileSync(at) };
  } catch (error) {
    if (!isSystemError(error) || error.code !== 'ENOENT') throw error;
    return undefined;
  }
}

/** A folder that is not there has none. What is no plain file is noted in `skipped`. */
function filesIn(stateDir: string, folder: string, skipped: string[]): string[] {
  const at = join(stateDir, folder);
  const found = lstatSync(at, { throwIfNoEntry: false });
  if (found?.isDirectory() !== true) {
    if (found !== undefined) skipped.push(folder);
    return [];
  }
  return readdirSync(at, { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    if (entry.isDirectory()) return filesIn(stateDir, path, skipped);
    const size = statSync(join(stateDir, path), { throwIfNoEntry: false })?.size ?? 0;
    const isKept = entry.isFile() && size <= FILE_BYTES_MAX;
    if (!isKept) skipped.push(path);
    return isKept ? [path] : [];
  });
}
