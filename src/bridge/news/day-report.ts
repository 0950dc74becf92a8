/** Counts what was done in a time. */
import type { Counted, DayReport, ReportedTurn, ReportStore } from '../ports/reports.ts';

/** One read takes a few milliseconds. */
const PAGE_TURNS = 500;
/** More turns a day than that are not counted: the report is for people, and /metrics counts them all. */
const TURNS_MAX = 20_000;
/** The order of arrival may differ from the clock by so much, if the clock was set back. */
const CLOCK_SLACK_MS = 60 * 60 * 1000;
/** A longer list helps nobody. */
const NAMES_MAX = 10;

const FAILED: ReadonlySet<string> = new Set(['failed', 'overdue']);
const OPEN: ReadonlySet<string> = new Set(['waiting', 'sending', 'accepted', 'held']);

interface Span {
  readonly sinceMs: number;
  readonly untilMs: number;
}

/** `agent`: who gets turns that name no agent. `breathe` lets other work go on between two reads. */
export async function reportOf(
  store: Pick<ReportStore, 'turnsBefore' | 'spent'>,
  { sinceMs, untilMs }: Span,
  { agent, breathe }: { readonly agent: string; readonly breathe: () => Promise<void> },
): Promise<DayReport> {
  const turns: ReportedTurn[] = [];
  let read = 0;
  let page = store.turnsBefore(Number.MAX_SAFE_INTEGER, PAGE_TURNS);
  for (;;) {
    const inTime = page.filter(
      ({ receivedAtMs: at, session }) => session !== undefined && at >= sinceMs && at < untilMs,
    );
    turns.push(...inTime.filter(({ phase }) => phase !== 'kept'));
    read += page.length;
    const last = page.at(-1);
    if (last === undefined || last.receivedAtMs < sinceMs - CLOCK_SLACK_MS) break;
    if (read >= TURNS_MAX) return counted(turns, { agent, isCut: true, store, sinceMs, untilMs });
    await breathe();
    page = store.turnsBefore(last.seq, PAGE_TURNS);
  }
  return counted(turns, { agent, isCut: false, store, sinceMs, untilMs });
}

function counted(
  turns: readonly ReportedTurn[],
  {
    agent,
    isCut,
    store,
    sinceMs,
    untilMs,
  }: Span & {
    readonly agent: string;
    readonly isCut: boolean;
    readonly store: Pick<ReportStore, 'spent'>;
  },
): DayReport {
  const of = (phases: ReadonlySet<string>) => turns.filter(({ phase }) => phases.has(phase)).length;
  return {
    turns: turns.length,
    answered: turns.filter(({ phase }) => phase === 'answered').length,
    failed: of(FAILED),
    open: of(OPEN),
    sessions: new Set(turns.map(({ session }) => session)).size,
    byAgent: countedBy(turns.map((turn) => turn.agent ?? agent)),
    byFolder: countedBy(turns.flatMap(({ folder }) => folder ?? [])),
    spent: store.spent(sinceMs, untilMs),
    isCut,
  };
}

function countedBy(names: readonly string[]): Counted[] {
  const counts = new Map<string, number>();
  for (const name of names) counts.set(name, (counts.get(name) ?? 0) + 1);
  return [...counts]
    .map(([name, turns]) => ({ name, turns }))
    .toSorted((one, other) => other.turns - one.turns || (one.name < other.name ? -1 : 1))
    .slice(0, NAMES_MAX);
}
