/**
 * credentials.json in the state directory: `{app_id, app_secret, tenant_brand}`. Only its owner may read it. It has
 * no `app_secret` if the system's keyring keeps that.
 */
import { accessSync, constants, existsSync, mkdirSync, renameSync, statSync } from 'node:fs';
import Conf, { type Schema } from 'conf';
import { BRANDS, type Brand } from '../core/brand.ts';
import type { Credentials } from '../core/credentials.ts';
import { BridgeError, errorText } from '../core/errors.ts';
import { APP_ID_PATTERN, appId } from '../core/ids.ts';
import { keptName } from '../files/kept-name.ts';
import { parseJsonObject } from '../files/json-text.ts';
import { writePrivateFile } from '../files/private-file.ts';
import { folderRefusal } from '../files/rights.ts';
import { Secret } from '../core/secret.ts';
import { APP_SECRET_PATTERN, credentialsPath, credentialsTrouble } from './credentials-file.ts';
import type { Keyring } from './keyring.ts';

interface Stored {
  app_id: string;
  app_secret?: string;
  tenant_brand: Brand;
}

const SCHEMA: Schema<Stored> = {
  app_id: { type: 'string', pattern: APP_ID_PATTERN.source },
  app_secret: { type: 'string', pattern: APP_SECRET_PATTERN.source },
  tenant_brand: { type: 'string', enum: BRANDS },
};

type StoredCredentials = Omit<Credentials, 'appSecret'> & {
  readonly appSecret: Secret | undefined;
};

type LoadedCredentials =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'found';
      readonly credentials: StoredCredentials;
      /** Other users may read the file. */
      readonly warning: string | undefined;
    }
  /** There is a file that can't be used. `reason` is for people and quotes nothing from it. */
  | { readonly kind: 'unusable'; readonly reason: string };

/** Only reads: neither the directory nor the file is created or changed. */
export function loadCredentials(stateDir: string): LoadedCredentials {
  const path = credentialsPath(stateDir);
  if (!existsSync(path)) return { kind: 'none' };
  try {
    const trouble = credentialsTrouble(stateDir);
    const said = trouble && `${trouble.what}. ${trouble.next}`;
    if (trouble?.kind === 'foreign') return { kind: 'unusable', reason: said ?? '' };
    const warning = said && `${path}: ${said}`;
    const { app_id: id, app_secret: secret, tenant_brand: brand = 'feishu' } = read(stateDir);
    if (id === undefined) return { kind: 'unusable', reason: 'app_id is missing' };
    const appSecret = secret === undefined ? undefined : new Secret(secret);
    return { kind: 'found', credentials: { appId: appId(id), appSecret, brand }, warning };
  } catch (error) {
    return { kind: 'unusable', reason: reasonOf(error) };
  }
}

/** Where `connect` keeps the bot. Its secret goes into `keyring`, if there is one. */
interface CredentialStoreOptions {
  /** Replace a bot that exists already. */
  readonly force: boolean;
  readonly keyring?: Keyring | undefined;
}

export function createCredentialStore(
  stateDir: string,
  { force, keyring }: CredentialStoreOptions,
) {
  const path = credentialsPath(stateDir);
  return {
    /** Creates the directory. Throws if a bot must not be replaced, or if nothing can be written there. */
    admit(): void {
      makeStateDir(stateDir);
      keyring?.check();
      const loaded = loadCredentials(stateDir);
      if (loaded.kind === 'found' && !force) throw alreadyConnected(stateDir, loaded.credentials);
    },

    /** Writes all or nothing. If the old file can't be used, it is kept under `keptPath`. */
    save({ appId: id, appSecret, brand }: Credentials): { keptPath: string | undefined } {
      try {
        // Somebody may have removed it while a person confirmed the bot.
        makeStateDir(stateDir);
        keyring?.keep(id, appSecret);
        const isKept = existsSync(path) && !(force && loadCredentials(stateDir).kind === 'found');
        const keptPath = isKept ? setAside(path) : undefined;
        const stored: Stored = {
          app_id: id,
          ...(keyring === undefined && { app_secret: appSecret.reveal() }),
          tenant_brand: brand,
        };
        // Without the schema: what a person confirmed is kept, even in a form that this version does not know.
        writePrivateFile(path, `${JSON.stringify(stored, undefined, 2)}\n`);
        return { keptPath };
      } catch (error) {
        throw new BridgeError(
          'store_unavailable',
          `the bot ${id} is ready, but its credentials could not be stored: ${reasonOf(error)}`,
          {
            next: `Make room in ${stateDir}, then give App ID and App Secret from the developer console: lark-bridge connect --app-id ${id} --app-secret-stdin`,
          },
        );
      }
    },
  };
}

/** Conf only reads here: it writes through a link, and under a name that others can guess. */
function read(stateDir: string): Readonly<Partial<Stored>> {
  const file = new Conf<Stored>({
    cwd: stateDir,
    configName: 'credentials',
    schema: SCHEMA,
    // Conf wants the type. The schema checks the content.
    deserialize: (text) => parseJsonObject(text) as unknown as Stored,
  });
  return file.store;
}

function makeStateDir(stateDir: string): void {
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const refusal = folderRefusal(stateDir, statSync(stateDir), { name: 'the state directory' });
    if (refusal !== undefined) throw refusal;
    accessSync(stateDir, constants.W_OK | constants.X_OK);
  } catch (error) {
    if (error instanceof BridgeError) throw error;
    throw new BridgeError(
      'store_unavailable',
      `can't write to the state directory ${stateDir}: ${reasonOf(error)}`,
      { next: 'Choose another one with --state-dir, or correct its rights.' },
    );
  }
}

function setAside(path: string): string {
  const keptPath = keptName(path, 'corrupt');
  renameSync(path, keptPath);
  return keptPath;
}

function alreadyConnected(stateDir: string, { appId: id, brand }: StoredCredentials): BridgeError {
  return new BridgeError('usage', `${stateDir} already holds the bot ${id} (${brand})`, {
    next: 'Start it with `lark-bridge run`. For another bot, choose another --state-dir, or replace this one with --force.',
  });
}

/** Why a file can't be read or written. Any other error is a bug and is thrown again. */
function reasonOf(error: unknown): string {
  const isExpected =
    error instanceof Error &&
    (error instanceof BridgeError ||
      'syscall' in error ||
      error instanceof SyntaxError ||
      error.message.startsWith('Config schema violation'));
  if (!isExpected) throw error;
  return errorText(error);
}
