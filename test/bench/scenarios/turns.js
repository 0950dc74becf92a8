/** B2 and B3: from an event's frame to the turn at the agent, and to the threaded reply. */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { Site } from '../bridge.js';
import { row } from '../report.js';
import { spread } from '../statistics.js';

const LIMIT_CALLS = join(import.meta.dirname, '../limit-calls.js');
const OUTSTANDING = 64;
const PER_SECOND = 100;
const FSYNC_TURNS = 500;

export async function measureTurns(cloud, { rounds, quick }) {
  return Site.with(cloud, async (site) => {
    const bridge = await site.run({ env: site.remoteEnv });
    const load = { perSecond: PER_SECOND, measuredMs: quick ? 1_500 : 10_000 };
    await cloud.call('answersAtFullSpeed', site.app.appId, warmUp(quick));
    const results = [];
    for (let round = 0; round < rounds; round += 1) {
      results.push(await cloud.call('answersAtRate', site.app.appId, load));
    }
    await bridge.stop();
    return {
      id: 'B2',
      title:
        'an event in, its turn at the agent: a hub beside the simulator, which answers at once',
      rows: [
        row('turn p50 at 100/s', { unit: 'ms', value: rowsOf(results, 'turn', 'p50') }),
        row('turn p99 at 100/s', { unit: 'ms', value: rowsOf(results, 'turn', 'p99') }),
        row('reply p50 at 100/s', { unit: 'ms', value: rowsOf(results, 'answer', 'p50') }),
        row('reply p99 at 100/s', { unit: 'ms', value: rowsOf(results, 'answer', 'p99') }),
      ],
      correct: await cloud.call('totals'),
    };
  });
}

export async function measureReplies(cloud, { rounds, quick }) {
  return Site.with(cloud, async (site) => {
    const bridge = await site.run();
    const { appId } = site.app;
    const rate = { perSecond: PER_SECOND, measuredMs: quick ? 1_500 : 10_000 };
    const times = { warmUpMs: quick ? 300 : 1_000, measuredMs: quick ? 1_200 : 5_000 };
    await cloud.call('answersAtFullSpeed', appId, warmUp(quick));
    const measured = { rate: [], limit: [], full: [], cpuUs: [] };
    for (let round = 0; round < rounds; round += 1) {
      measured.rate.push(await cloud.call('answersAtRate', appId, rate));
      measured.limit.push(await bareCalls(cloud, site, times));
      const before = bridge.cpuUs();
      const full = await cloud.call('answersAtFullSpeed', appId, {
        outstanding: OUTSTANDING,
        ...times,
      });
      measured.full.push(full.perSecond);
      measured.cpuUs.push((bridge.cpuUs() - before) / full.asked);
      measured.limit.push(await bareCalls(cloud, site, times));
    }
    await cloud.call('settled');
    await bridge.stop();
    const correct = await cloud.call('totals');
    return report(measured, correct, quick ? undefined : await fsyncsPerTurn(cloud));
  });
}

function report(measured, correct, fsyncs) {
  return {
    id: 'B3',
    title: 'an event in, its threaded reply at Lark: embedded hub, instant echo agent, 200 chats',
    rows: [
      row('reply p50 at 100/s', {
        unit: 'ms',
        value: rowsOf(measured.rate, 'answer', 'p50'),
        goal: { max: 5 },
      }),
      row('reply p99 at 100/s', {
        unit: 'ms',
        value: rowsOf(measured.rate, 'answer', 'p99'),
        goal: { max: 25 },
      }),
      row('turns, 64 outstanding', {
        unit: '/s',
        value: spread(measured.full),
        goal: { min: 1_500 },
      }),
      row('of bare calls to the simulator, 16 at once', {
        unit: '/s',
        value: spread(measured.full),
        limit: spread(measured.limit),
        goal: { ratio: 0.4 },
      }),
      row('CPU for a turn', { unit: 'µs', value: spread(measured.cpuUs), goal: { max: 700 } }),
      row('fsyncs for a turn, 64 outstanding', { value: fsyncs }),
    ],
    correct,
    notes: ['Lark’s rate limits are lifted on both sides: with them 1,000 replies a minute pass'],
  };
}

/** The first thousands of turns are slow in every program on Node. */
function warmUp(quick) {
  return { outstanding: OUTSTANDING, warmUpMs: 0, measuredMs: quick ? 1_000 : 15_000 };
}

function rowsOf(results, what, share) {
  return spread(results.map((result) => result[what][share]));
}

async function bareCalls(cloud, site, times) {
  const messageIds = await cloud.call('answerable', site.app.appId);
  const program = fork(LIMIT_CALLS, { env: site.env });
  program.send({ messageIds, ...times });
  const [{ perSecond, refused }] = await once(program, 'message');
  program.disconnect();
  if (refused > 0) throw new Error(`the simulator refused ${refused} bare calls`);
  return perSecond;
}

async function fsyncsPerTurn(cloud) {
  return Site.with(cloud, async (site) => {
    const idle = await site.fsyncsOf(() => {});
    if (idle === undefined) return undefined;
    const load = { outstanding: OUTSTANDING, warmUpMs: 0, measuredMs: 60_000, count: FSYNC_TURNS };
    const busy = await site.fsyncsOf(() => cloud.call('answersAtFullSpeed', site.app.appId, load));
    return (busy - idle) / FSYNC_TURNS;
  });
}
