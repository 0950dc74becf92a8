/** The hub for a bridge in the same process: without HTTP and tokens, and with one database. */
import type { WorkspaceId } from '../../../core/ids.ts';
import type { Service } from '../../../time/service.ts';
import type { AskedTurn } from '../../../bridge/ports/questions.ts';
import type { Chosen } from '../../../bridge/ports/sessions.ts';
import type {
  CancelResult,
  UnmatchedAnswer,
  UnservedAgent,
  SendResult,
  TurnAnswer,
  TurnRequest,
  TurnTarget,
  WaitResult,
} from '../../../bridge/ports/target.ts';
import type { Log } from '../../../core/log.ts';
import type { QuestionAnswer, TurnUpdate } from '../../../core/turn-update.ts';
import type { Clock } from '../../../time/clock.ts';
import { limitAt } from '../../../time/wait.ts';
import { saidBy } from '../../../wire/agent-text.ts';
import { fileNamesOf } from '../../../wire/files.ts';
import { larkMetadata, withHeader } from '../../../wire/lark-context.ts';
import { saidMetadata } from '../../../wire/said-metadata.ts';
import { withoutOwnMark } from '../../../wire/reply-token.ts';
import type { AgentWatch } from '../../domain/agent-watch.ts';
import { textOf } from '../../domain/messages.ts';
import type { JoinedTurn, NewMessage, Turns } from '../../domain/turns.ts';
import type { AgentRecord } from '../../ports/agents.ts';
import type { HubStore } from '../../ports/store.ts';
import { queueId, type QueueId, type TurnOutcome } from '../../ports/turns.ts';
import { InboxReader, type CursorStore } from './inbox-reader.ts';
import { failureSentence } from '../../../wire/failure-sentences.ts';

/** How long a send waits for the answer. An answer that comes at once saves a write: that the hub has the turn. */
const SEND_WAIT_MS = 1_000;
/** The length of one wait. The bridge asks again as long as it needs the answer. */
const WAIT_MS = 25_000;
/** When the bridge tries again after the queue was full. */
const FULL_RETRY_MS = 30_000;

interface InProcessTargetOptions {
  readonly turns: Turns;
  readonly agentWatch: Pick<AgentWatch, 'unservedOf'>;
  readonly store: HubStore;
  /** The bridge's own workspace. */
  readonly own: WorkspaceId;
  /** The agent of this name, or without one the agent that gets new turns. Called for every turn. */
  readonly agent: (name?: string) => Promise<AgentRecord>;
  readonly goneOf?: (chosen: Chosen) => Promise<Chosen | undefined>;
  /** How long a turn of this agent may take. Undefined: as long as any other. */
  readonly limitMs?: (agent: AgentRecord) => number | undefined;
  /** Takes a message that names no turn. Rejects if it could not be stored. */
  readonly receive: (answer: UnmatchedAnswer) => Promise<void>;
  /** How far the inbox was read. Kept across restarts. */
  readonly cursor: CursorStore;
  readonly clock: Clock;
  readonly log: Log;
}

export class InProcessTarget implements TurnTarget, Service {
  readonly name = 'hub_target';
  readonly correlates = true;
  readonly deduplicates = true;
  readonly #options: InProcessTargetOptions;
  readonly #inbox: InboxReader;
  readonly #joined = new Map<string, JoinedTurn>();
  /** Those that got turns, as they were then. */
  readonly #agents = new Map<WorkspaceId, AgentRecord>();

  constructor(options: InProcessTargetOptions) {
    this.#options = options;
    this.#inbox = new InboxReader(options);
  }

  start(): Promise<void> {
    this.#inbox.start();
    return Promise.resolve();
  }

  stop(): Promise<void> {
    return this.#inbox.stop();
  }

  /** The hub is in this process, so it can always be reached. */
  status(): { readonly reachable: boolean; readonly detail: string | undefined } {
    return { reachable: true, detail: undefined };
  }

  async currentTarget(name?: string): Promise<WorkspaceId> {
    const agent = await this.#options.agent(name);
    this.#agents.set(agent.workspaceId, agent);
    return agent.workspaceId;
  }

  nameOf(target: WorkspaceId): string | undefined {
    return this.#agents.get(target)?.name;
  }

  unserved(target: WorkspaceId): UnservedAgent | undefined {
    return this.#options.agentWatch.unservedOf(target);
  }

  async goneOf(chosen: Chosen): Promise<Chosen | undefined> {
    return this.#options.goneOf?.(chosen);
  }

  limitMs(target: WorkspaceId): number | undefined {
    const agent = this.#agents.get(target);
    return agent && this.#options.limitMs?.(agent);
  }

  join(request: TurnRequest): void {
    // A turn that an earlier process sent may be for another agent. It is stored when it is sent.
    const agent = this.#agents.get(request.target);
    if (agent === undefined) return;
    const hubRun = agent.spec.kind !== 'external';
    const joined = this.#options.turns.join(this.#messageOf(request, hubRun));
    joined.store();
    this.#joined.set(request.messageId, joined);
  }

  async send(request: TurnRequest, signal: AbortSignal): Promise<SendResult> {
    const { turns, store } = this.#options;
    const joined = this.#joined.get(request.messageId);
    this.#joined.delete(request.messageId);
    let sent = joined?.sent();
    if (sent === undefined) {
      const target = await store.workspace(request.target);
      if (target === undefined || target.removed) {
        return { kind: 'refused', detail: failureSentence('workspace_not_found') };
      }
      sent = await turns.send(this.#messageOf(request, target.hubRun));
    }
    if (sent.kind === 'full' || sent.kind === 'over_quota') {
      return { kind: 'busy', retryAfterMs: FULL_RETRY_MS, detail: 'too many turns wait for it' };
    }
    if (sent.kind === 'answer') return { kind: 'unanswerable' };
    const { item } = sent;
    // The end of a joined turn is expected since before its agent began.
    const isExpected = joined !== undefined && sent.fresh;
    const end = await this.#end(item.queueId, { waitMs: SEND_WAIT_MS, signal, isExpected });
    return end ?? { kind: 'accepted', ticket: item.queueId };
  }

  async wait(target: WorkspaceId, ticket: string, signal: AbortSignal): Promise<WaitResult> {
    await this.#meet(target);
    const item = await this.#options.turns.item(queueId(ticket));
    if (item === undefined) return { kind: 'lost', detail: 'the hub does not know this turn' };
    const end = await this.#end(item.queueId, { waitMs: WAIT_MS, signal, isExpected: false });
    return end ?? { kind: 'pending' };
  }

  watch(target: WorkspaceId, messageId: string, take: (update: TurnUpdate) => void): () => void {
    const { turns, own } = this.#options;
    return turns.watch({ source: own, target, requestId: messageId }, take);
  }

  async answerQuestion(
    { target, messageId, id }: AskedTurn,
    answer: QuestionAnswer,
  ): Promise<'taken' | 'over'> {
    const { turns, own } = this.#options;
    const isTaken = await turns.answer({ source: own, target, messageId }, id, answer);
    return isTaken ? 'taken' : 'over';
  }

  async cancel(target: WorkspaceId, messageId: string): Promise<CancelResult> {
    const { turns, own, log } = this.#options;
    const item = await turns.cancel({ source: own, target, messageId });
    if (item === undefined) return 'not_known';
    log.debug('turn_cancelled', { hub_message: messageId });
    return 'over';
  }

  /** An earlier process may have given it the turn. */
  async #meet(target: WorkspaceId): Promise<void> {
    if (this.#agents.has(target)) return;
    const agent = await this.#options.store.agentOf(target);
    if (agent !== undefined) this.#agents.set(target, agent);
  }

  /** How a turn ends, if it ends in time. It is stored, or the caller stores it. */
  async #end(
    id: QueueId,
    {
      waitMs,
      signal,
      isExpected,
    }: { readonly waitMs: number; readonly signal: AbortSignal; readonly isExpected: boolean },
  ): Promise<TurnAnswer | undefined> {
    const { turns, clock } = this.#options;
    // Before the first look, so that no end falls between the look and the wait.
    const expected = turns.expectEnd(id);
    const end = isExpected ? undefined : await this.#storedEnd(id);
    if (end === undefined) {
      const limit = limitAt(clock, signal, clock.nowMs() + waitMs);
      await expected.wait(limit.signal);
      limit.cancel();
    }
    const { settlement } = expected;
    if (settlement !== undefined) {
      const store = () => turns.settleJoined(id, settlement);
      return { ...answerOf(settlement.outcome), store };
    }
    turns.unexpectEnd(id);
    // Stored by others: another workspace's answer, or it was called off.
    return end ?? this.#storedEnd(id);
  }

  async #storedEnd(id: QueueId): Promise<TurnAnswer | undefined> {
    const outcome = (await this.#options.turns.item(id))?.outcome;
    return outcome && answerOf(outcome);
  }

  #messageOf(
    { messageId, text, context, target, reply, details }: TurnRequest,
    hubRun: boolean,
  ): NewMessage {
    return {
      source: this.#options.own,
      named: true,
      target: { id: target, hubRun },
      requestId: messageId,
      content: {
        message: {
          kind: 'message',
          role: 'user',
          messageId,
          // One conversation for each chat, so that the hub keeps its turns in order.
          contextId: context.chatId,
          parts: [{ kind: 'text', text: withHeader(context, text, reply) }],
        },
        // A program gets the details themselves.
        metadata: { ...larkMetadata(context), ...(!hubRun && saidMetadata(details)) },
        ...(details !== undefined && { details }),
      },
    };
  }
}

function answerOf(outcome: TurnOutcome): TurnAnswer {
  if (outcome.kind === 'answered') {
    const { message, attached, warning } = outcome;
    const said = saidBy(withoutOwnMark(textOf(message)));
    if (said.kind === 'failed') return said;
    const warned = warning === undefined ? said : { ...said, warning };
    if (attached !== undefined) return { ...warned, attached };
    const files = fileNamesOf(message.parts);
    return files.length === 0 ? warned : { ...warned, files };
  }
  const { reason, detail, agent, exitCode, lastWords, login } = outcome;
  return {
    kind: 'failed',
    detail,
    ...(reason === 'interrupted' && { interrupted: true }),
    ...(agent !== undefined && { agent }),
    ...(exitCode !== undefined && { exitCode }),
    ...(lastWords !== undefined && { lastWords }),
    ...(login !== undefined && { login }),
  };
}
