/** B7: one turn tells what it does all the time; it costs few calls, and everybody else must not notice. */
import { join } from 'node:path';
import { Site } from '../bridge.js';
import { row } from '../report.js';
import { spread } from '../statistics.js';

const AGENT = join(import.meta.dirname, '../stream-agent.js');
/** Each turn starts a program. */
const PER_SECOND = 4;
/** The measured load begins after the turn and ends before it. */
const MARGIN_MS = 1_500;

export async function measureLive(cloud, { rounds, quick }) {
  const durationMs = quick ? 5_000 : 60_000;
  const updates = quick ? 160 : 2_000;
  const load = { perSecond: PER_SECOND, measuredMs: durationMs - 2 * MARGIN_MS, first: 1 };
  return Site.with(cloud, async (site) => {
    const { appId } = site.app;
    site.command('agents', 'add', 'stream', '--stream', '--exec', `${process.execPath} ${AGENT}`);
    const bridge = await site.run();
    const without = [];
    const beside = [];
    const calls = [];
    const cpu = [];
    const loaded = async (into) => {
      const before = bridge.cpuUs();
      into.push(await cloud.call('answersAtRate', appId, load));
      return bridge.cpuUs() - before;
    };
    for (let round = 0; round < rounds; round += 1) {
      const alone = await loaded(without);
      const grown = cloud.call('grow', appId, { updates, durationMs });
      await new Promise((resolve) => setTimeout(resolve, MARGIN_MS));
      const together = await loaded(beside);
      calls.push(await grown);
      cpu.push(((together - alone) * durationMs) / load.measuredMs / updates);
    }
    await bridge.stop();
    const both = (share) => ({
      unit: 'ms',
      value: spread(beside.map(({ answer }) => answer[share])),
      limit: spread(without.map(({ answer }) => answer[share])),
    });
    return {
      id: 'B7',
      title: `one turn of ${updates} updates in ${durationMs / 1000} s beside others; limit: the others without it`,
      rows: [
        row('calls to Lark for the turn', { value: spread(calls), goal: { max: 130 } }),
        row('the others’ reply p50', both('p50')),
        row('the others’ reply p99', { ...both('p99'), goal: { ratioMax: 1.1 } }),
        row('CPU per update', { unit: 'µs', value: spread(cpu) }),
      ],
      correct: await cloud.call('totals'),
    };
  });
}
