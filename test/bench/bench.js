/**
 * Measures the built program against limits found in the same run. `--quick`: about a minute;
 * `--full`: with the long runs; `--only B1,B3`; `--rounds N`; `--json FILE`. Ends with 1 if anything was
 * lost, repeated or out of order; a missed goal is told and is no failure.
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { Cloud } from './cloud.js';
import { isCorrect, machine, tableOf } from './report.js';
import { measureAcks } from './scenarios/acks.js';
import { measureAgents } from './scenarios/agents.js';
import { measureLive } from './scenarios/live.js';
import { measureMemory } from './scenarios/memory.js';
import { measureRestart } from './scenarios/restart.js';
import { measureRendering } from './scenarios/rendering.js';
import { measureSlowTurn } from './scenarios/slow-turn.js';
import { measureReplies, measureTurns } from './scenarios/turns.js';

const SCENARIOS = {
  B1: measureAcks,
  B2: measureTurns,
  B3: measureReplies,
  B4: measureRestart,
  B5: measureMemory,
  B6: measureSlowTurn,
  B7: measureLive,
  B8: measureRendering,
  B9: measureAgents,
};
const ROUNDS = 5;

const { values } = parseArgs({
  options: {
    quick: { type: 'boolean', default: false },
    full: { type: 'boolean', default: false },
    only: { type: 'string' },
    rounds: { type: 'string' },
    json: { type: 'string' },
  },
});
const chosen = values.only?.split(',') ?? Object.keys(SCENARIOS);
const unknown = chosen.filter((id) => !(id in SCENARIOS));
if (unknown.length > 0) {
  const known = Object.keys(SCENARIOS).join(', ');
  console.error(`no such scenario: ${unknown.join(', ')}; there are ${known}`);
  process.exit(2);
}
const { quick, full } = values;
const options = { quick, full, rounds: Number(values.rounds ?? (quick ? 1 : ROUNDS)) };

const report = { at: new Date().toISOString(), machine: machine(), ...options, scenarios: [] };
const { cpu, cores, node } = report.machine;
console.log(`${report.at}, ${cores} × ${cpu}, Node ${node}, ${options.rounds} rounds`);
for (const id of chosen) {
  const cloud = await Cloud.start();
  const startedAt = performance.now();
  const result = await SCENARIOS[id](cloud, options);
  await cloud.stop();
  const tookSecs = Math.round((performance.now() - startedAt) / 100) / 10;
  report.scenarios.push({ ...result, tookSecs });
  console.log(`\n${tableOf(result)}\n  took ${tookSecs} s`);
}
const goals = report.scenarios.flatMap(({ rows }) => rows).filter(({ goal }) => goal);
const missed = goals.filter(({ reached }) => !reached);
console.log(`\n${goals.length - missed.length} of ${goals.length} goals reached`);
if (values.json !== undefined) writeFileSync(values.json, `${JSON.stringify(report, null, 2)}\n`);
process.exitCode = report.scenarios.every(({ correct }) => isCorrect(correct)) ? 0 : 1;
