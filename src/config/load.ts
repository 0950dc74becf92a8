/** Where settings come from, and what is wrong with them. The only reader of the environment and of `conf`. */
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type Conf from 'conf';
import { headOf } from '../core/cut.ts';
import { BridgeError, isSystemError } from '../core/errors.ts';
import { appId } from '../core/ids.ts';
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
import type { Judged, Places } from './values.ts';
import {
  type Config,
  type SettingName,
  SETTINGS,
  settingKey,
  settingLabel,
  settingRows,
} from './settings.ts';

export type { Environment, Flags } from './sources.ts';
export type { Config } from './settings.ts';

/**
 * What a command can't do without. `lark`: credentials of a Lark app. `platform`: what it takes to reach a hub
 * that exists already, if one is named.
 */
export type Need = 'lark' | 'platform';

export interface ConfigRequest {
  readonly env: Environment;
  readonly flags: Flags;
  readonly needs?: readonly Need[];
  /** Leaves a broken config.json where it is; it is an error all the same. */
  readonly lookOnly?: boolean;
}

/** One setting as people may see it. */
export interface SettingView {
  readonly name: SettingName;
  /** Null if unset; secrets are masked. */
  readonly value: string | number | boolean | null;
  /** The variable, flag or file that it comes from, `default` or `unset`. */
  readonly source: string;
}

export interface Problem {
  readonly name: SettingName | undefined;
  readonly missing: boolean;
  readonly text: string;
}

/** All settings, with everything that is wrong with them; `config` is there if nothing is. */
export interface Inspection {
  readonly stateDir: string;
  readonly views: readonly SettingView[];
  readonly problems: readonly Problem[];
  readonly config: Config | undefined;
  /** The same if nothing is wrong, though something may be missing. */
  readonly incomplete: Config | undefined;
}

const CHANNEL_API_VERSION = '1';

/** The settings for a command. Throws one `config_invalid` that lists everything missing or wrong. */
export async function loadConfig(request: ConfigRequest): Promise<Config> {
  const { config, problems, stateDir } = await inspectConfig(request);
  if (config === undefined) throw configError(problems, stateDir);
  return config;
}

/** The one error for all problems. */
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

/** Like `loadConfig`, but hands back what is wrong. Throws only for a config.json that is unusable. */
export async function inspectConfig(request: ConfigRequest): Promise<Inspection> {
  const { env, flags, needs = [] } = request;
  const home = homeFolder(env);
  const stateDir = locateStateDir(request);
  const file = await readConfigFile(stateDir, request.lookOnly === true);
  const bare = { env, flags, file, credentials: {} };
  const credentials = await credentialsFor(bare, { stateDir, needs });
  const { stored, secretSource } = credentials;
  const sources = { ...bare, credentials: stored, secretSource };

  const values: Partial<Record<SettingName, unknown>> = {};
  const views: SettingView[] = [];
  const problems: Problem[] = [];
  for (const [name, row] of settingRows()) {
    const found = find(name, row, sources);
    const judged = judge(row, found, { home, stateDir });
    if (judged.ok) values[name] = judged.value;
    else problems.push({ name, missing: false, text: judged.problem });
    const source =
      found === undefined && row.credential === 'app_secret' ? secretSource : undefined;
    views.push({ name, value: shown(row, found, judged), source: source ?? sourceOf(row, found) });
  }
  problems.push(...unknownKeys(file, stateDir));
  if (needs.includes('platform')) problems.push(...foreignVersion(values));
  for (const gap of gapsIn(values, needs)) {
    if (problems.some(({ name }) => name === gap.name)) continue;
    const about = gap.name === 'appSecret' || gap.name === 'appId' ? credentials.remark : '';
    problems.push({ ...gap, text: `${gap.text}${about}` });
  }
  const workspaceTokenFile = fileOf(SETTINGS.workspaceToken, env);
  const incomplete = problems.every(({ missing }) => missing)
    ? ({ ...values, home, workspaceTokenFile } as Config)
    : undefined;
  const config = problems.length === 0 ? incomplete : undefined;
  return { stateDir, views, problems, config, incomplete };
}

// ---------------------------------------------------------------- finding

function homeFolder(env: Environment): string {
  if (env['HOME'] !== undefined && env['HOME'] !== '') return env['HOME'];
  try {
    return homedir();
  } catch (error) {
    // A user without an entry in the system, as containers like to have.
    if (isSystemError(error)) return '/';
    throw error;
  }
}

/** The state directory, even if it is badly named, so that the other settings can be judged with it. */
export function locateStateDir({ env, flags }: ConfigRequest): string {
  const home = homeFolder(env);
  const row = SETTINGS.stateDir;
  const found = find('stateDir', row, { env, flags, file: {}, credentials: {} });
  const judged = judge(row, found, { home, stateDir: '' });
  return judged.ok ? (judged.value as string) : join(home, '.lark-bridge');
}

// ---------------------------------------------------------------- judging

function judge(row: Row, found: Found | undefined, places: Places): Judged<unknown> {
  if (found === undefined) {
    return row.fallback === undefined
      ? { ok: true, value: undefined }
      : row.parse(row.fallback, places);
  }
  if ('problem' in found) return { ok: false, problem: `${found.source} ${found.problem}` };
  if (found.raw === '') return { ok: false, problem: `${found.source} is empty` };
  const judged = row.parse(found.raw, places);
  if (judged.ok) return judged;
  const got =
    row.secret === true ? '' : `, not ${JSON.stringify(headOf(found.raw, { chars: 100 }))}`;
  return { ok: false, problem: `${found.source} ${judged.problem}${got}` };
}

function shown(row: Row, found: Found | undefined, judged: Judged<unknown>): SettingView['value'] {
  if (row.secret === true) return found === undefined ? null : '[secret]';
  if (judged.ok) return judged.value === undefined ? null : (judged.value as SettingView['value']);
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

/** What is not set although the command, or another setting, needs it. */
function gapsIn(values: Partial<Record<SettingName, unknown>>, needs: readonly Need[]): Problem[] {
  const wanted: SettingName[] = [];
  if (needs.includes('lark')) wanted.push('appId', 'appSecret');
  if (needs.includes('platform')) wanted.push(...platformNeeds(values));
  if (values.tlsCert !== undefined || values.tlsKey !== undefined) wanted.push('tlsCert', 'tlsKey');
  return wanted
    .filter((name) => values[name] === undefined)
    .map((name) => {
      const text = `${settingLabel(name)} is not set (${SETTINGS[name].doc})`;
      return { name, missing: true, text };
    });
}

function platformNeeds(values: Partial<Record<SettingName, unknown>>): SettingName[] {
  if (values.mode === 'daemon') {
    const inherited: SettingName[] = ['platformUrl', 'workspaceId', 'workspaceToken'];
    return values.channelSocket === undefined && values.channelToken === undefined
      ? inherited
      : [...inherited, 'channelApiVersion', 'channelSocket', 'channelToken'];
  }
  const named = values.platformUrl ?? values.workspaceToken ?? values.targetWorkspaceId;
  // Without any of these the embedded hub is meant.
  if (named === undefined) return [];
  return ['platformUrl', 'workspaceId', 'workspaceToken', 'targetWorkspaceId'];
}

/** A host with another version of the channel socket might take a turn in another sense (MOL-SOCK-08). */
function foreignVersion({
  mode,
  channelApiVersion: version,
}: Partial<Record<SettingName, unknown>>): Problem[] {
  if (mode !== 'daemon' || version === undefined || version === CHANNEL_API_VERSION) return [];
  const text = `${settingLabel('channelApiVersion')} must be ${CHANNEL_API_VERSION}, the only version that this lark-bridge speaks, not ${JSON.stringify(version)}`;
  return [{ name: 'channelApiVersion', missing: false, text }];
}

// ---------------------------------------------------------------- files

export function configPath(stateDir: string): string {
  return join(stateDir, CONFIG_FILE);
}

/**
 * Writes one setting to config.json, or takes it out if `raw` is empty. Throws `config_invalid` for a
 * value that could not be used.
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
      next: `Use ${settingLabel(name)} instead.`,
    });
  }
  const judged = raw === '' ? undefined : judge(row, { source: key, raw }, { home, stateDir });
  if (judged?.ok === false) throw new BridgeError('config_invalid', judged.problem);
  await withConf(stateDir, (conf) => {
    if (judged === undefined) conf.delete(key);
    else conf.set(key, typeof judged.value === 'number' ? judged.value : raw);
  });
}

async function readConfigFile(stateDir: string, lookOnly: boolean): Promise<Stored> {
  const path = configPath(stateDir);
  // A mere look must not create the folder, and most people have no such file.
  if (!existsSync(path)) return {};
  if (!lookOnly) return withConf(stateDir, (conf) => conf.store);
  try {
    return parseObject(readFileSync(path, 'utf8'));
  } catch (error) {
    throw unreadable(path, error);
  }
}

async function withConf<T>(stateDir: string, work: (conf: Conf) => T): Promise<T> {
  const { default: ConfFile } = await import('conf');
  const path = configPath(stateDir);
  try {
    mkdirSync(stateDir, { recursive: true, mode: 0o700 });
    const conf = new ConfFile({
      cwd: stateDir,
      configName: 'config',
      configFileMode: 0o600,
      accessPropertiesByDotNotation: false,
      serialize: (value) => `${JSON.stringify(value, undefined, 2)}\n`,
      deserialize: parseObject,
    });
    return work(conf);
  } catch (error) {
    if (error instanceof SyntaxError) throw setAside(path, error);
    throw unreadable(path, error);
  }
}

/** Anything but a broken file and the system's own errors is a bug. */
function unreadable(path: string, error: unknown): unknown {
  if (error instanceof SyntaxError) {
    return new BridgeError('config_invalid', `${path} is corrupt: ${error.message}`, {
      next: 'Mend that file, or move it away.',
      cause: error,
    });
  }
  if (!isSystemError(error)) return error;
  return new BridgeError('config_invalid', `can't use ${path}: ${error.message}`, {
    next: 'Check that the folder and the file belong to you and can be read and written.',
    cause: error,
  });
}

function parseObject(text: string): Record<string, unknown> {
  let value: unknown;
  try {
    value = JSON.parse(text.replace(/^\uFEFF/, ''));
  } catch {
    // The parser's own words quote the text, in which somebody may have put a secret.
    throw new SyntaxError('it is not JSON');
  }
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) {
    return value as Record<string, unknown>;
  }
  throw new SyntaxError('it is not a JSON object');
}

function setAside(path: string, cause: SyntaxError): BridgeError {
  const kept = `${path}.corrupt-${new Date().toISOString().replaceAll(/[:.]/g, '-')}`;
  renameSync(path, kept);
  return new BridgeError('config_invalid', `${path} is corrupt: ${cause.message}`, {
    next: `It was kept as ${kept}. Mend that file and put it back, or start again without it.`,
    cause,
  });
}

interface Credentials {
  readonly stored: Stored;
  readonly secretSource?: string;
  /** Why there is less than one may expect. */
  readonly remark: string;
}

/**
 * What credentials.json holds, unless it is about another app than the environment names; and the secret from
 * the keyring if that was chosen, which is opened only for who needs it.
 */
async function credentialsFor(
  sources: Sources,
  { stateDir, needs }: { readonly stateDir: string; readonly needs: readonly Need[] },
): Promise<Credentials> {
  const kept = await storedCredentials(sources.env, stateDir);
  if (!isChosen(sources, 'secrets', 'keyring')) return kept;
  if (find('appSecret', SETTINGS.appSecret, sources) !== undefined) return kept;
  const inKeyring = { ...kept, secretSource: 'the keyring' };
  const found = find('appId', SETTINGS.appId, { ...sources, credentials: kept.stored });
  if (!needs.includes('lark') || found === undefined || !('raw' in found)) return inKeyring;
  try {
    const { openKeyring } = await import('./keyring.ts');
    const secret = (await openKeyring()).read(appId(found.raw));
    if (secret === undefined) {
      return { ...kept, remark: `; the keyring holds no secret of ${found.raw}` };
    }
    return { ...inKeyring, stored: { ...kept.stored, app_secret: secret.reveal() } };
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return { ...kept, remark: `; ${error.message}. ${error.next ?? ''}`.trimEnd() };
  }
}

function isChosen(sources: Sources, name: SettingName, value: string): boolean {
  const found = find(name, SETTINGS[name], sources);
  return found !== undefined && 'raw' in found && found.raw.toLowerCase() === value;
}

async function storedCredentials(env: Environment, stateDir: string): Promise<Credentials> {
  const path = join(stateDir, CREDENTIALS_FILE);
  if (!existsSync(path)) return { stored: {}, remark: '' };
  const { loadCredentials } = await import('./credentials.ts');
  const loaded = loadCredentials(stateDir);
  if (loaded.kind === 'none') return { stored: {}, remark: '' };
  if (loaded.kind === 'unusable') {
    return { stored: {}, remark: `; ${path} can't be used: ${loaded.reason}` };
  }
  const { appId: id, appSecret, brand } = loaded.credentials;
  const named = findInEnv(SETTINGS.appId, env);
  if (named !== undefined && (!('raw' in named) || named.raw !== id)) {
    return { stored: {}, remark: `; ${path} is about another app` };
  }
  const stored = { app_id: id, tenant_brand: brand };
  if (appSecret === undefined) {
    return {
      stored,
      remark: `; ${path} holds none: if it is in the keyring, set LARK_BRIDGE_SECRETS=keyring`,
    };
  }
  return { stored: { ...stored, app_secret: appSecret.reveal() }, remark: '' };
}
