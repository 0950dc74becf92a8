import { backoffMs } from '../time/backoff.ts';
import { BridgeError } from '../core/errors.ts';
import type { WorkspaceId } from '../core/ids.ts';
import type { Service } from '../time/service.ts';
import { pause } from '../time/wait.ts';
import { parseSend, parseWait, sendBody } from './a2a.ts';
import type { HttpResult } from '../net/http.ts';
import { describe, isFromElsewhere } from './answers.ts';
import { HUB_CALL_TIMEOUT_MS, HubCalls, type HubCallsOptions } from './hub-calls.ts';
import { asObject } from '../core/json-object.ts';
import { InboxReader, type CursorStore } from './inbox-reader.ts';
import { probe } from './probe.ts';
import { Registration } from './registration.ts';
import type {
  CancelResult,
  UnmatchedAnswer,
  SendResult,
  TurnRequest,
  TurnTarget,
  WaitResult,
} from '../bridge/ports/target.ts';
import type { Clock } from '../time/clock.ts';

/**
 * How long a hub may hold a send until there is an answer. An answer that comes at once saves a second call.
 */
const SEND_WAIT_SECS = 1;
/** How long one wait for a queue item is held open. It is below the idle limits of common proxies (30 s). */
const QUEUE_WAIT_MS = 25_000;
/**
 * How often a queued turn is asked for if the hub can't hold the request. The pause doubles up to the second.
 */
const QUEUE_POLL_BASE_MS = 1_000;
const QUEUE_POLL_MAX_MS = 8_000;

/**
 * An old server gives the same answer for an item that it will have soon and for one that never existed
 * (MOL-RES-14).
 */
const MISSED_POLLS_MAX = 3;

export interface PlatformOptions extends HubCallsOptions {
  /** The workspace that gets new turns. Called for every turn. */
  readonly target: () => Promise<WorkspaceId>;
  /**
   * For the workspace of a host, which registers it and sends its heartbeats: whether answers may come into
   * its inbox.
   */
  readonly inherited?: { readonly readsInbox: boolean };
  readonly turnTimeoutMs: number;
  /** Takes a message that names no turn. Rejects if it could not be stored. */
  readonly receive: (answer: UnmatchedAnswer) => Promise<void>;
  /** How far the inbox was read. Kept across restarts. */
  readonly cursor: CursorStore;
  readonly clock: Clock;
}

/** The bridge's workspace at a hub. It registers, sends heartbeats, sends turns and waits for answers. */
export class PlatformClient implements Service, TurnTarget {
  readonly name = 'platform';
  readonly #options: PlatformOptions;
  readonly #calls: HubCalls;
  readonly #registration: Registration;
  readonly #inbox: InboxReader;
  #turnsAtWork = 0;
  #probing: Promise<void> = Promise.resolve();

  constructor(options: PlatformOptions) {
    this.#options = options;
    this.#calls = new HubCalls(options);
    const calls = this.#calls;
    this.#registration = new Registration({
      ...options,
      calls,
      turnsAtWork: () => this.#turnsAtWork,
      onRegistered: () => this.#probeHub(),
    });
    this.#inbox = new InboxReader({
      ...options,
      calls,
      correlates: () => this.correlates,
      isOwn: options.inherited === undefined,
    });
  }

  get correlates(): boolean {
    return this.#registration.capabilities['correlated_answers'] === true;
  }

  get deduplicates(): boolean {
    return this.#registration.capabilities['idempotent_messages'] === true;
  }

  currentTarget(): Promise<WorkspaceId> {
    return this.#options.target();
  }

  /** The result of the latest call to the hub. `detail` is there while there is a problem. */
  status(): { readonly reachable: boolean; readonly detail: string | undefined } {
    const { trouble } = this.#calls;
    return { reachable: trouble === undefined, detail: trouble };
  }

  /** Throws `platform_refused` if the hub refuses the token. After any other problem it tries again later. */
  async start(): Promise<void> {
    const { inherited } = this.#options;
    if (inherited === undefined) await this.#registration.start();
    // The host may still be starting. The result of the check is logged when it is known.
    else this.#probing = this.#probeHub();
    if (inherited?.readsInbox !== false) await this.#inbox.start();
  }

  async stop(): Promise<void> {
    const closed = this.#calls.close();
    await Promise.all([closed, this.#registration.stop(), this.#inbox.stop(), this.#probing]);
  }

  async send(turn: TurnRequest, signal: AbortSignal): Promise<SendResult> {
    const { turnTimeoutMs, log } = this.#options;
    const result = await this.#atWork(() =>
      this.#calls.call({
        method: 'POST',
        path: `/workspaces/${turn.target}/a2a`,
        headers: {
          // For a hub that can hold a send until there is an answer.
          prefer: `wait=${SEND_WAIT_SECS}`,
          // The platform should wait as long as we do (MOL-HDR-08).
          'x-timeout': String(Math.ceil(turnTimeoutMs / 1000)),
        },
        body: sendBody(turn),
        timeoutMs: turnTimeoutMs,
        signal,
        alone: !this.deduplicates,
      }),
    );
    const sent = parseSend(result);
    if (!signal.aborted && 'detail' in sent && sent.kind !== 'failed') {
      log.warn('turn_not_taken', {
        turn: turn.context.messageId,
        target: turn.target,
        as: sent.kind,
        detail: sent.detail,
        ...adviceOn(result),
      });
    }
    return sent;
  }

  wait(target: WorkspaceId, ticket: string, signal: AbortSignal): Promise<WaitResult> {
    return this.#atWork(() => this.#wait(target, ticket, signal));
  }

  async #wait(target: WorkspaceId, ticket: string, signal: AbortSignal): Promise<WaitResult> {
    const { clock } = this.#options;
    const anyStop = AbortSignal.any([signal, this.#calls.stopped]);
    const untilMs = clock.nowMs() + QUEUE_WAIT_MS;
    let missed = 0;
    for (let poll = 1; ; poll += 1) {
      const askedAtMs = clock.nowMs();
      const result = await this.#askForItem(target, ticket, signal);
      const found = parseWait(result);
      if (isMissing(result)) missed += 1;
      const isOver =
        found.kind === 'lost'
          ? !isMissing(result) || missed >= MISSED_POLLS_MAX
          : found.kind !== 'pending';
      if (isOver) return found;
      // A hub that can hold the request has already waited.
      const delayMs = pollDelayMs(poll) - (clock.nowMs() - askedAtMs);
      if (delayMs > 0) await pause(clock, anyStop, delayMs);
      if (signal.aborted || clock.nowMs() >= untilMs) return { kind: 'pending' };
    }
  }

  /** Ends the work on a turn whose answer nobody wants, if the hub can do that. The result is only logged. */
  async cancel(target: WorkspaceId, messageId: string, signal: AbortSignal): Promise<CancelResult> {
    const { inherited, log } = this.#options;
    if (this.#registration.capabilities['cancel'] !== true) {
      // Before the registration it is not known what the hub can do.
      const isMet = inherited !== undefined || this.#registration.isRegistered;
      return isMet ? 'over' : 'not_reached';
    }
    const result = await this.#calls.call({
      method: 'DELETE',
      path: `/workspaces/${target}/a2a/messages/${encodeURIComponent(messageId)}`,
      signal,
    });
    if (result.kind === 'answer' && result.status === 200) {
      log.debug('turn_cancelled', { hub_message: messageId });
      return 'over';
    }
    if (isUnknownThere(result)) return 'not_known';
    log.warn('turn_not_cancelled', { hub_message: messageId, detail: describe(result) });
    const isRefused = result.kind === 'answer' && result.status < 500;
    return isRefused && !isFromElsewhere(result) ? 'over' : 'not_reached';
  }

  #askForItem(target: WorkspaceId, ticket: string, signal: AbortSignal): Promise<HttpResult> {
    const canHold = this.#registration.capabilities['queue_wait_secs'] !== undefined;
    const query = canHold ? `?wait_secs=${Math.floor(QUEUE_WAIT_MS / 1000)}` : '';
    return this.#calls.call({
      method: 'GET',
      path: `/workspaces/${target}/a2a/queue/${encodeURIComponent(ticket)}${query}`,
      timeoutMs: HUB_CALL_TIMEOUT_MS + (canHold ? QUEUE_WAIT_MS : 0),
      signal,
    });
  }

  async #atWork<T>(work: () => Promise<T>): Promise<T> {
    this.#turnsAtWork += 1;
    try {
      return await work();
    } finally {
      this.#turnsAtWork -= 1;
    }
  }

  /** Reports at the start what would otherwise come out with the first message. */
  async #probeHub(): Promise<void> {
    const { url, workspace, clock, log } = this.#options;
    const target = await this.#knownTarget();
    const found = await probe(this.#calls, { url, workspace, target, nowMs: clock.nowMs() });
    if (this.#calls.stopped.aborted) return;
    for (const { kind, level, detail, next } of found) {
      log[level]('platform_found_wanting', { finding: kind, detail, next });
    }
  }

  async #knownTarget(): Promise<WorkspaceId | undefined> {
    try {
      return await this.#options.target();
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      // Every turn asks again and reports the problem.
      return undefined;
    }
  }
}

function pollDelayMs(poll: number): number {
  return backoffMs(poll, { baseMs: QUEUE_POLL_BASE_MS, maxMs: QUEUE_POLL_MAX_MS, random: 1 });
}

/** A 404 that does not say whether to try again. */
function isMissing(result: HttpResult): boolean {
  return (
    result.kind === 'answer' &&
    result.status === 404 &&
    asObject(result.body)?.['retryable'] === undefined
  );
}

/** The hub itself says that it has no such message. */
function isUnknownThere(result: HttpResult): boolean {
  return result.kind === 'answer' && result.status === 404 && !isFromElsewhere(result);
}

const ADVICE: Readonly<Record<number, string>> = {
  402: 'Raise the budget of the workspace on the platform.',
  403: 'Let the two workspaces talk: put them into one organisation, side by side or one under the other.',
  404: 'Check PLATFORM_URL, MOLECULE_ORG_ID and MOLECULE_TARGET_WORKSPACE_ID.',
};

function adviceOn(result: HttpResult): { readonly next?: string } {
  const next = result.kind === 'answer' ? ADVICE[result.status] : undefined;
  return next === undefined ? {} : { next };
}
