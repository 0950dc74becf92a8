/** Whether a known agent is logged in, as far as its files and variables tell. Nothing is read but their names. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Environment } from '../environment.ts';
import type { KnownAgent } from '../known-agents.ts';

/** `yes` by a variable counts only for an agent that gets that variable. */
export type LoginState =
  | { readonly is: 'yes'; readonly file: string }
  | { readonly is: 'yes'; readonly variable: string }
  | { readonly is: 'no' }
  | { readonly is: 'unknown' };

interface LoginPlace {
  readonly env: Environment;
  /** Of the user as whom the agent runs. */
  readonly home: string;
}

export function loginStateOf(agent: KnownAgent, { env, home }: LoginPlace): LoginState {
  const variable = agent.keys?.find((name) => (env[name] ?? '') !== '');
  if (variable !== undefined) return { is: 'yes', variable };
  const { loginFile } = agent;
  if (loginFile === undefined) return { is: 'unknown' };
  const { folderVariable, folder, file, elsewhereToo = false } = loginFile;
  const moved = folderVariable === undefined ? undefined : env[folderVariable];
  const path = join(moved ?? join(home, folder), file);
  if (existsSync(path)) return { is: 'yes', file: path };
  // A Mac keeps logins in its keychain.
  return elsewhereToo || process.platform === 'darwin' ? { is: 'unknown' } : { is: 'no' };
}
