/** How `status` is shown: one screen for people, fields for programs. */
import type { Status } from '../app/status.ts';
import type { AgentRecord } from '../hub/ports/agents.ts';
import type { FoundHealth } from '../observe/health/health.ts';
import { agentInWords } from './agent-views.ts';
import { timeOf } from './journal-views.ts';
import { jsonFields } from './json-fields.ts';
import { spanOf } from './spans.ts';
import { wrapped } from './table.ts';

const BRANDS = { feishu: 'Feishu', lark: 'Lark' } as const;
const LABEL_COLUMNS = 9;
const INDENT = ' '.repeat(2 + LABEL_COLUMNS);

interface Screen {
  /** Of the terminal. Undefined: nothing is broken into lines. */
  readonly width: number | undefined;
  /** Everything that the daemon says of itself follows. */
  readonly verbose: boolean;
  readonly nowMs: number;
}

export function statusScreen(status: Status, { width, verbose, nowMs }: Screen): string {
  const fit = (line: string) =>
    width === undefined ? line : wrapped(line, { width, indent: INDENT });
  const rows = rowsOf(status, nowMs).map(([label, text]) =>
    fit(`  ${label.padEnd(LABEL_COLUMNS)}${text}`),
  );
  return [
    headline(status, nowMs),
    ...status.health.problems.map((problem) => fit(problemLine(problem, nowMs))),
    ...status.health.notes.map(({ text }) => fit(`! ${text}`)),
    ...rows,
    ...(verbose && status.daemon !== undefined ? ['', ...pairsOf(jsonFields(status.daemon))] : []),
  ].join('\n');
}

function headline({ pid, daemon, health }: Status, nowMs: number): string {
  if (pid === undefined) return '○ not running';
  const startedAtMs = Date.parse(daemon?.started_at ?? '');
  const since = Number.isNaN(startedAtMs) ? '' : ` for ${spanOf(nowMs - startedAtMs)}`;
  return health.ready
    ? `● running${since} (process ${pid}), ready`
    : `◐ running${since} (process ${pid}), not ready`;
}

function problemLine({ since, text, code }: FoundHealth['problems'][number], nowMs: number) {
  if (code === 'process') return `  ${text}`;
  const span = since === null ? '' : ` for ${spanOf(nowMs - Date.parse(since))}`;
  return `✗ ${code.replace('_', ' ')}${span}: ${text}`;
}

function rowsOf(status: Status, nowMs: number): [label: string, text: string][] {
  const { daemon, counts, stateDir, version } = status;
  const { app_id: app, brand, hub_url: hub } = daemon ?? {};
  return [
    ...(app === undefined ? [] : [['Bot', botText(app, brand)] as [string, string]]),
    ...agentRow(status),
    ...larkRow(status, nowMs),
    ...(counts === undefined ? [] : workRows(counts)),
    ['State', stateDir],
    ...(hub === undefined || status.pid === undefined ? [] : [['Hub', hub] as [string, string]]),
    ['Version', version],
  ];
}

function botText(app: string, brand: keyof typeof BRANDS | undefined): string {
  return brand === undefined ? app : `${app} (${BRANDS[brand]})`;
}

function agentRow({ turnsGoTo: goTo }: Status): [string, string][] {
  switch (goTo?.kind) {
    case undefined:
      return [];
    case 'agent':
      return [['Agent', agentText(goTo.name, goTo.agent)]];
    case 'nobody':
      return [['Agent', `${goTo.name}, which does not exist: see \`lark-bridge agents list\``]];
    case 'elsewhere':
      return [['Agent', `of the hub at ${goTo.url}`]];
  }
}

function agentText(name: string, agent: AgentRecord | undefined): string {
  return agent === undefined ? name : `${name} (${agentInWords(agent)})`;
}

function larkRow({ pid, daemon, newestMessageAtMs }: Status, nowMs: number): [string, string][] {
  const ago = (atMs: number) => `${spanOf(nowMs - atMs)} ago`;
  const last =
    newestMessageAtMs === undefined ? 'no message yet' : `last message ${ago(newestMessageAtMs)}`;
  const { state, sinceMs } = daemon?.connection ?? {};
  if (pid === undefined || state === undefined) {
    return newestMessageAtMs === undefined ? [] : [['Lark', last]];
  }
  const since = sinceMs === undefined ? '' : ` for ${spanOf(nowMs - sinceMs)}`;
  return [['Lark', `${state}${since}, ${last}`]];
}

function workRows(counts: NonNullable<Status['counts']>): [string, string][] {
  const { waiting, running, held, failed, deadLetters } = counts;
  const all = [`${waiting} waiting`, `${running} running`, `${held} held`];
  const letters = deadLetters === 0 ? '' : ': see `lark-bridge dead-letters`';
  return [
    ['Turns', [...all, `${failed} failed in the last day`].join(', ')],
    ['Letters', `${deadLetters} dead${letters}`],
  ];
}

function pairsOf(values: object, prefix = ''): string[] {
  return Object.entries(values).flatMap(([name, value]: [string, unknown]) =>
    typeof value === 'object' && value !== null
      ? pairsOf(value, `${prefix}${name}.`)
      : [`${prefix}${name}: ${String(value)}`],
  );
}

export function statusFields(status: Status) {
  const { pid, daemon, health, counts, turnsGoTo: goTo } = status;
  return {
    state_dir: status.stateDir,
    version: status.version,
    running: pid !== undefined,
    ready: health.ready,
    pid: pid ?? null,
    alive_at: timeOrNull(status.aliveAtMs),
    last_message_at: timeOrNull(status.newestMessageAtMs),
    health,
    agent: goTo === undefined ? null : agentFieldsOf(goTo),
    counts:
      counts === undefined
        ? null
        : {
            waiting: counts.waiting,
            running: counts.running,
            held: counts.held,
            failed_last_day: counts.failed,
            dead_letters: counts.deadLetters,
          },
    daemon: daemon === undefined ? null : jsonFields(daemon),
  };
}

function agentFieldsOf(goTo: NonNullable<Status['turnsGoTo']>) {
  if (goTo.kind === 'elsewhere') return { name: null, kind: null, hub_url: goTo.url };
  const kind = goTo.kind === 'agent' ? (goTo.agent?.spec.kind ?? null) : null;
  return { name: goTo.name, kind, hub_url: null };
}

function timeOrNull(atMs: number | undefined): string | null {
  return atMs === undefined ? null : timeOf(atMs);
}
