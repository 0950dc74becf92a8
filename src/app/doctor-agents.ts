/** What `doctor` finds out about the programs of agents. It starts those that speak a protocol, without a prompt. */
import { basename } from 'node:path';
import { probeRemoteAgent } from '../agents/a2a/probe.ts';
import { knownLoginCommand } from '../agents/acp/abilities.ts';
import { probeAgent } from '../agents/acp/probe.ts';
import type { Environment } from '../agents/environment.ts';
import { givenVariables } from '../agents/given-variables.ts';
import { isAtLeast, nodeVersion, versionOf } from '../agents/known/installed-agent.ts';
import { loginStateOf } from '../agents/known/login-state.ts';
import { knownAgent } from '../agents/known-agents.ts';
import { checkProgram } from '../agents/program-check.ts';
import type { A2aSpec, AcpSpec, ExecSpec } from '../agents/runtime.ts';
import type { Config } from '../config/load.ts';
import { BridgeError } from '../core/errors.ts';
import type { AgentFact } from '../doctor/agents.ts';
import type { UnitFact } from '../doctor/unit-file.ts';
import { findFolder } from '../files/folder-check.ts';
import type { AgentRecord } from '../hub/ports/agents.ts';
import { shortened } from '../text/cut.ts';
import { systemClock } from '../time/clock.ts';
import { SILENT } from './doctor-lark.ts';

interface Around {
  readonly config: Config;
  readonly env: Environment;
  readonly units: readonly UnitFact[];
  /** Nothing elsewhere is asked. */
  readonly offline: boolean;
}

/** What a program said is the reason of a finding, not a log. */
const SAID_CHARS_MAX = 300;

/** All of them at the same time. A program that does not get ready takes a minute. */
export function agentFacts(
  agents: readonly AgentRecord[],
  around: Around,
): Promise<readonly AgentFact[]> {
  const facts = agents.flatMap(({ name, spec }) => {
    if (spec.kind === 'exec') return [Promise.resolve({ name, ...programFact(spec, around) })];
    if (spec.kind === 'acp') return [acpFact(name, spec, around)];
    return spec.kind === 'a2a' && !around.offline ? [a2aFact(name, spec, around)] : [];
  });
  return Promise.all(facts);
}

/** Whether its program can be started, here and by an installed service. */
function programFact({ argv }: ExecSpec | AcpSpec, { env, units }: Around): Partial<AgentFact> {
  const notStartable = startTrouble(argv, env);
  if (notStartable !== undefined) return { notStartable };
  for (const { path: unit, searchPath } of units) {
    const trouble = searchPath === undefined ? undefined : startTrouble(argv, { PATH: searchPath });
    if (trouble !== undefined) return { service: { unit, what: trouble.what } };
  }
  return {};
}

/** Of its program, and of a script that is given to Node by its path. */
function startTrouble(argv: readonly string[], env: Environment) {
  const [program = '', script = ''] = argv;
  const trouble = checkProgram(program, env);
  if (trouble !== undefined || basename(program) !== 'node' || !script.startsWith('/')) {
    return trouble;
  }
  const missing = checkProgram(script, env);
  return missing?.what.startsWith('there is no file') === true ? missing : undefined;
}

async function acpFact(name: string, spec: AcpSpec, around: Around): Promise<AgentFact> {
  const { notStartable, service } = programFact(spec, around);
  const { folder } = spec;
  const missingFolder = folder !== undefined && !findFolder(folder).ok ? folder : undefined;
  if (notStartable !== undefined || missingFolder !== undefined) {
    return { name, notStartable, missingFolder };
  }
  const [probe, about] = await Promise.all([probed(spec, around), aboutKnown(spec, around)]);
  return { name, service, ...about, probe };
}

async function a2aFact(name: string, spec: A2aSpec, { config, env }: Around): Promise<AgentFact> {
  const probe = await probeRemoteAgent({ spec, env, proxies: config, clock: systemClock });
  return { name, card: probe.ok ? { ok: true } : { ok: false, detail: probe.detail } };
}

async function probed(spec: AcpSpec, { config, env }: Around): Promise<AgentFact['probe']> {
  const probe = await probeAgent({
    spec,
    known: knownAgent(spec.known),
    env,
    folder: spec.folder ?? config.stateDir,
    clock: systemClock,
    log: SILENT,
  });
  if (probe.ok) return { ok: true, says: probe.identity.name };
  const said = [probe.output?.stdout, probe.output?.stderr].map((text) => text?.trim() ?? '');
  const shown = said
    .filter((text) => text !== '')
    .join(' ')
    .replaceAll(/\s+/g, ' ');
  return { ok: false, detail: probe.detail, said: shortened(shown, SAID_CHARS_MAX) };
}

/** What the table knows of it. */
async function aboutKnown(
  spec: AcpSpec,
  { config, env }: Around,
): Promise<Pick<AgentFact, 'version' | 'oldNode' | 'login' | 'loginCommand'>> {
  const known = knownAgent(spec.known);
  if (known === undefined) return {};
  const { argv, places = {} } = spec;
  const start = argv.slice(0, Math.max(1, argv.length - known.args.length));
  const [node = ''] = start;
  const needed = start.length > 1 ? known.nodeMin : undefined;
  const [version, own] = await Promise.all([
    versionOf(start, env),
    needed === undefined ? undefined : nodeVersion(node, env),
  ]);
  const isOld = needed !== undefined && own !== undefined && !isAtLeast(own, needed);
  return {
    version,
    oldNode: isOld ? { own, needed } : undefined,
    login: loginStateOf(known, { env: keysOf(spec, env), home: places.HOME ?? config.home }).is,
    loginCommand: knownLoginCommand(known, argv),
  };
}

/** The variables that a person chose for it. A file that can't be read is told when it is started. */
function keysOf(spec: AcpSpec, env: Environment): Environment {
  try {
    return givenVariables(spec, { env, owner: undefined });
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return {};
  }
}
