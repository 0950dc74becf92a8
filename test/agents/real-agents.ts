/**
 * `npm run real-agents`: coding agents as they are published, driven by our runtime, against a stand-in of the
 * model's API on this machine. `--agents claude,opencode` names those that are tried, `--folder DIR` where they
 * are installed: 400 MB for each, from the npm registry.
 */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { ProgramPlaces } from '../../src/agents/acp/places.ts';
import { createRuntime } from '../../src/agents/create-runtime.ts';
import type { AgentRuntime } from '../../src/agents/runtime.ts';
import { systemClock } from '../../src/time/clock.ts';
import { silentLog } from '../kit/log.ts';
import { type Candidate, CANDIDATES, install } from './candidates.ts';
import { CHECKS, processesOf, type Stage, type State } from './checks.ts';
import { ModelApi } from './model-api.ts';

/** Nothing here takes so long. */
const IDLE_MS = 600_000;

export async function main(words: string[]): Promise<number> {
  const { values } = parseArgs({
    args: words,
    options: {
      agents: { type: 'string', default: CANDIDATES.map(({ name }) => name).join(',') },
      folder: { type: 'string', default: join(tmpdir(), 'lark-bridge-real-agents') },
    },
  });
  const wanted = values.agents.split(',');
  const unknown = wanted.filter((name) => !CANDIDATES.some((one) => one.name === name));
  if (unknown.length > 0) throw new Error(`no such agent: ${unknown.join(', ')}`);
  let failures = 0;
  for (const candidate of CANDIDATES.filter(({ name }) => wanted.includes(name))) {
    failures += await tryOut(candidate, install(candidate, values.folder));
  }
  console.log(failures === 0 ? 'all is well' : `${failures} checks failed`);
  return failures === 0 ? 0 : 1;
}

async function tryOut(candidate: Candidate, modules: string): Promise<number> {
  const home = mkdtempSync(join(tmpdir(), `lark-bridge-${candidate.name}-`));
  const folder = join(home, 'work');
  mkdirSync(folder);
  const api = new ModelApi();
  const variables = candidate.prepare(home, await api.start());
  const argv = candidate.argv(modules);
  const runtimes: AgentRuntime[] = [];
  const openRuntime = async () => {
    const runtime = createAcpRuntime(argv, { ...variables, HOME: home }, home);
    runtimes.push(runtime);
    await runtime.start();
    return runtime;
  };
  try {
    return await runChecks(candidate.name, { api, home, folder, openRuntime });
  } finally {
    await Promise.all(runtimes.map((runtime) => runtime.stop()));
    for (const left of processesOf(home)) process.kill(Number.parseInt(left, 10), 'SIGKILL');
    api.stop();
    rmSync(home, { recursive: true, force: true });
  }
}

/** As the bridge makes it, without the limits on its processes that need a system for it. */
function createAcpRuntime(
  argv: readonly string[],
  variables: Record<string, string>,
  home: string,
): AgentRuntime {
  const spec = {
    kind: 'acp',
    argv,
    variables: Object.keys(variables),
    permissions: 'ask',
  } as const;
  const env = { PATH: process.env['PATH'], ...variables };
  const kept = {
    places: new ProgramPlaces(4),
    idleMs: IDLE_MS,
    agentFolders: join(home, 'agents'),
  };
  const options = { env, timeoutMs: 0, ...kept, clock: systemClock, log: silentLog };
  const host = { agent: 'tried', onLateText: () => {}, onOwnerNotice: () => {} };
  return createRuntime(spec, options, host);
}

async function runChecks(agent: string, stage: Stage): Promise<number> {
  const state: State = {};
  let failures = 0;
  for (const { name, run } of CHECKS) {
    const startedMs = Date.now();
    let complaint: string | undefined;
    try {
      await run(stage, state);
    } catch (error) {
      complaint = String(error);
      failures += 1;
    }
    const secs = ((Date.now() - startedMs) / 1000).toFixed(1);
    const how = complaint === undefined ? 'ok    ' : 'FAILED';
    console.log(
      `${agent} ${how} ${name} (${secs} s)${complaint === undefined ? '' : `\n  ${complaint}`}`,
    );
  }
  return failures;
}
