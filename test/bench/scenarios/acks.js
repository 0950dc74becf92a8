/** B1: from an event's frame to its ack, which says that the event is on disk. */
import { Site } from '../bridge.js';
import { row } from '../report.js';
import { spread } from '../statistics.js';

const OUTSTANDING = 64;
const RATES = [1, 50, 500];
/** The first thousands of events are slow in every program on Node. */
const WARM_UP = { outstanding: OUTSTANDING, warmUpMs: 0 };
const FSYNC_EVENTS = 2_000;

export async function measureAcks(cloud, { rounds, quick }) {
  const times = { warmUpMs: quick ? 300 : 3_000, measuredMs: quick ? 1_000 : 4_000 };
  const limit = [];
  const system = [];
  for (let round = 0; round < rounds; round += 1) {
    limit.push(await atFullSpeed(cloud, times, (site) => site.runSdk()));
    system.push(await atFullSpeed(cloud, times, startWithBusyAgent));
    limit.push(await atFullSpeed(cloud, times, (site) => site.runSdk()));
  }
  const waits = await atRates(cloud, quick);
  const answered = await cloud.call('settled').then(() => cloud.call('totals'));
  const fsyncs = quick ? undefined : await fsyncsPerEvent(cloud);
  const lost = [...system, ...waits].reduce((sum, one) => sum + one.lost, answered.lost);
  return {
    id: 'B1',
    title: 'an event in, its durable ack out; limit: the official SDK with an empty handler',
    rows: [
      ...fullSpeedRows(limit, system),
      ...waits.flatMap(rateRows),
      row('fsyncs for an event, 64 outstanding', { value: fsyncs }),
    ],
    correct: { ...answered, lost },
  };
}

/** All slots are taken by an agent that does not answer: what is measured is the way to the ack. */
async function startWithBusyAgent(site) {
  site.command('agents', 'add', 'busy');
  return site.run({ env: { LARK_BRIDGE_CALL_LIMITS: 'lark' } });
}

/** Each time on a fresh journal. */
async function atFullSpeed(cloud, times, start) {
  return Site.with(cloud, async (site) => {
    const program = await start(site);
    const before = { program: program.cpuUs(), cloud: cloud.cpuUs() };
    const load = { outstanding: OUTSTANDING, ...times };
    const { acked, sent, perSecond } = await cloud.call('acksAtFullSpeed', site.app.appId, load);
    const cpuUs = (program.cpuUs() - before.program) / acked;
    const cloudCpuUs = (cloud.cpuUs() - before.cloud) / acked;
    await program.stop('SIGKILL');
    await cloud.call('forget');
    return { perSecond, cpuUs, cloudCpuUs, lost: sent - acked };
  });
}

function fullSpeedRows(limit, system) {
  const of = (results, name) => spread(results.map((result) => result[name]));
  return [
    row('acks, 64 outstanding', {
      unit: '/s',
      value: of(system, 'perSecond'),
      limit: of(limit, 'perSecond'),
      goal: { ratio: 0.7 },
    }),
    row('CPU for an event', {
      unit: 'µs',
      value: of(system, 'cpuUs'),
      limit: of(limit, 'cpuUs'),
    }),
    row('CPU of the simulator for an event', { unit: 'µs', value: of(system, 'cloudCpuUs') }),
  ];
}

/** At fixed rates, limit and system in turns; the echo agent answers every question meanwhile. */
async function atRates(cloud, quick) {
  return Site.with(cloud, (bare) =>
    Site.with(cloud, async (site) => {
      const programs = [await bare.runSdk(), await site.run()];
      const warmUp = { ...WARM_UP, measuredMs: quick ? 1_000 : 10_000 };
      await cloud.call('acksAtFullSpeed', bare.app.appId, warmUp);
      await cloud.call('forget');
      await cloud.call('answersAtFullSpeed', site.app.appId, warmUp);
      const waits = [];
      for (const perSecond of RATES) {
        const load = { perSecond, measuredMs: durationMs(perSecond, quick) };
        const limit = await cloud.call('acksAtRate', bare.app.appId, load);
        await cloud.call('forget');
        const system = await cloud.call('acksAtRate', site.app.appId, load);
        waits.push({ perSecond, limit, system, lost: system.lost });
      }
      await cloud.call('settled');
      for (const program of programs) await program.stop();
      return waits;
    }),
  );
}

function durationMs(perSecond, quick) {
  if (perSecond === 1) return quick ? 1_000 : 20_000;
  return quick ? 1_000 : 10_000;
}

function rateRows({ perSecond, limit, system }) {
  const one = (share) => ({ unit: 'ms', value: system[share], limit: limit[share] });
  const goal = perSecond === 500 ? { goal: { max: 25 } } : {};
  return [
    row(`ack p50 at ${perSecond}/s`, one('p50')),
    row(`ack p99 at ${perSecond}/s`, { ...one('p99'), ...goal }),
  ];
}

/** Without the slow start of a journal: counted over the events only. */
async function fsyncsPerEvent(cloud) {
  return Site.with(cloud, async (site) => {
    site.command('agents', 'add', 'busy');
    const idle = await site.fsyncsOf(() => {});
    if (idle === undefined) return undefined;
    const load = { count: FSYNC_EVENTS, outstanding: OUTSTANDING };
    const busy = await site.fsyncsOf(() => cloud.call('flood', site.app.appId, load));
    await cloud.call('forget');
    return (busy - idle) / FSYNC_EVENTS;
  });
}
