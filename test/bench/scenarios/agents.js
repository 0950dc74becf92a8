/** B9: an agent that lives on between turns: how soon it is seen, what its memories cost, and prompts a second. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Site } from '../bridge.js';
import { row } from '../report.js';
import { latency, spread } from '../statistics.js';

const LIMIT_ACP = join(import.meta.dirname, '../limit-acp.js');
const AGENT = [process.execPath, join(import.meta.dirname, '../../fixtures/acp/fake-agent.mjs')];
const SESSIONS = 100;
const OUTSTANDING = 64;
const STREAMS = 20;

export async function measureAgents(cloud, { rounds, quick }) {
  const prompts = quick ? 300 : 1_000;
  const memory = await idleSessions(cloud, quick);
  return Site.with(cloud, async (site) => {
    const bridge = await runWithAgent(site);
    const measured = { limit: [], full: [], inTurn: [], together: [] };
    await ask(cloud, site, prompts);
    for (let round = 0; round < rounds; round += 1) {
      measured.limit.push(await barePrompts(prompts));
      const before = bridge.cpuUs();
      const perSecond = await ask(cloud, site, prompts);
      measured.full.push({ perSecond, cpuUs: (bridge.cpuUs() - before) / prompts });
      measured.limit.push(await barePrompts(prompts));
      measured.inTurn.push(
        latency(await cloud.call('firstUpdates', site.app.appId, inTurn(quick))),
      );
      measured.together.push(latency(await cloud.call('firstUpdates', site.app.appId, together)));
    }
    await bridge.stop();
    return report({ ...measured, memory, prompts }, await cloud.call('totals'));
  });
}

/** Each begins when another one has told a part, so that all others are at work when it tells its first. */
function inTurn(quick) {
  const durationMs = quick ? 2_000 : 10_000;
  return { chats: STREAMS, turns: quick ? 2 : 4, durationMs, apartMs: durationMs / STREAMS };
}

const together = { chats: STREAMS, turns: 1, durationMs: 2_000, apartMs: 0 };

function report({ limit, full, inTurn: single, together: many, memory, prompts }, correct) {
  const of = (results, name) => spread(results.map((result) => result[name]));
  const both = (name) => ({ value: of(full, name), limit: of(limit, name) });
  return {
    id: 'B9',
    title:
      'one agent that speaks ACP, 200 chats with a memory each; limit: the bare SDK as its client',
    rows: [
      row(`first update – shown, ${STREAMS} streams, one after another, p50`, {
        unit: 'ms',
        value: of(single, 'p50'),
        goal: { max: 400 },
      }),
      row('the same, p99', { unit: 'ms', value: of(single, 'p99') }),
      row(`all ${STREAMS} in the same moment, p50`, { unit: 'ms', value: of(many, 'p50') }),
      row('the same, the last one', { unit: 'ms', value: of(many, 'max') }),
      row(`memory with ${SESSIONS} sessions, idle; limit: with one`, { unit: 'MB', ...memory }),
      row(`prompts, ${prompts} with 64 outstanding`, { unit: '/s', ...both('perSecond') }),
      row('CPU of the client for a prompt', { unit: 'µs', ...both('cpuUs') }),
    ],
    correct,
    notes: ['a turn shows nothing in its first second; the first update comes after that'],
  };
}

function runWithAgent(site) {
  site.command('agents', 'add', 'coder', '--permissions', 'auto', '--acp', AGENT.join(' '));
  // By default eight turns run at once.
  const settings = JSON.stringify({ max_turns: OUTSTANDING });
  writeFileSync(join(site.env.LARK_CHANNEL_STATE_DIR, 'config.json'), settings, { mode: 0o600 });
  return site.run();
}

/** The memory of the bridge: that of the agent is its own matter. */
async function idleSessions(cloud, quick) {
  return Site.with(cloud, async (site) => {
    const bridge = await runWithAgent(site);
    const afterChats = async (count) => {
      const load = { outstanding: 16, warmUpMs: 0, measuredMs: 60_000, count };
      await cloud.call('answersAtFullSpeed', site.app.appId, load);
      // V8 gives back what the work took when nothing has happened for some 20 s.
      await new Promise((resolve) => setTimeout(resolve, quick ? 1_000 : 25_000));
      return bridge.residentMb();
    };
    const limit = await afterChats(1);
    const value = await afterChats(SESSIONS - 1);
    await bridge.stop();
    return { value, limit };
  });
}

async function ask(cloud, site, count) {
  const load = { outstanding: OUTSTANDING, warmUpMs: 0, measuredMs: 120_000, count };
  const { asked, took } = await cloud.call('answersAtFullSpeed', site.app.appId, load);
  return (asked * 1000) / took;
}

async function barePrompts(prompts) {
  const program = fork(LIMIT_ACP, { env: { ...process.env, AGENT: JSON.stringify(AGENT) } });
  program.send({ prompts, outstanding: OUTSTANDING });
  const [measured] = await once(program, 'message');
  program.disconnect();
  return measured;
}
