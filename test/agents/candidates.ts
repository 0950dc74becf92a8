/** The agents that are tried, and how each is installed and told to ask the stand-in of a model's API. */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface Candidate {
  readonly name: string;
  /** With its version: another one may behave in another way. */
  readonly npmPackage: string;
  /** From the folder that it is installed in. */
  readonly argv: (modules: string) => readonly string[];
  /** Prepares the home directory of the agent, and returns what its environment needs beside it. */
  readonly prepare: (home: string, apiUrl: string) => Record<string, string>;
}

/** No account is used: the key opens nothing. */
const API_KEY = 'not-a-key';

export const CANDIDATES: readonly Candidate[] = [
  {
    name: 'claude',
    npmPackage: '@agentclientprotocol/claude-agent-acp@0.101.0',
    argv: (modules) => [
      process.execPath,
      join(modules, '@agentclientprotocol/claude-agent-acp/dist/index.js'),
    ],
    prepare: (_home, apiUrl) => ({
      ANTHROPIC_BASE_URL: apiUrl,
      ANTHROPIC_API_KEY: API_KEY,
      CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC: '1',
    }),
  },
  {
    name: 'opencode',
    npmPackage: 'opencode-ai@1.18.33',
    // The script that would put it in place is not run.
    argv: (modules) => [join(modules, `opencode-linux-${process.arch}/bin/opencode`), 'acp'],
    prepare(home, apiUrl) {
      const model = 'anthropic/claude-sonnet-4-5';
      const config = {
        model,
        small_model: model,
        autoupdate: false,
        share: 'disabled',
        permission: { bash: 'ask', edit: 'ask' },
        provider: { anthropic: { options: { baseURL: `${apiUrl}/v1`, apiKey: API_KEY } } },
      };
      const folder = join(home, '.config/opencode');
      mkdirSync(folder, { recursive: true });
      writeFileSync(join(folder, 'opencode.json'), JSON.stringify(config));
      return {};
    },
  },
];

/** Installs it below `folder`, unless it is there; returns the folder with its modules. */
export function install({ name, npmPackage }: Candidate, folder: string): string {
  const place = join(folder, npmPackage.replaceAll(/[^\w.-]+/g, '_'));
  const done = join(place, 'installed');
  if (!existsSync(done)) {
    console.log(`${name}: installs ${npmPackage} in ${place}`);
    mkdirSync(place, { recursive: true });
    writeFileSync(join(place, 'package.json'), '{}');
    const words = ['install', '--ignore-scripts', '--no-audit', '--no-fund', '--save-exact'];
    execFileSync('npm', [...words, npmPackage], { cwd: place, stdio: 'ignore' });
    writeFileSync(done, '');
  }
  return join(place, 'node_modules');
}
