/** What `disconnect` does: it removes what gives access to the bot, and says what is left. */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { loadCredentials } from '../config/credentials.ts';
import type { Config } from '../config/load.ts';
import type { Brand } from '../core/brand.ts';
import { BridgeError, isSystemError } from '../core/errors.ts';
import type { AppId } from '../core/ids.ts';
import { consolePageUrl, openBaseUrl } from '../lark/brand.ts';
import { lockStopped } from './stopped-state.ts';

/** In the state directory. Each of them holds a secret, or a code that leads to one. */
const ACCESS = /^(?:credentials\.json|connect\.json|qr\.png)(?:\.|$)/;
/** What the bridge keeps of its work. The settings, and the folders in which agents work, belong to people. */
const WORK =
  /^(?:owner\.json|provision-token|webhook-secret|workspace-token\.json|attachments|turns|programs|agent-packages)(?:\.replaced-.*)?$/;
/** What may come after the name of the database: its log, and copies that were set aside. */
const BESIDE_DATABASE =
  /^$|^-(?:wal|shm|journal)$|^\.(?:last|suspect|restoring)$|^(?:-wal)?\.(?:corrupt|damaged|foreign|kept|replaced)-/;
const LOCK = /^instance\.lock/;

export interface Disconnected {
  /** Undefined if no bot was connected, or if its file could not be read. */
  readonly app:
    | { readonly id: AppId; readonly brand: Brand; readonly consoleUrl: string }
    | undefined;
  readonly fromKeyring: boolean;
  /** Paths. */
  readonly removed: readonly string[];
  /** Names in the state directory. */
  readonly left: readonly string[];
}

/** `all`: the database goes too. Throws `already_running` while a bridge runs on the state directory. */
export async function disconnect(
  config: Config,
  { all }: { readonly all: boolean },
): Promise<Disconnected> {
  const { stateDir, home } = config;
  if (!existsSync(stateDir)) {
    return { app: undefined, fromKeyring: false, removed: [], left: [] };
  }
  const lock = lockStopped({ stateDir, home });
  try {
    const loaded = loadCredentials(stateDir);
    const bot = loaded.kind === 'found' ? loaded.credentials : undefined;
    // First: a keyring that is locked is tried again later, and needs the app's id from the file.
    const isInKeyring = bot !== undefined && bot.appSecret === undefined;
    const fromKeyring = isInKeyring && (await forgetInKeyring(bot.appId));
    const paths = pathsIn(stateDir, ACCESS);
    if (all) paths.push(...pathsIn(stateDir, WORK), ...databaseFiles(config.dbPath));
    for (const path of paths) remove(path);
    return {
      app: bot && {
        id: bot.appId,
        brand: bot.brand,
        consoleUrl: consolePageUrl(openBaseUrl(bot.brand, config.openBaseUrl), bot.appId, 'app'),
      },
      fromKeyring,
      removed: paths,
      left: readdirSync(stateDir)
        .filter((name) => !LOCK.test(name))
        .toSorted(),
    };
  } finally {
    lock.release();
  }
}

async function forgetInKeyring(app: AppId): Promise<boolean> {
  const { openKeyring } = await import('../config/keyring.ts');
  const keyring = await openKeyring();
  return keyring.forget(app);
}

function pathsIn(folder: string, names: RegExp): string[] {
  return readdirSync(folder)
    .filter((name) => names.test(name))
    .map((name) => join(folder, name));
}

/** With its log, and the copies that were set aside. */
function databaseFiles(path: string): string[] {
  const [folder, name] = [dirname(path), basename(path)];
  if (!existsSync(folder)) return [];
  return readdirSync(folder)
    .filter((one) => one.startsWith(name) && BESIDE_DATABASE.test(one.slice(name.length)))
    .map((one) => join(folder, one));
}

function remove(path: string): void {
  try {
    rmSync(path, { recursive: true, force: true });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new BridgeError('store_unavailable', `can't remove ${path}: ${error.message}`, {
      next: 'Check who owns it, and run the same command again.',
      cause: error,
    });
  }
}
