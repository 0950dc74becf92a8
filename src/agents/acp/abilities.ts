/** What the bridge tells an agent that it can do, and what an agent tells that it can. */
import { quoted } from '../../files/rights.ts';
import { asObject, isObject, type Json } from '../../core/json-object.ts';
import type { KnownAgent } from '../known-agents.ts';
import type { PromptAbilities } from './prompt.ts';
import type { ToolAbilities } from './tools-port.ts';

/** Agents use their own tools for files and commands: they run on this machine. */
export const OUR_ABILITIES = {
  protocolVersion: 1,
  clientCapabilities: {
    fs: { readTextFile: false, writeTextFile: false },
    terminal: false,
    session: { configOptions: { boolean: {} }, notices: {}, compaction: {} },
    elicitation: { form: {}, url: {} },
    // People are told the command to log in.
    auth: { terminal: true },
  },
  clientInfo: { name: 'lark-bridge', title: 'lark-bridge', version: '1' },
} as const;

export interface Abilities {
  readonly load: boolean;
  readonly resume: boolean;
  readonly close: boolean;
  readonly prompt: PromptAbilities;
  readonly tools: ToolAbilities;
}

export interface AgentIdentity {
  readonly name: string | undefined;
  readonly version: string | undefined;
}

export function identityIn(answer: Json): AgentIdentity {
  const { name, title, version } = asObject(answer['agentInfo']) ?? {};
  const shown = [title, name].find((one) => typeof one === 'string');
  return {
    name: shown,
    version: typeof version === 'string' ? version : undefined,
  };
}

export function abilitiesIn(answer: Json): Abilities {
  const all = asObject(answer['agentCapabilities']) ?? {};
  const sessions = asObject(all['sessionCapabilities']) ?? {};
  const prompt = asObject(all['promptCapabilities']) ?? {};
  return {
    load: all['loadSession'] === true,
    resume: isObject(sessions['resume']),
    close: isObject(sessions['close']),
    prompt: { image: prompt['image'] === true, embedded: prompt['embeddedContext'] === true },
    tools: { http: asObject(all['mcpCapabilities'])?.['http'] === true },
  };
}

/** The command that logs in to an agent of the table. Undefined: nobody knows it. */
export function knownLoginCommand(
  known: Pick<KnownAgent, 'args' | 'login'> | undefined,
  argv: readonly string[],
): string | undefined {
  if (known?.login === undefined) return undefined;
  const own = argv.slice(0, Math.max(1, argv.length - known.args.length));
  return commandLine([...own, ...known.login]);
}

/** The command of the first method that runs in a terminal. Undefined: the agent names none. */
export function loginCommandIn(answer: Json, argv: readonly string[]): string | undefined {
  const methods = Array.isArray(answer['authMethods']) ? answer['authMethods'] : [];
  for (const method of methods.filter(isObject)) {
    const older = asObject(asObject(method['_meta'])?.['terminal-auth']);
    if (typeof older?.['command'] === 'string') {
      return commandLine([older['command'], ...wordsIn(older['args'])]);
    }
    if (method['type'] === 'terminal') return commandLine([...argv, ...wordsIn(method['args'])]);
  }
  return undefined;
}

function wordsIn(args: unknown): string[] {
  return Array.isArray(args) ? args.map(String) : [];
}

/** As it can be typed in a shell. */
function commandLine(words: readonly string[]): string {
  return words.map(quoted).join(' ');
}
