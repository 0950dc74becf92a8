/** All settings with their sources, and what is wrong with them. */
import { existsSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { headOf } from '../text/cut.ts';
import { BridgeError, isSystemError } from '../core/errors.ts';
import { appId } from '../core/ids.ts';
import type { OpenSecret } from '../files/rights.ts';
import { readConfigFile, saveField } from './config-file.ts';
import {
  CONFIG_FILE,
  CREDENTIALS_FILE,
  type Environment,
  fileOf,
  find,
  findInEnv,
  type Flags,
  type Found,
  type Row,
  type Sources,
  type Stored,
} from './sources.ts';
import { credentialsPath, glanceAtCredentials } from './credentials-file.ts';
import { judgeNamedFile } from './named-files.ts';
import type { Parsed, PathBases } from './values.ts';
import { SETTINGS } from './settings.ts';
import {
  type Config,
  type SettingName,
  settingKey,
  settingLabel,
  settingRows,
} from './setting-rows.ts';
import {
  type Need,
  type Problem,
  type Values,
  gapsIn,
  unusualIds,
  unusableProxy,
  foreignVersion,
} from './gaps.ts';
import { makeStateDir, refuseForeign, configPath } from './state-folder.ts';

export type { Environment, Flags } from './sources.ts';
export type { Config } from './setting-rows.ts';

export interface ConfigRequest {
  readonly env: Environment;
  readonly flags: Flags;
  readonly needs?: readonly Need[];
  /** Checked in the place of what is in config.json. */
  readonly configText?: string;
}

/** One setting as people may see it. */
export interface SettingView {
  readonly name: SettingName;
  /** Null if it is not set. Secrets are masked. */
  readonly value: string | number | boolean | null;
  /** The variable, flag or file that it comes from, `default` or `unset`. */
  readonly source: string;
}

/** `file`: the file that it is about, if it is about its rights. */
interface Warning {
  readonly text: string;
  readonly file?: string;
}

/** All settings, with everything that is wrong with them; `config` is there if nothing is. */
export interface ConfigReport {
  readonly stateDir: string;
  readonly views: readonly SettingView[];
  readonly problems: readonly Problem[];
  /** Values that are allowed but look like a mistake. */
  readonly warnings: readonly Warning[];
  readonly config: Config | undefined;
  /** The same, but something may be missing. */
  readonly incomplete: Config | undefined;
}

/** The settings for a command. Throws one `config_invalid` that lists everything missing or wrong. */
export async function loadConfig(request: ConfigRequest): Promise<Config> {
  const { config, problems, stateDir } = await checkConfig(request);
  if (config === undefined) throw configError(problems, stateDir);
  return config;
}

/** One error with all problems. */
export function configError(problems: readonly Problem[], stateDir: string): BridgeError {
  const onlyLark = problems.every(
    ({ name, missing }) => missing && (name === 'appId' || name === 'appSecret'),
  );
  const list = problems.map(({ text }) => `  - ${text}`).join('\n');
  return new BridgeError('config_invalid', `the configuration is incomplete or wrong:\n${list}`, {
    next: onlyLark
      ? 'Run `lark-bridge connect` to create the bot, or set these variables. `lark-bridge demo` needs no app.'
      : `Correct them in the environment or in ${configPath(stateDir)}; \`lark-bridge config\` shows what comes from where.`,
  });
}

/** Like `loadConfig`, but returns the problems. Throws only if the state directory or config.json can't be used. */
export async function checkConfig(request: ConfigRequest): Promise<ConfigReport> {
  const { env, flags, needs = [] } = request;
  const home = homeFolder(env);
  const stateDir = locateStateDir(request);
  refuseForeign(stateDir, { rootMayLook: !needs.includes('state') });
  const file = readConfigFile(stateDir, request.configText);
  const bare = { env, flags, file, credentials: {} };
  const credentials = await credentialsFor(bare, { stateDir, needs });
  const { stored, secretSource } = credentials;
  const sources = { ...bare, credentials: stored, secretSource };

  const values: Values = {};
  const views: SettingView[] = [];
  const problems: Problem[] = [];
  const openSecrets: OpenSecret[] = [];
  for (const [name, row] of settingRows()) {
    const found = find(name, row, sources);
    const { parsed, open } = judged(
      row,
      { found, parsed: parseFound(row, found, { home, stateDir }) },
      env,
    );
    openSecrets.push(...open);
    if (parsed.ok) values[name] = parsed.value;
    else problems.push({ name, missing: false, text: parsed.problem });
    const source =
      found === undefined && row.credential === 'app_secret' ? secretSource : undefined;
    views.push({ name, value: shown(row, found, parsed), source: source ?? sourceOf(row, found) });
  }
  problems.push(...unknownKeys(file, stateDir));
  if (needs.includes('platform')) problems.push(...foreignVersion(values));
  const sourceByName = new Map(views.map((view) => [view.name, view.source]));
  for (const gap of gapsIn(values, { needs, sourceByName })) {
    if (problems.some(({ name }) => name === gap.name)) continue;
    const about = gap.name === 'appSecret' || gap.name === 'appId' ? credentials.remark : '';
    const offer = gap.name === 'appId' ? await importOffer(home) : '';
    problems.push({ ...gap, text: `${gap.text}${about}${offer}` });
  }
  const workspaceTokenFile = fileOf(SETTINGS.workspaceToken, env);
  const incomplete = problems.every(({ missing }) => missing)
    ? ({ ...values, home, workspaceTokenFile, openSecrets } as Config)
    : undefined;
  const config = problems.length === 0 ? incomplete : undefined;
  const warnings = [
    ...(credentials.warning === undefined
      ? []
      : [{ text: credentials.warning, file: join(stateDir, CREDENTIALS_FILE) }]),
    ...openSecrets.map(({ path, detail, next }) => {
      return { text: `${path}: ${detail}. ${next}`, file: path };
    }),
    ...(needs.includes('platform') ? unusualIds(values, sourceByName) : []).map((text) => ({
      text,
    })),
    ...unusableProxy(values).map((text) => ({ text })),
  ];
  return { stateDir, views, problems, warnings, config, incomplete };
}

// ---------------------------------------------------------------- finding

function homeFolder(env: Environment): string {
  if (env['HOME'] !== undefined && env['HOME'] !== '') return env['HOME'];
  try {
    return homedir();
  } catch (error) {
    // The user has no entry in the system, as in many containers.
    if (isSystemError(error)) return '/';
    throw error;
  }
}

/** The state directory. For a wrong value it is the default, so that the other settings can still be checked. */
export function locateStateDir({ env, flags }: ConfigRequest): string {
  const home = homeFolder(env);
  const row = SETTINGS.stateDir;
  const found = find('stateDir', row, { env, flags, file: {}, credentials: {} });
  const parsed = parseFound(row, found, { home, stateDir: '' });
  return parsed.ok ? (parsed.value as string) : join(home, '.lark-bridge');
}

/** The database's file, found without a look at credentials. Throws only if config.json can't be used. */
export function locateDatabase(request: ConfigRequest): string {
  const { env, flags } = request;
  const stateDir = locateStateDir(request);
  const row = SETTINGS.dbPath;
  const sources = { env, flags, file: readConfigFile(stateDir), credentials: {} };
  const parsed = parseFound(row, find('dbPath', row, sources), { home: homeFolder(env), stateDir });
  return parsed.ok ? String(parsed.value) : '';
}

// ---------------------------------------------------------------- checking

function parseFound(row: Row, found: Found | undefined, bases: PathBases): Parsed<unknown> {
  if (found === undefined) {
    return row.fallback === undefined
      ? { ok: true, value: undefined }
      : row.parse(row.fallback, bases);
  }
  if ('problem' in found) return { ok: false, problem: `${found.source} ${found.problem}` };
  if (found.raw === '') return { ok: false, problem: `${found.source} is empty` };
  const parsed = row.parse(found.raw, bases);
  if (parsed.ok) return parsed;
  const got =
    row.secret === true ? '' : `, not ${JSON.stringify(headOf(found.raw, { chars: 100 }))}`;
  return { ok: false, problem: `${found.source} ${parsed.problem}${got}` };
}

interface Value {
  readonly found: Found | undefined;
  readonly parsed: Parsed<unknown>;
}

/** Whether a file with a secret that a setting names may be used, and what other users may read. */
function judged(row: Row, { found, parsed }: Value, env: Environment) {
  if (found !== undefined && 'raw' in found && found.open !== undefined) {
    return { parsed, open: [found.open] };
  }
  if (row.secretFile !== true || !parsed.ok || typeof parsed.value !== 'string') {
    return { parsed, open: [] };
  }
  const file = judgeNamedFile(parsed.value, env);
  if (file.kind === 'used') return { parsed, open: file.open === undefined ? [] : [file.open] };
  const problem = `${sourceOf(row, found)} ${file.problem}`;
  return { parsed: { ok: false, problem } as const, open: [] };
}

function shown(row: Row, found: Found | undefined, parsed: Parsed<unknown>): SettingView['value'] {
  if (row.secret === true) return found === undefined ? null : '[secret]';
  if (parsed.ok) return parsed.value === undefined ? null : (parsed.value as SettingView['value']);
  return found !== undefined && 'raw' in found ? found.raw : null;
}

function sourceOf(row: Row, found: Found | undefined): string {
  return found?.source ?? (row.fallback === undefined ? 'unset' : 'default');
}

function unknownKeys(file: Stored, stateDir: string): Problem[] {
  const known = new Set(settingRows().map(([, row]) => row.key));
  return Object.keys(file)
    .filter((key) => !known.has(key))
    .map((key) => ({
      name: undefined,
      missing: false,
      text: `${JSON.stringify(key)} in ${configPath(stateDir)} is not a setting`,
    }));
}

// ---------------------------------------------------------------- files

/**
 * Writes one setting to config.json, or removes it if `raw` is empty. Throws `config_invalid` for a value that
 * can't be used.
 */
export async function saveSetting(
  name: SettingName,
  raw: string,
  request: ConfigRequest,
): Promise<void> {
  const row: Row = SETTINGS[name];
  const { key } = row;
  const home = homeFolder(request.env);
  const stateDir = locateStateDir(request);
  if (key === undefined) {
    throw new BridgeError('usage', `${settingKey(name)} can't be kept in ${CONFIG_FILE}`, {
      next: `Set ${settingLabel(name)} instead.`,
    });
  }
  const parsed = raw === '' ? undefined : parseFound(row, { source: key, raw }, { home, stateDir });
  if (parsed?.ok === false) throw new BridgeError('config_invalid', parsed.problem);
  makeStateDir(stateDir);
  const value = typeof parsed?.value === 'number' ? parsed.value : raw;
  saveField(stateDir, key, parsed === undefined ? undefined : value);
}

interface Credentials {
  readonly stored: Stored;
  readonly secretSource?: string;
  /** Why something is missing that people may expect. */
  readonly remark: string;
  /** Other users may read the secret. */
  readonly warning?: string | undefined;
}

/**
 * The content of credentials.json, unless the environment names another app. If the settings choose the keyring,
 * the secret comes from there. The keyring is opened only for a command that needs the secret.
 */
async function credentialsFor(
  sources: Sources,
  { stateDir, needs }: { readonly stateDir: string; readonly needs: readonly Need[] },
): Promise<Credentials> {
  const kept = await storedCredentials(sources.env, { stateDir, needs });
  if (!isChosen(sources, 'secrets', 'keyring')) return kept;
  if (find('appSecret', SETTINGS.appSecret, sources) !== undefined) return kept;
  const inKeyring = { ...kept, secretSource: 'the keyring' };
  const found = find('appId', SETTINGS.appId, { ...sources, credentials: kept.stored });
  if (!needs.includes('lark') || found === undefined || !('raw' in found)) return inKeyring;
  try {
    const { openKeyring } = await import('./keyring.ts');
    const secret = (await openKeyring()).read(appId(found.raw));
    if (secret === undefined) {
      return { ...kept, remark: `; the keyring has no secret of ${found.raw}` };
    }
    return { ...inKeyring, stored: { ...kept.stored, app_secret: secret.reveal() } };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return { ...kept, remark: `; ${error.message}. ${error.next ?? ''}`.trimEnd() };
  }
}

async function importOffer(home: string): Promise<string> {
  const { offerToImport } = await import('./python-bridge.ts');
  return offerToImport(home);
}

function isChosen(sources: Sources, name: SettingName, value: string): boolean {
  const found = find(name, SETTINGS[name], sources);
  return found !== undefined && 'raw' in found && found.raw.toLowerCase() === value;
}

async function storedCredentials(
  env: Environment,
  { stateDir, needs }: { readonly stateDir: string; readonly needs: readonly Need[] },
): Promise<Credentials> {
  const path = credentialsPath(stateDir);
  if (!existsSync(path)) return { stored: {}, remark: '' };
  if (!needs.includes('lark')) {
    const { stored, warning } = glanceAtCredentials(stateDir);
    return isOfThisApp(stored['app_id'], env)
      ? { stored, remark: '', warning }
      : { stored: {}, remark: '' };
  }
  const { loadCredentials } = await import('./credentials.ts');
  const loaded = loadCredentials(stateDir);
  if (loaded.kind === 'none') return { stored: {}, remark: '' };
  if (loaded.kind === 'unusable') {
    return { stored: {}, remark: `; ${path} can't be used: ${loaded.reason}` };
  }
  const { appId: id, appSecret, brand } = loaded.credentials;
  const { warning } = loaded;
  if (!isOfThisApp(id, env)) return { stored: {}, remark: `; ${path} belongs to another app` };
  const stored = { app_id: id, tenant_brand: brand };
  if (appSecret === undefined) {
    return {
      stored,
      remark: `; ${path} has none: if it is in the keyring, set LARK_BRIDGE_SECRETS=keyring`,
      warning,
    };
  }
  return { stored: { ...stored, app_secret: appSecret.reveal() }, remark: '', warning };
}

function isOfThisApp(id: string | undefined, env: Environment): boolean {
  const named = findInEnv(SETTINGS.appId, env);
  return named === undefined || ('raw' in named && named.raw === id);
}
