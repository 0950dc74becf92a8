/** How `doctor` shows what it found: what is wrong first, and what is in order as a number. */
import type { DoctorReport } from '../app/doctor.ts';
import { type Finding, type Level, LEVELS } from '../doctor/finding.ts';
import { wrapped } from './table.ts';

const MARKS: Readonly<Record<Level, string>> = { ok: '✓', note: '·', warning: '!', problem: '✗' };

/** Names of checks that say less to people than they could. */
const LABELS: Readonly<Record<string, string>> = {
  card_callback: 'buttons of cards',
  node: 'Node.js',
  long_connection: 'long connection',
  reach_accounts: 'accounts service',
  reach_open: 'open platform',
  second_process: 'other processes',
  secret: 'app secret',
};

const INDENT = '  ';

interface Shown {
  /** Of the terminal. Undefined: nothing is broken into lines. */
  readonly width: number | undefined;
  /** Also what is in order, line by line. */
  readonly verbose: boolean;
  /** Only what is wrong. */
  readonly quiet: boolean;
}

export function doctorText(report: DoctorReport, shown: Shown): string {
  const { version, state_dir: stateDir, findings } = report;
  const wanted = levelsOf(shown).flatMap((level) => findings.filter((one) => one.level === level));
  const lines = wanted.map((finding) => linesOf(finding, shown.width));
  if (shown.quiet) return lines.join('\n');
  return [
    `lark-bridge ${version}, state directory ${stateDir}`,
    '',
    ...lines,
    ...folded(findings, shown),
    '',
    `${countsOf(findings)}.`,
  ].join('\n');
}

/** Worst first. */
function levelsOf({ verbose, quiet }: Shown): Level[] {
  const least = quiet ? 'warning' : verbose ? 'ok' : 'note';
  return LEVELS.slice(LEVELS.indexOf(least)).toReversed();
}

function linesOf(found: Finding<string>, width: number | undefined): string {
  const { level, check, finding, reason, next } = found;
  const label = LABELS[check] ?? check.replaceAll('_', ' ');
  const fit = (text: string, indent: string) =>
    width === undefined ? text : wrapped(text, { width, indent });
  return [
    fit(`${MARKS[level]} ${label}: ${finding}`, INDENT),
    ...(reason === undefined ? [] : [fit(`${INDENT}why: ${reason}`, `${INDENT}     `)]),
    ...(next === undefined ? [] : [fit(`${INDENT}next: ${next}`, `${INDENT}      `)]),
  ].join('\n');
}

function folded(findings: readonly Finding[], { verbose }: Shown): string[] {
  const count = findings.filter(({ level }) => level === 'ok').length;
  if (verbose || count === 0) return [];
  return [
    `${MARKS.ok} ${count === 1 ? '1 check' : `${count} checks`} in order (--verbose shows them)`,
  ];
}

/** Worst first. */
function countsOf(findings: readonly Finding[]): string {
  return LEVELS.toReversed()
    .map((level) => ({ level, count: findings.filter((one) => one.level === level).length }))
    .filter(({ count }) => count > 0)
    .map(({ level, count }) => `${count} ${level}${count === 1 || level === 'ok' ? '' : 's'}`)
    .join(', ');
}
