/** Finds the raw value of a setting: in a flag, the environment, a file that it names, systemd, or our own files. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { errorText } from '../core/errors.ts';
import type { OpenSecret } from '../files/rights.ts';
import { readNamedFile } from './named-files.ts';
import type { Setting } from './settings.ts';
import type { SettingName } from './setting-rows.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
/** Values from the command line, as they were typed. */
export type Flags = { readonly [Name in SettingName]?: string };

export type Row = Setting<unknown>;
export type Stored = Readonly<Record<string, unknown>>;
/** What was found for a setting, before it is parsed. */
export type Found = { readonly source: string } &
  /** `open`: it comes from a file that other users may read. */
  ({ readonly raw: string; readonly open?: OpenSecret | undefined } | { readonly problem: string });

export interface Sources {
  readonly env: Environment;
  readonly flags: Flags;
  readonly file: Stored;
  /** The content of credentials.json, with the secret from the keyring if that is used. */
  readonly credentials: Stored;
  /** The source that is named for the app secret, if it is not credentials.json. */
  readonly secretSource?: string | undefined;
}

export const CONFIG_FILE = 'config.json';
export const CREDENTIALS_FILE = 'credentials.json';

/** In this order: the flag, the environment, systemd's credentials, our own files. The first one counts. */
export function find(name: SettingName, row: Row, sources: Sources): Found | undefined {
  const typed = sources.flags[name];
  if (typed !== undefined) return { source: `--${row.flag ?? name}`, raw: typed };
  const given = findInEnv(row, sources.env) ?? findInSystemd(row, sources.env);
  if (given !== undefined) return given;
  if (row.key !== undefined && row.key in sources.file) {
    return fromFile(sources.file[row.key], `${row.key} in ${CONFIG_FILE}`);
  }
  if (row.credential !== undefined && row.credential in sources.credentials) {
    const place = `${row.credential} in ${CREDENTIALS_FILE}`;
    return fromFile(
      sources.credentials[row.credential],
      row.secret === true ? (sources.secretSource ?? place) : place,
    );
  }
  return undefined;
}

/** The file that holds a setting, if it comes from one. */
export function fileOf(row: Row, env: Environment): string | undefined {
  return namedFile(row, env) ?? (isInEnv(row, env) ? undefined : systemdFile(row, env));
}

export function findInEnv(row: Row, env: Environment): Found | undefined {
  const name = row.env?.find((one) => textIn(env, one) !== '');
  const direct = name === undefined ? undefined : { source: name, raw: textIn(env, name) };
  const fileName = row.envFile;
  const path = namedFile(row, env);
  if (fileName === undefined || path === undefined) return direct;
  const kept = readSecretFile(path, {
    env,
    source: fileName,
    trouble: "names a file that can't be read",
  });
  if (direct === undefined || 'problem' in kept || direct.raw === kept.raw) return kept;
  return { source: fileName, problem: `and ${direct.source} are both set, to different values` };
}

/**
 * The name of a secret among systemd's credentials (`LoadCredential=`, `SetCredentialEncrypted=`): the name of its
 * variable, in lower case and with dashes.
 */
export function systemdName({ env, secret }: Row): string | undefined {
  return secret === true ? env?.[0]?.toLowerCase().replaceAll('_', '-') : undefined;
}

function findInSystemd(row: Row, env: Environment): Found | undefined {
  const path = systemdFile(row, env);
  if (path === undefined) return undefined;
  return readSecretFile(path, { env, source: `the credential ${path}`, trouble: "can't be read" });
}

function systemdFile(row: Row, env: Environment): string | undefined {
  const folder = textIn(env, 'CREDENTIALS_DIRECTORY');
  const name = systemdName(row);
  if (folder === '' || name === undefined) return undefined;
  const path = join(folder, name);
  return existsSync(path) ? path : undefined;
}

function namedFile({ envFile }: Row, env: Environment): string | undefined {
  const path = envFile === undefined ? '' : textIn(env, envFile);
  return path === '' ? undefined : path;
}

function isInEnv(row: Row, env: Environment): boolean {
  return row.env?.some((name) => textIn(env, name) !== '') === true;
}

/** An empty variable counts as unset. */
function textIn(env: Environment, name: string): string {
  return (env[name] ?? '').trim();
}

function readSecretFile(
  path: string,
  about: { readonly env: Environment; readonly source: string; readonly trouble: string },
): Found {
  const { env, source, trouble } = about;
  try {
    return { source, ...readNamedFile(path, env) };
  } catch (error) {
    return { source, problem: `${trouble} (${errorText(error)})` };
  }
}

function fromFile(value: unknown, source: string): Found {
  return typeof value === 'string' || typeof value === 'number'
    ? { source, raw: String(value) }
    : { source, problem: 'must be a text or a number' };
}
