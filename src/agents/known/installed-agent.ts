/** Finds known agents on this machine: where they are, how they are started, and which version they have. */
import { readFileSync, realpathSync } from 'node:fs';
import { dirname, isAbsolute, join, resolve } from 'node:path';
import { isSystemError } from '../../core/errors.ts';
import { agentEnvironment, type Environment } from '../environment.ts';
import type { KnownAgent } from '../known-agents.ts';
import { findProgram, nodeOptionsOf, STANDARD_PATH } from '../program-check.ts';
import { runToEnd } from './run-to-end.ts';

/** A program that starts says its version within this. A machine under load may not; then it is not known. */
const VERSION_MS_MAX = 3_000;
/** The package of a program is at most so many folders above its file. */
const FOLDERS_UP_MAX = 6;

export interface InstalledAgent {
  /** What starts it, with full paths and without its arguments: Node and the script, or the program alone. */
  readonly start: readonly string[];
  readonly version: string | undefined;
}

/**
 * What starts a program: full paths, so that it is the same one whatever PATH the bridge has later. Undefined if it
 * is not on the PATH of `env`.
 */
export function startOf(program: string, env: Environment): readonly string[] | undefined {
  const found = findProgram(program, safePath(env));
  if (found === undefined) return undefined;
  const path = resolve(found);
  const options = nodeOptionsOf(path);
  return options === undefined ? [path] : [nodeFor(env), ...options, path];
}

/** The Node that a script would get: that of the PATH, or else that of the bridge. */
export function nodeFor(env: Environment): string {
  const found = findProgram('node', safePath(env));
  return found === undefined ? process.execPath : resolve(found);
}

/** The known agent on the PATH. */
export async function findInstalled(
  { program }: Pick<KnownAgent, 'program'>,
  env: Environment,
): Promise<InstalledAgent | undefined> {
  const start = startOf(program, env);
  return start === undefined ? undefined : { start, version: await versionOf(start, env) };
}

/** Undefined if the program does not tell it in time. */
export async function versionOf(
  start: readonly string[],
  env: Environment,
): Promise<string | undefined> {
  // A script need not run for it: its package says it.
  const packaged = start.length > 1 ? versionOfPackage(start.at(-1) ?? '') : undefined;
  if (packaged !== undefined) return packaged;
  const run = await runToEnd([...start, '--version'], {
    env: environmentFor(env),
    timeoutMs: VERSION_MS_MAX,
  });
  return run.kind === 'ended' ? versionIn(run.output) : undefined;
}

/** What any program of an agent gets of the environment. */
export function environmentFor(env: Environment): Environment {
  return agentEnvironment({ env: safePath(env), given: {}, turn: { lark: undefined } });
}

/** Without folders that depend on where somebody stands: a project that was only downloaded would choose the agent. */
function safePath(env: Environment): Environment {
  const { PATH: path } = env;
  if (path === undefined) return env;
  return { ...env, PATH: path.split(':').filter(isAbsolute).join(':') || STANDARD_PATH };
}

/** The first word of a text that looks like a version. */
export function versionIn(text: string): string | undefined {
  return /\bv?(\d+\.\d+(?:\.\d+)?(?:-[\w.]+)?)\b/.exec(text)?.[1];
}

/** Of the package that a script is a part of. */
function versionOfPackage(script: string): string | undefined {
  try {
    let folder = dirname(realpathSync(script));
    for (let up = 0; up < FOLDERS_UP_MAX; up += 1) {
      const version = packageVersion(join(folder, 'package.json'));
      if (version !== undefined) return version;
      folder = dirname(folder);
    }
  } catch (error) {
    if (!isSystemError(error)) throw error;
  }
  return undefined;
}

/** A file without a name and a version only says how the files beside it are read. */
function packageVersion(path: string): string | undefined {
  try {
    const { name, version } = JSON.parse(readFileSync(path, 'utf8')) as Record<string, unknown>;
    return typeof name === 'string' && typeof version === 'string' ? version : undefined;
  } catch (error) {
    if (isSystemError(error) || error instanceof SyntaxError) return undefined;
    throw error;
  }
}

/** The version of a Node, as three numbers. Undefined if it does not run. */
export async function nodeVersion(node: string, env: Environment): Promise<string | undefined> {
  if (node === process.execPath) return process.versions.node;
  const run = await runToEnd([node, '--version'], {
    env: environmentFor(env),
    timeoutMs: VERSION_MS_MAX,
  });
  return run.kind === 'ended' && run.code === 0 ? versionIn(run.output) : undefined;
}

/** Whether a version is at least another one, by its numbers. */
export function isAtLeast(version: string, least: string): boolean {
  const [own, wanted] = [version, least].map((text) =>
    text.split(/[.-]/, 3).map((part) => Number.parseInt(part, 10) || 0),
  );
  for (const [at, number] of (wanted ?? []).entries()) {
    const difference = (own?.[at] ?? 0) - number;
    if (difference !== 0) return difference > 0;
  }
  return true;
}
