/**
 * Known agents in a folder of the bridge, each at the version that was tried. A folder is there when all of it is:
 * npm works beside it, and the result is renamed into place.
 */
import { randomBytes } from 'node:crypto';
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { isAbsolute, join } from 'node:path';
import { BridgeError, isSystemError } from '../../core/errors.ts';
import { tailOf } from '../../text/cut.ts';
import type { Environment } from '../environment.ts';
import type { KnownAgent } from '../known-agents.ts';
import { findProgram, nodeOptionsOf } from '../program-check.ts';
import {
  environmentFor,
  type InstalledAgent,
  isAtLeast,
  nodeFor,
  nodeVersion,
  startOf,
} from './installed-agent.ts';
import { npmFailure } from './npm-failures.ts';
import { runToEnd } from './run-to-end.ts';

/** Half a gigabyte over a slow line. */
const NPM_MS_MAX = 20 * 60_000;
/** The slowest of the table needs nine seconds on a quiet machine. */
const FIRST_START_MS_MAX = 60_000;
/** An install that is older has died. */
const UNFINISHED_AFTER_MS = 60 * 60_000;
const DETAIL_CHARS_MAX = 1_000;
/** How the program in a folder is started: paths below the folder, or full ones. */
const START_FILE = 'start.json';
const UNFINISHED = '.new';

/** Node as an npm package, for agents that need a newer one. Its packages for machines need no install script. */
const NODE_VERSION = '22.23.3';
const NODE_MACHINES: readonly string[] = ['linux-x64', 'linux-arm64', 'darwin-x64'];

interface InstallOptions {
  /** Holds one folder an agent and version. */
  readonly folder: string;
  readonly env: Environment;
  readonly signal: AbortSignal;
}

/** The agent in the folder of the bridge, if it was installed there at the version of the table. */
export function findPrivate(agent: KnownAgent, folder: string): InstalledAgent | undefined {
  if (agent.npm === undefined) return undefined;
  const place = placeOf(agent, folder);
  const words = startWords(place);
  return words && { start: words.map((word) => inFolder(place, word)), version: agent.npm.version };
}

/** Installs a known agent for the bridge alone. Does nothing if it is there. Throws `failed` with the reason. */
export async function installPrivately(
  agent: KnownAgent,
  options: InstallOptions,
): Promise<InstalledAgent> {
  const there = findPrivate(agent, options.folder);
  if (there !== undefined) return there;
  const packages = await packagesFor(agent, options.env);
  removeUnfinished(options.folder);
  const place = placeOf(agent, options.folder);
  const work = `${place}.${randomBytes(8).toString('hex')}${UNFINISHED}`;
  mkdirSync(work, { recursive: true, mode: 0o700 });
  try {
    await runNpm(packages, work, options);
    const words = await triedStart(agent, work, options);
    writeFileSync(join(work, START_FILE), JSON.stringify(words));
    moveInto(place, work);
  } finally {
    rmSync(work, { recursive: true, force: true });
  }
  const installed = findPrivate(agent, options.folder);
  if (installed === undefined) throw new Error(`nothing was installed at ${place}`);
  return installed;
}

function placeOf({ id, npm }: KnownAgent, folder: string): string {
  return join(folder, `${id}@${npm?.version ?? ''}`);
}

/** What npm has to fetch: the agent, and a Node if the one of this machine is too old for it. */
async function packagesFor(agent: KnownAgent, env: Environment): Promise<readonly string[]> {
  const { id, npm, nodeMin } = agent;
  if (npm?.verified !== true) {
    throw new BridgeError('usage', `${agent.name} can't be installed by lark-bridge`, {
      next: `${howToInstall(agent)} Then: lark-bridge agents add ${id}`,
    });
  }
  const wanted = `${npm.name}@${npm.version}`;
  if (nodeMin === undefined) return [wanted];
  const own = await nodeVersion(nodeFor(env), env);
  if (own !== undefined && isAtLeast(own, nodeMin)) return [wanted];
  const machine = `${process.platform}-${process.arch}`;
  if (!NODE_MACHINES.includes(machine)) {
    throw new BridgeError(
      'failed',
      `${agent.name} needs Node.js ${nodeMin} or newer, and this machine has ${own ?? 'none'}`,
      {
        next: `npm has no Node.js for ${machine}. Install a newer one, for example from https://nodejs.org, and run this again with it on the PATH.`,
      },
    );
  }
  return [wanted, `node-${machine}@${NODE_VERSION}`];
}

/** One sentence with the command, or with where it is written. */
export function howToInstall({ name, npm, home }: KnownAgent): string {
  if (npm !== undefined) return `Install it: npm install -g ${npm.name}@${npm.version}.`;
  const where = home === undefined ? 'as its makers say' : `as ${home} says`;
  return `Install ${name} ${where}.`;
}

async function runNpm(
  packages: readonly string[],
  work: string,
  { env, signal }: InstallOptions,
): Promise<void> {
  const npm = startOf('npm', env);
  if (npm === undefined) {
    throw new BridgeError('failed', 'there is no npm on the PATH', {
      next: 'Install Node.js with npm, for example from https://nodejs.org, or install the agent yourself.',
    });
  }
  // Nothing of a package runs before a person has asked the agent something.
  const flags = ['--ignore-scripts', '--no-audit', '--no-fund', '--engine-strict=false'];
  const run = await runToEnd([...npm, 'install', '--prefix', work, ...flags, ...packages], {
    env: { ...environmentFor(env), ...npmSettings(env) },
    timeoutMs: NPM_MS_MAX,
    signal,
  });
  switch (run.kind) {
    case 'ended':
      if (run.code !== 0) throw npmFailure(packages, run.errors);
      return;
    case 'not_started':
      throw new BridgeError('failed', `npm can't be started: ${run.why}`, {
        next: 'Check the installation of Node.js and npm.',
      });
    case 'too_long':
      throw new BridgeError('timed_out', 'npm was not done after 20 minutes', {
        next: 'Check the network, and run this again.',
      });
    case 'aborted':
      throw new BridgeError('interrupted', 'interrupted; nothing was installed');
  }
}

/** Which registry it asks, and how. */
function npmSettings(env: Environment): Environment {
  return Object.fromEntries(Object.entries(env).filter(([name]) => /^npm_config_/i.test(name)));
}

/** The words that start what npm fetched, as they are stored. It was started once with them. */
async function triedStart(
  agent: KnownAgent,
  work: string,
  { env, signal }: InstallOptions,
): Promise<readonly string[]> {
  const ways = waysToStart(agent, work, env);
  let detail = 'npm installed no program of that name';
  for (const words of ways) {
    const start = [...words.map((word) => inFolder(work, word)), '--version'];
    const run = await runToEnd(start, {
      env: environmentFor(env),
      timeoutMs: FIRST_START_MS_MAX,
      signal,
    });
    if (run.kind === 'ended' && run.code === 0) return words;
    if (run.kind === 'aborted') {
      throw new BridgeError('interrupted', 'interrupted; nothing was installed');
    }
    detail =
      run.kind === 'ended'
        ? tailOf(run.errors.trim() || run.output.trim(), { chars: DETAIL_CHARS_MAX })
        : 'it said nothing within a minute';
  }
  throw new BridgeError('failed', `${agent.name} was fetched, but does not start: ${detail}`, {
    next: `Nothing was kept. ${howToInstall(agent)} Or choose another agent: lark-bridge agents known`,
  });
}

function waysToStart(agent: KnownAgent, work: string, env: Environment): readonly string[][] {
  const modules = 'node_modules';
  const binaries = (agent.npm?.binaries ?? []).map((name) =>
    join(modules, forThisMachine(name), 'bin', agent.program),
  );
  const own = binaries.filter((path) => existsSync(join(work, path))).map((path) => [path]);
  if (agent.npm?.binaries !== undefined) return own;
  const program = join(modules, '.bin', agent.program);
  if (findProgram(join(work, program), env) === undefined) return [];
  const options = nodeOptionsOf(join(work, program));
  if (options === undefined) return [[program]];
  const ownNode = join(modules, `node-${process.platform}-${process.arch}`, 'bin', 'node');
  const node = existsSync(join(work, ownNode)) ? ownNode : nodeFor(env);
  return [[node, ...options, program]];
}

function forThisMachine(name: string): string {
  return name.replace('{system}', process.platform).replace('{arch}', process.arch);
}

/** Whoever was faster has installed the same. */
function moveInto(place: string, work: string): void {
  if (startWords(place) === undefined) rmSync(place, { recursive: true, force: true });
  try {
    renameSync(work, place);
  } catch (error) {
    if (!isSystemError(error) || startWords(place) === undefined) throw error;
  }
}

function startWords(place: string): readonly string[] | undefined {
  try {
    const words: unknown = JSON.parse(readFileSync(join(place, START_FILE), 'utf8'));
    const isSound = Array.isArray(words) && words.every((word) => typeof word === 'string');
    if (!isSound) return undefined;
    const files = words.filter((word) => word.includes('/'));
    return files.every((file) => existsSync(inFolder(place, file))) ? words : undefined;
  } catch (error) {
    if (isSystemError(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** Options of Node are no paths. */
function inFolder(place: string, word: string): string {
  return word.startsWith('node_modules') && !isAbsolute(word) ? join(place, word) : word;
}

/** What an install that was killed has left, which may be half a gigabyte. */
function removeUnfinished(folder: string): void {
  const names = existsSync(folder) ? readdirSync(folder) : [];
  for (const name of names.filter((one) => one.endsWith(UNFINISHED))) {
    const path = join(folder, name);
    const stat = statSync(path, { throwIfNoEntry: false });
    if (stat !== undefined && Date.now() - stat.mtimeMs > UNFINISHED_AFTER_MS) {
      rmSync(path, { recursive: true, force: true });
    }
  }
}
