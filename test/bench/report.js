/** What was measured, as rows with goals, for people and for programs. */
import { cpus, totalmem } from 'node:os';

/**
 * One line of the table. `value` and `limit` are numbers or spreads; a `goal` has one bound: `min`, `max`,
 * `ratio` (value to limit, at least) or `ratioMax` (at most).
 */
export function row(name, { unit = '', value, limit, goal }) {
  const ratio = limit === undefined ? undefined : middle(value) / middle(limit);
  return { name, unit, value, limit, ratio, goal, reached: goal && isReached(goal, value, ratio) };
}

function isReached({ min, max, ratio: ratioMin, ratioMax }, value, ratio) {
  if (min !== undefined) return middle(value) >= min;
  if (max !== undefined) return middle(value) <= max;
  if (ratioMax !== undefined) return ratio <= ratioMax;
  return ratio >= ratioMin;
}

const middle = (value) => (typeof value === 'object' ? value.median : value);

/** Everything but lost time is a defect, in every run. */
export function isCorrect({ lost, repeated, misordered, wrong }) {
  return [lost, repeated, misordered, wrong].every((count) => (count ?? 0) === 0);
}

export function machine() {
  return {
    cpu: cpus()[0]?.model ?? 'unknown',
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    node: process.version,
  };
}

/** The table of one scenario. */
export function tableOf({ id, title, rows, correct, notes = [] }) {
  const cells = rows.map((one) => [
    one.name,
    shown(one.value, one.unit),
    one.limit === undefined ? '' : `limit ${shown(one.limit, one.unit)}`,
    one.ratio === undefined ? '' : `${(one.ratio * 100).toFixed(0)} %`,
    one.goal === undefined ? '' : `goal ${goalText(one)}: ${one.reached ? 'reached' : 'MISSED'}`,
  ]);
  const widths = [0, 1, 2, 3, 4].map((at) => Math.max(...cells.map((line) => line[at].length)));
  const lines = cells.map((line) =>
    `  ${line.map((cell, at) => cell.padEnd(widths[at])).join('  ')}`.trimEnd(),
  );
  return [
    `${id}  ${title}`,
    ...lines,
    `  ${isCorrect(correct) ? 'correct' : 'WRONG'}: ${countsText(correct)}`,
    ...notes.map((note) => `  note: ${note}`),
  ].join('\n');
}

function goalText({ goal, unit }) {
  if (goal.min !== undefined) return `>= ${number(goal.min)} ${unit}`.trimEnd();
  if (goal.max !== undefined) return `<= ${number(goal.max)} ${unit}`.trimEnd();
  if (goal.ratioMax !== undefined) return `<= ${Math.round(goal.ratioMax * 100)} % of the limit`;
  return `>= ${goal.ratio * 100} % of the limit`;
}

function countsText(counts) {
  return Object.entries(counts)
    .map(([name, count]) => `${number(count)} ${name}`)
    .join(', ');
}

function shown(value, unit) {
  if (value === undefined) return 'not measured';
  if (typeof value !== 'object') return `${number(value)} ${unit}`.trimEnd();
  const { median, min, max } = value;
  const range = min === max ? '' : ` (${number(min)}–${number(max)})`;
  return `${number(median)} ${unit}${range}`.trimEnd();
}

function number(value) {
  const digits = Math.abs(value) >= 100 ? 0 : Math.abs(value) >= 10 ? 1 : 2;
  return Number(value.toFixed(digits)).toLocaleString('en-US');
}
