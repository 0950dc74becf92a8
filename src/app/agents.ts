/** What `agents` runs: the agents on the embedded hub, whether it runs or not. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import type { AppContext } from './context.ts';
import { parseCommand } from '../agents/command-line.ts';
import { ProgramPlaces } from '../agents/acp/places.ts';
import { createRuntime } from '../agents/create-runtime.ts';
import { checkNames, readVariables } from '../agents/given-variables.ts';
import { checkProgram } from '../agents/program-check.ts';
import { OutputFolders } from '../agents/output-folders.ts';
import { findUser } from '../agents/program-user.ts';
import type { AgentResult, RuntimeHost } from '../agents/runtime.ts';
import { TurnFiles } from '../agents/turn-files.ts';
import type { Environment } from '../config/load.ts';
import type { Brand } from '../core/brand.ts';
import { BridgeError } from '../core/errors.ts';
import type { LarkContext } from '../core/message.ts';
import { type AddedAgent, Directory } from '../hub/domain/directory.ts';
import type { AgentSpec } from '../hub/ports/agents.ts';
import { AGENT_FOLDERS } from './state.ts';
import { Db } from '../store/sqlite/db.ts';
import { SqliteHubStore } from '../store/sqlite/hub/hub-store.ts';
import { systemClock } from '../time/clock.ts';

/** Who gets the turns that `run` would take, with the settings as they are. */
export type TurnsGoTo =
  /** `isNamed`: a setting names it, so a new agent does not get the turns. */
  | { readonly kind: 'agent'; readonly name: string; readonly isNamed: boolean }
  /** The settings name an agent that does not exist. */
  | { readonly kind: 'nobody'; readonly name: string }
  | { readonly kind: 'elsewhere'; readonly url: string };

interface NewAgent {
  readonly name: string;
  /** The command of its program. Without it the agent connects to the hub by itself. */
  readonly exec?: string;
  /** Its program reads and writes JSON lines. */
  readonly stream?: boolean;
  /** Names of variables that its program gets from the environment of the bridge. */
  readonly variables?: readonly string[];
  /** A file with variables for its program. */
  readonly variablesFile?: string;
  /** The user as whom its program runs. */
  readonly user?: string;
  /** Also takes a program that can't start. */
  readonly force?: boolean;
}

export async function openAgents({ config, env, log }: AppContext) {
  const db = Db.open(config.dbPath, log);
  const directory = new Directory(new SqliteHubStore(db), systemClock);
  const timeoutMs = config.turnTimeoutSecs * 1000;
  return {
    list: () => directory.listAgents(),
    add: async (agent: NewAgent): Promise<AddedAgent> =>
      directory.addAgent({ name: agent.name, spec: await specOf(agent, env) }),
    remove: (name: string) => directory.removeAgent(name),
    async turnsGoTo(): Promise<TurnsGoTo> {
      const { platformUrl: url, agent: named } = config;
      if (url !== undefined) return { kind: 'elsewhere', url };
      const name = named ?? (await directory.defaultAgent()).name;
      const exists = (await directory.listAgents()).some((agent) => agent.name === name);
      return exists
        ? { kind: 'agent', name, isNamed: named !== undefined }
        : { kind: 'nobody', name };
    },
    /** Runs one turn in this process, without the hub. */
    async test(name: string, text: string, signal: AbortSignal): Promise<AgentResult> {
      const { spec } = await directory.agentNamed(name);
      if (spec.kind === 'external') {
        throw new BridgeError('usage', `the agent ${name} runs elsewhere, and can't be run here`, {
          next: 'Write to the bot in Lark. `lark-bridge agents list` shows which agents are programs of this machine.',
        });
      }
      // A daemon may run, and removes what it does not know in its own folder.
      mkdirSync(config.stateDir, { recursive: true, mode: 0o700 });
      const folder = mkdtempSync(join(config.stateDir, 'test-'));
      const outputs = new OutputFolders({ folder, log });
      const turnFiles = new TurnFiles({ folder, log });
      const places = new ProgramPlaces(1);
      const agentFolders = join(config.stateDir, AGENT_FOLDERS);
      const kept = { places, idleMs: config.agentIdleSecs * 1000, agentFolders };
      const given = { env, timeoutMs, outputs, turnFiles, ...kept, clock: systemClock, log };
      const runtime = createRuntime(spec, given, { agent: name, ...NOBODY });
      await runtime.start();
      try {
        const turn = { turnId: 'test', text, lark: testContext(config.brand) };
        const run = runtime.prompt(turn, {
          onUpdate: (update) => {
            // Nobody is here who could answer. The question comes from the program, so after the call.
            if (update.kind === 'question') run.answer(update.id, { kind: 'cancelled' });
          },
        });
        if (signal.aborted) run.cancel();
        signal.addEventListener('abort', () => run.cancel());
        return await run.result;
      } finally {
        await runtime.stop();
        turnFiles.removeLeftovers();
        rmSync(folder, { recursive: true, force: true });
      }
    },
    close: () => Promise.resolve(db.close()),
  };
}

/** Nobody is told what the agent says outside of its turn. */
const NOBODY: Omit<RuntimeHost, 'agent'> = { onLateText: () => {}, onOwnerNotice: () => {} };

/** Stands for a message in a direct chat. */
function testContext(brand: Brand): LarkContext {
  return {
    brand,
    chatId: 'oc_test',
    chatType: 'p2p',
    senderOpenId: 'ou_test',
    // No two messages have the same id.
    messageId: `om_test_${systemClock.nowMs()}`,
  };
}

async function specOf(agent: NewAgent, env: Environment): Promise<AgentSpec> {
  const { name, exec, stream = false, variables = [], variablesFile, user, force = false } = agent;
  if (exec === undefined) {
    const isBare = variables.length === 0 && variablesFile === undefined && user === undefined;
    if (isBare && !stream) return { kind: 'external' };
    throw new BridgeError(
      'usage',
      '--stream, --env, --env-file and --user are for a program of --exec',
      { next: 'Name the program with --exec, or leave them out.' },
    );
  }
  checkNames(variables);
  const file = variablesFile === undefined ? undefined : resolve(variablesFile);
  const found = user === undefined ? undefined : await findUser(user);
  if (file !== undefined && !force) readVariables(file, found?.uid);
  return {
    kind: 'exec',
    argv: commandFor(name, exec, { env, force }),
    ...(stream && { stream }),
    ...(variables.length > 0 && { variables }),
    ...(file !== undefined && { variablesFile: file }),
    ...(user !== undefined && { user }),
  };
}

/** The words of a command. A relative path becomes a full one: the hub may run in another folder. */
function commandFor(
  agent: string,
  exec: string,
  { env, force }: { env: Environment; force: boolean },
): string[] {
  const [first = '', ...rest] = parseCommand(exec);
  const program = first.includes('/') ? resolve(first) : first;
  const problem = force ? undefined : checkProgram(program, env);
  if (problem === undefined) return [program, ...rest];
  throw new BridgeError('usage', `the agent ${agent} could not start: ${problem.what}`, {
    next: `${problem.next} With --force it is added as it is.`,
  });
}
