/** `turns list`: turns as a table, once or as they change. */
import type { Operations } from '../app/operations.ts';
import type { TurnQuery, TurnRun } from '../bridge/ports/journal-reader.ts';
import { BridgeError } from '../core/errors.ts';
import { chatId } from '../core/ids.ts';
import type { Turn, TurnPhase } from '../core/turn.ts';
import { reasonOf } from '../observe/traces/trace.ts';
import type { Invocation } from './command.ts';
import { causeText, turnView } from './journal-views.ts';
import { shortSpan, sinceOf, tookText } from './spans.ts';
import { tableFor, tableOf } from './table.ts';

const COLUMNS = [
  { head: 'TURN', narrowest: 14 },
  { head: 'CHAT', narrowest: 9 },
  { head: 'AGE' },
  { head: 'AGENT', narrowest: 8 },
  { head: 'TOOK' },
  { head: 'PHASE' },
  { head: 'WHY', narrowest: 12 },
];

/** A turn with what the list tells beside it. */
interface Listed {
  readonly turn: Turn;
  readonly agent: string | undefined;
  readonly run: TurnRun | undefined;
}

/** Which turns are meant. Throws `usage` for options that make no sense. */
export function turnQueryOf({ options }: Invocation, limit: number): TurnQuery {
  const { phase, chat, since, failed } = options;
  if (failed === true && phase !== undefined) {
    throw new BridgeError('usage', '--failed and --phase exclude each other', {
      next: 'Give one of them: --failed is --phase failed.',
    });
  }
  const wanted = failed === true ? 'failed' : phase;
  return {
    ...(typeof wanted === 'string' && { phases: [wanted as TurnPhase] }),
    ...(typeof chat === 'string' && { chatId: chatId(chat) }),
    ...(typeof since === 'string' && { sinceMs: sinceOf(since, Date.now()) }),
    limit,
  };
}

export async function listTurns(
  { output }: Invocation,
  operations: Operations,
  query: TurnQuery,
): Promise<void> {
  const listed = await readTurns(operations, query);
  const table = tableOf(COLUMNS, rowsOf(listed), output.width);
  output.result(listed.length === 0 ? 'No such turns.' : table, { turns: listed.map(viewOf) });
}

/** Shows turns as they change, the oldest first, until the program is to stop. */
export async function followTurns(
  { output, signal }: Invocation,
  operations: Operations,
  query: TurnQuery,
): Promise<void> {
  const shown = new Map<string, string>();
  const freshOf = async () => {
    const listed = (await readTurns(operations, query)).toReversed();
    const fresh = listed.filter(({ turn }) => shown.get(turn.id) !== markOf(turn));
    shown.clear();
    for (const { turn } of listed) shown.set(turn.id, markOf(turn));
    return fresh;
  };
  const first = await freshOf();
  const { head, lines } = tableFor(COLUMNS, rowsOf(first), output.width);
  if (!output.json) output.text(head);
  for (let fresh = first; ; fresh = await freshOf()) {
    const texts = lines(rowsOf(fresh));
    for (const [at, one] of fresh.entries()) output.result(texts[at] ?? '', viewOf(one));
    if (!(await operations.untilWritten(signal))) return;
  }
}

/** Changes when there is something new to tell of a turn. */
function markOf({ run, state }: Turn): string {
  return JSON.stringify([run, state.phase, reasonOf(state)]);
}

async function readTurns(
  { journal, agentsOf }: Operations,
  query: TurnQuery,
): Promise<readonly Listed[]> {
  const turns = await journal.turns(query);
  const runs = await journal.currentRuns(turns);
  const agents = agentsOf(turns);
  return turns.map((turn) => {
    const { id, state } = turn;
    const ofFailure = state.phase === 'failed' ? state.cause?.agent : undefined;
    return { turn, agent: ofFailure ?? agents.get(id), run: runs.get(id) };
  });
}

function rowsOf(listed: readonly Listed[]): string[][] {
  const nowMs = Date.now();
  return listed.map(({ turn, agent, run }) => [
    turn.id,
    turn.message.chatId,
    shortSpan(nowMs - turn.receivedAtMs),
    agent ?? '-',
    tookOf(run) === undefined ? '-' : tookText(tookOf(run) ?? 0),
    turn.state.phase,
    whyOf(turn),
  ]);
}

function viewOf({ turn, agent, run }: Listed) {
  return {
    ...turnView(turn, { text: false }),
    agent: agent ?? null,
    took_ms: tookOf(run) ?? null,
  };
}

/** How long the agent had the turn. */
function tookOf(run: TurnRun | undefined): number | undefined {
  return run?.endedAtMs === undefined ? undefined : run.endedAtMs - run.startedAtMs;
}

function whyOf({ state }: Turn): string {
  const cause = state.phase === 'failed' ? causeText(state.cause) : '';
  return `${reasonOf(state) ?? ''}${cause}`;
}
