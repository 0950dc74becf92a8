/** B5: memory, start and size; limits: Node with nothing in it, and the bare official SDK. */
import { spawnSync } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { Site } from '../bridge.js';
import { Program } from '../processes.js';
import { row } from '../report.js';
import { median, spread } from '../statistics.js';

const ROOT = join(import.meta.dirname, '../../..');
const BARE_NODE = ['-e', `console.log('{"event":"ready"}'); setInterval(() => {}, 60_000)`];
const OUTSTANDING = 64;
const PER_SECOND = 500;
const LOOK_MS = 100;
const FULL = { events: 1_000_000, measuredMs: 5 * 60_000 };
const NORMAL = { events: 50_000, measuredMs: 60_000 };
const QUICK = { events: 2_000, measuredMs: 3_000 };

export async function measureMemory(cloud, { rounds, quick, full }) {
  const starts = { node: [], sdk: [], bridge: [] };
  for (let round = 0; round < rounds; round += 1) {
    starts.node.push(await idleNode(quick));
    starts.sdk.push(await idle(cloud, quick, (site) => site.runSdk()));
    starts.bridge.push(await idle(cloud, quick, (site) => site.run()));
  }
  const long = full ? FULL : quick ? QUICK : NORMAL;
  const busy = await underLoad(cloud, { ...long, restMs: restMs(quick) });
  return {
    id: 'B5',
    title: 'memory (RSS), start and size: bridge and embedded hub; limit: the bare official SDK',
    rows: [...startRows(starts), ...loadRows(busy), ...sizeRows()],
    correct: busy.correct,
  };
}

/** V8 gives back what the start took when nothing has happened for some 20 s. */
const restMs = (quick) => (quick ? 1_000 : 25_000);

async function idleNode(quick) {
  const program = await Program.start(BARE_NODE, { env: {}, log: '/dev/null' });
  return restedThenStopped(program, quick, program.readyMs);
}

async function idle(cloud, quick, start) {
  return Site.with(cloud, async (site) => {
    const spawnedAt = performance.now();
    const program = await start(site);
    return restedThenStopped(program, quick, performance.now() - spawnedAt);
  });
}

async function restedThenStopped(program, quick, connectedMs) {
  await pause(restMs(quick));
  const residentMb = program.residentMb();
  await program.stop();
  return { residentMb, connectedSecs: connectedMs / 1000 };
}

async function underLoad(cloud, { events, measuredMs, restMs: rest }) {
  return Site.with(cloud, async (site) => {
    const { appId } = site.app;
    const bridge = await site.run();
    const rate = { perSecond: PER_SECOND, measuredMs: Math.min(measuredMs, 10_000) / 2 };
    const atRate = await watched(bridge, () => cloud.call('answersAtRate', appId, rate));
    const load = { outstanding: OUTSTANDING, warmUpMs: 0, measuredMs, count: events };
    const { asked } = await cloud.call('answersAtFullSpeed', appId, load);
    await cloud.call('settled');
    await pause(rest);
    const afterMb = bridge.residentMb();
    await bridge.stop();
    return { atRate, afterMb, asked, correct: await cloud.call('totals') };
  });
}

/** The memory while `work` runs, looked at ten times a second. */
async function watched(program, work) {
  const looks = [];
  const timer = setInterval(() => looks.push(program.residentMb()), LOOK_MS);
  try {
    await work();
  } finally {
    clearInterval(timer);
  }
  return { middle: median(looks), most: Math.max(...looks) };
}

function startRows({ node, sdk, bridge }) {
  const of = (results, name) => spread(results.map((result) => result[name]));
  const against = (limit, name, unit) => ({
    unit,
    value: of(bridge, name),
    limit: of(limit, name),
  });
  return [
    row('idle', { ...against(sdk, 'residentMb', 'MB'), goal: { max: 100 } }),
    row('idle, against Node alone', against(node, 'residentMb', 'MB')),
    row('spawn to connected', { ...against(sdk, 'connectedSecs', 's'), goal: { max: 0.5 } }),
    row('spawn, against Node alone', against(node, 'connectedSecs', 's')),
  ];
}

function loadRows({ atRate, afterMb, asked }) {
  return [
    row('at 500 events/s, in the middle', { unit: 'MB', value: atRate.middle }),
    row('at 500 events/s, at most', { unit: 'MB', value: atRate.most }),
    row(`after ${asked.toLocaleString('en-US')} more events`, { unit: 'MB', value: afterMb }),
  ];
}

function sizeRows() {
  return [
    row('packages that an install brings', { unit: 'MB', value: packagesMb() }),
    row('the program itself', { unit: 'MB', value: programMb() }),
  ];
}

/** Disk blocks; `du` counts a folder inside another one once. */
function packagesMb() {
  const list = spawnSync('npm', ['ls', '--all', '--omit=dev', '--parseable'], { cwd: ROOT });
  const folders = String(list.stdout)
    .split('\n')
    .filter((line) => line.includes('/node_modules/'));
  if (folders.length === 0) throw new Error(`npm lists no packages: ${String(list.stderr)}`);
  const table = String(spawnSync('du', ['-sck', ...folders]).stdout).trim();
  const [total] = table.slice(table.lastIndexOf('\n') + 1).split('\t');
  return (Number(total) * 1024) / 1e6;
}

/** The JavaScript of `dist`: the rest of it is not published. */
function programMb() {
  const dist = join(ROOT, 'dist');
  const bytes = readdirSync(dist, { recursive: true })
    .filter((name) => name.endsWith('.js'))
    .reduce((sum, name) => sum + statSync(join(dist, name)).size, 0);
  return bytes / 1e6;
}

function pause(durationMs) {
  return new Promise((resolve) => {
    setTimeout(resolve, durationMs);
  });
}
