/** How turns end. */
import { randomUUID } from 'node:crypto';
import type { AgentResult, FailedResult } from '../../agents/runtime.ts';
import type { Settlement } from '../ports/queue.ts';
import type {
  FailureReason,
  HubMessage,
  ItemToRun,
  SettledStatus,
  TurnContent,
} from '../ports/turns.ts';
import type { ProgramOutput } from '../../core/program-output.ts';
import { tailOf } from '../../text/cut.ts';
import { storable } from '../../text/storable.ts';
import { isBlank } from '../../text/visible.ts';

/** A few lines say why a program ended. `trace` shows more. */
const TAIL_CHARS_MAX = 300;

/** The status of the item of a turn that ended without an answer. */
const STATUS = {
  failed: 'failed',
  timed_out: 'failed',
  cancelled: 'dropped',
  interrupted: 'failed',
  removed: 'dropped',
  expired: 'dropped',
  unanswered: 'dropped',
} as const satisfies Record<FailureReason, SettledStatus>;

/** `detail` is one plain sentence for the person in the chat; `agent` names the agent that failed. */
export function failure(
  reason: FailureReason,
  detail: string,
  atMs: number,
  agent?: string,
): Settlement {
  const stored = storable(detail);
  return {
    status: STATUS[reason],
    outcome: { kind: 'failed', reason, detail: stored, ...(agent !== undefined && { agent }) },
    lastError: stored,
    atMs,
  };
}

/** How the turn of an item ends with what its agent did. */
export function settlementOf(
  { content }: Pick<ItemToRun, 'content'>,
  result: AgentResult,
  { agent, atMs }: { readonly agent: string; readonly atMs: number },
): Settlement {
  const { output } = result;
  const settlement = result.ok
    ? success(result, content.message.contextId, atMs)
    : withFacts(failure(result.reason, result.detail, atMs, agent), result);
  return { ...settlement, ...(output && { output }) };
}

/** The answer of an agent that the hub runs. Others than the bridge in this process get the names of its files. */
function success(
  { text, attached, warning }: Extract<AgentResult, { ok: true }>,
  contextId: string | undefined,
  atMs: number,
): Settlement {
  const files = (attached?.files ?? []).map(({ name }) => ({ kind: 'file', file: { name } }));
  const message: HubMessage = {
    kind: 'message',
    role: 'agent',
    messageId: randomUUID(),
    ...(contextId === undefined ? {} : { contextId }),
    parts: [{ kind: 'text', text }, ...files],
  };
  const settlement = answered(message, atMs);
  const more = {
    ...(attached && { attached }),
    ...(warning !== undefined && { warning: storable(warning) }),
  };
  return { ...settlement, outcome: { kind: 'answered', message, ...more } };
}

/** Whoever shows the failure decides who sees the command, and what the program said. */
function withFacts(settlement: Settlement, { login, output, exitCode }: FailedResult): Settlement {
  const { outcome } = settlement;
  if (outcome.kind !== 'failed') return settlement;
  const lastWords = lastWordsOf(output);
  const command = login?.command;
  const needed = login && (command === undefined ? {} : { command: storable(command) });
  const facts = {
    ...(exitCode !== undefined && { exitCode }),
    ...(lastWords !== '' && { lastWords }),
    ...(needed !== undefined && { login: needed }),
  };
  return { ...settlement, outcome: { ...outcome, ...facts } };
}

/** Some programs say on stdout why they end, others on stderr, and many say something on the other one too. */
function lastWordsOf(output: ProgramOutput | undefined): string {
  if (output === undefined) return '';
  const { stdout, stderr } = output;
  const words = [stdout, stderr].map((said) => tailOf(said.trim(), { chars: TAIL_CHARS_MAX }));
  return storable(words.filter((said) => !isBlank(said)).join('\n'));
}

/** The answer that another workspace sent. */
export function answerOf({ message }: TurnContent, atMs: number): Settlement {
  return answered({ ...message, kind: 'message', role: 'agent' }, atMs);
}

function answered(message: HubMessage, atMs: number): Settlement {
  return {
    status: 'completed',
    outcome: { kind: 'answered', message },
    lastError: undefined,
    atMs,
  };
}
