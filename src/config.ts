/** Where settings come from, and what is wrong with them. The only reader of the environment and of `conf`. */
import { existsSync, mkdirSync, readFileSync, renameSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import type Conf from 'conf';
import { BridgeError, errorText } from './core/errors.ts';
import {
  type Config,
  type Judged,
  type Places,
  type Setting,
  type SettingName,
  SETTINGS,
  settingKey,
  settingLabel,
  settingRows,
} from './settings.ts';

export type { Config } from './settings.ts';

export type Environment = Readonly<Record<string, string | undefined>>;
/** Values from the command line, as typed. */
export type Flags = { readonly [Name in SettingName]?: string };

/**
 * What a command can't do without. `lark`: credentials of a Lark app. `platform`: what it takes to reach a hub
 * that exists already, if one is named.
 */
export type Need = 'lark' | 'platform';

export interface ConfigRequest {
  readonly env: Environment;
  readonly flags: Flags;
  readonly needs?: readonly Need[];
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
}

type Row = Setting<unknown>;
type Stored = Readonly<Record<string, unknown>>;
/** What was found for a setting, before it is judged. */
type Found = { readonly source: string } & (
  | { readonly raw: string }
  | { readonly problem: string }
);

interface Sources {
  readonly env: Environment;
  readonly flags: Flags;
  readonly file: Stored;
  readonly credentials: Stored;
}

const CONFIG_FILE = 'config.json';
const CREDENTIALS_FILE = 'credentials.json';

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
  const file = await readConfigFile(stateDir);
  const credentials = await credentialsFor(env, stateDir);
  const sources = { env, flags, file, credentials: credentials.stored };

  const values: Partial<Record<SettingName, unknown>> = {};
  const views: SettingView[] = [];
  const problems: Problem[] = [];
  for (const [name, row] of settingRows()) {
    const found = find(name, row, sources);
    const judged = judge(row, found, { home, stateDir });
    if (judged.ok) values[name] = judged.value;
    else problems.push({ name, missing: false, text: judged.problem });
    views.push({ name, value: shown(row, found, judged), source: sourceOf(row, found) });
  }
  problems.push(...unknownKeys(file, stateDir));
  for (const gap of gapsIn(values, needs)) {
    if (problems.some(({ name }) => name === gap.name)) continue;
    const about = gap.name === 'appSecret' || gap.name === 'appId' ? credentials.remark : '';
    problems.push({ ...gap, text: `${gap.text}${about}` });
  }
  const config = problems.length === 0 ? ({ ...values, home } as Config) : undefined;
  return { stateDir, views, problems, config };
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

/** A flag beats the environment, which beats the files. */
function find(name: SettingName, row: Row, sources: Sources): Found | undefined {
  const typed = sources.flags[name];
  if (typed !== undefined) return { source: `--${row.flag ?? name}`, raw: typed };
  const fromEnv = findInEnv(row, sources.env);
  if (fromEnv !== undefined) return fromEnv;
  if (row.key !== undefined && row.key in sources.file) {
    return fromFile(sources.file[row.key], `${row.key} in ${CONFIG_FILE}`);
  }
  if (row.credential !== undefined && row.credential in sources.credentials) {
    return fromFile(
      sources.credentials[row.credential],
      `${row.credential} in ${CREDENTIALS_FILE}`,
    );
  }
  return undefined;
}

function findInEnv(row: Row, env: Environment): Found | undefined {
  const name = row.env?.find((one) => (env[one] ?? '').trim() !== '');
  const direct = name === undefined ? undefined : { source: name, raw: (env[name] ?? '').trim() };
  const fileName = row.envFile;
  const path = fileName === undefined ? '' : (env[fileName] ?? '').trim();
  if (fileName === undefined || path === '') return direct;
  try {
    const raw = readFileSync(path, 'utf8').trim();
    if (direct !== undefined && direct.raw !== raw) {
      return {
        source: fileName,
        problem: `and ${direct.source} are both set, to different values`,
      };
    }
    return { source: fileName, raw };
  } catch (error) {
    return { source: fileName, problem: `names a file that can't be read (${errorText(error)})` };
  }
}

function fromFile(value: unknown, source: string): Found {
  return typeof value === 'string' || typeof value === 'number'
    ? { source, raw: String(value) }
    : { source, problem: 'must be a text or a number' };
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
  const got = row.secret === true ? '' : `, not ${JSON.stringify(found.raw.slice(0, 100))}`;
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
  const named = values.platformUrl ?? values.workspaceToken ?? values.targetWorkspaceId;
  // Without any of these the embedded hub is meant.
  if (named === undefined) return [];
  return ['platformUrl', 'workspaceId', 'workspaceToken', 'targetWorkspaceId'];
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

async function readConfigFile(stateDir: string): Promise<Stored> {
  // A mere look must not create the folder, and most people have no such file.
  if (!existsSync(configPath(stateDir))) return {};
  return withConf(stateDir, (conf) => conf.store);
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
    if (!isSystemError(error)) throw error;
    throw new BridgeError('config_invalid', `can't use ${path}: ${error.message}`, {
      next: 'Check that the folder and the file belong to you and can be read and written.',
      cause: error,
    });
  }
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

function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** What credentials.json holds, unless it is about another app than the environment names. */
async function credentialsFor(
  env: Environment,
  stateDir: string,
): Promise<{ stored: Stored; remark: string }> {
  const path = join(stateDir, CREDENTIALS_FILE);
  if (!existsSync(path)) return { stored: {}, remark: '' };
  const { loadCredentials } = await import('./credentials.ts');
  const loaded = loadCredentials(stateDir);
  if (loaded.kind === 'none') return { stored: {}, remark: '' };
  if (loaded.kind === 'unusable') {
    return { stored: {}, remark: `; ${path} can't be used: ${loaded.reason}` };
  }
  const { appId, appSecret, brand } = loaded.credentials;
  const named = findInEnv(SETTINGS.appId, env);
  if (named !== undefined && (!('raw' in named) || named.raw !== appId)) {
    return { stored: {}, remark: `; ${path} is about another app` };
  }
  const stored = { app_id: appId, app_secret: appSecret.reveal(), tenant_brand: brand };
  return { stored, remark: '' };
}
