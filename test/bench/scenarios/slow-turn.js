/** B6: one person's turn takes long; everybody else must not notice. */
import { Site } from '../bridge.js';
import { row } from '../report.js';
import { spread } from '../statistics.js';

const PER_SECOND = 100;
/** The measured load begins after the slow turn and ends before it. */
const MARGIN_MS = 500;

export async function measureSlowTurn(cloud, { rounds, quick }) {
  const slowMs = quick ? 3_000 : 60_000;
  const load = { perSecond: PER_SECOND, measuredMs: slowMs - 2 * MARGIN_MS, first: 1 };
  return Site.with(cloud, async (site) => {
    const { appId } = site.app;
    const bridge = await site.run({ env: site.remoteEnv });
    await cloud.call('answersAtRate', appId, { ...load, measuredMs: 500 });
    const without = [];
    const beside = [];
    for (let round = 0; round < rounds; round += 1) {
      without.push(await cloud.call('answersAtRate', appId, load));
      await cloud.call('askSlowly', appId, slowMs);
      await new Promise((resolve) => setTimeout(resolve, MARGIN_MS));
      beside.push(await cloud.call('answersAtRate', appId, load));
      await cloud.call('settled');
      without.push(await cloud.call('answersAtRate', appId, load));
    }
    await bridge.stop();
    const of = (results, share) => spread(results.map(({ answer }) => answer[share]));
    const both = (share) => ({
      unit: 'ms',
      value: of(beside, share),
      limit: of(without, share),
    });
    return {
      id: 'B6',
      title: `one turn of ${slowMs / 1000} s among 200 chats; limit: the others without it`,
      rows: [
        row('the others’ reply p50 at 100/s', both('p50')),
        row('the others’ reply p99 at 100/s', { ...both('p99'), goal: { ratioMax: 1.1 } }),
      ],
      correct: await cloud.call('totals'),
    };
  });
}
