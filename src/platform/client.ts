import { BridgeError } from '../core/errors.ts';
import type { WorkspaceId } from '../core/ids.ts';
import type { Service } from '../core/lifecycle.ts';
import {
  HEARTBEAT_MS,
  HUB_CALL_TIMEOUT_MS,
  INBOX_POLL_MS,
  QUEUE_WAIT_MS,
  SEND_WAIT_SECS,
} from '../core/limits.ts';
import type {
  Clock,
  Log,
  LooseAnswer,
  SendResult,
  TurnRequest,
  TurnTarget,
  WaitResult,
} from '../core/ports.ts';
import type { Secret } from '../core/secret.ts';
import { parseSend, parseWait, sendBody } from './a2a.ts';
import { inboxQuery, parseInbox } from './inbox.ts';
import { Http, type HttpResult, type Proxies } from './http.ts';

/** After so many refused heartbeats in a row it is an error, and again every so many (MOL-REG-09). */
const REFUSED_BEATS_ALARM = 3;
const REFUSED_BEATS_REPEAT = 20;

export interface PlatformOptions {
  /** Base URL without a trailing slash. */
  readonly url: string;
  readonly workspace: WorkspaceId;
  readonly token: Secret;
  readonly orgId: string | undefined;
  /** The workspace that gets new turns; asked for every turn. */
  readonly target: () => Promise<WorkspaceId>;
  readonly turnTimeoutMs: number;
  /** Takes what comes without naming a turn; rejects if it could not be kept. */
  readonly receive: (answer: LooseAnswer) => Promise<void>;
  /** How far the inbox was read, over restarts. */
  readonly cursor: CursorStore;
  readonly proxies: Proxies;
  /** The certificate of an embedded hub, which need not carry the name that we call it by. */
  readonly certificatePem: string | undefined;
  readonly clock: Clock;
  readonly log: Log;
}

export interface CursorStore {
  load(): Promise<string | undefined>;
  save(cursor: string | undefined): Promise<void>;
}

/** The bridge's workspace at a hub: it registers, says that it lives, sends turns and waits for answers. */
export class PlatformClient implements Service, TurnTarget {
  readonly name = 'platform';
  readonly #options: PlatformOptions;
  readonly #http: Http;
  readonly #stop = new AbortController();
  #registered = false;
  #capabilities: Readonly<Record<string, unknown>> = {};
  #refusedBeats = 0;
  #cancelTimer: (() => void) | undefined;
  #cancelPoll = () => {};
  #startedAtMs = 0;

  constructor(options: PlatformOptions) {
    this.#options = options;
    this.#http = new Http(options.proxies, options.certificatePem);
  }

  get correlates(): boolean {
    return this.#capabilities['correlated_answers'] === true;
  }

  get deduplicates(): boolean {
    return this.#capabilities['idempotent_messages'] === true;
  }

  currentTarget(): Promise<WorkspaceId> {
    return this.#options.target();
  }

  /** Throws `platform_refused` if the hub refuses the token; any other trouble is tried again later. */
  async start(): Promise<void> {
    this.#startedAtMs = this.#options.clock.nowMs();
    await this.#register();
    this.#planBeat();
    this.#planPoll();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    this.#cancelTimer?.();
    this.#cancelPoll();
    await this.#http.close();
  }

  async send(turn: TurnRequest, signal: AbortSignal): Promise<SendResult> {
    const result = await this.#http.call({
      method: 'POST',
      url: `${this.#options.url}/workspaces/${turn.target}/a2a`,
      headers: this.#headers({
        'x-workspace-id': this.#options.workspace,
        prefer: `wait=${SEND_WAIT_SECS}`,
      }),
      body: sendBody(turn),
      timeoutMs: this.#options.turnTimeoutMs,
      signal,
    });
    return parseSend(result);
  }

  async wait(target: WorkspaceId, ticket: string, signal: AbortSignal): Promise<WaitResult> {
    const waitSecs = Math.floor(QUEUE_WAIT_MS / 1000);
    const result = await this.#http.call({
      method: 'GET',
      url: `${this.#options.url}/workspaces/${target}/a2a/queue/${encodeURIComponent(ticket)}?wait_secs=${waitSecs}`,
      headers: this.#headers({ 'x-workspace-id': this.#options.workspace }),
      timeoutMs: QUEUE_WAIT_MS + HUB_CALL_TIMEOUT_MS,
      signal,
    });
    return parseWait(result);
  }

  async #register(): Promise<void> {
    const { workspace, log } = this.#options;
    const result = await this.#post('/registry/register', {
      id: workspace,
      url: '',
      agent_card: { name: 'lark-bridge', skills: [] },
      // Without it the platform assumes push and asks for a public URL (MOL-REG-03).
      delivery_mode: 'poll',
    });
    if (result.kind === 'answer' && (result.status === 401 || result.status === 403)) {
      throw new BridgeError(
        'platform_refused',
        `the hub refused the workspace token (HTTP ${result.status})`,
        { next: 'Check WORKSPACE_ID and MOLECULE_WORKSPACE_TOKEN.' },
      );
    }
    if (result.kind !== 'answer' || result.status !== 200) {
      log.warn('register_failed', { workspace, detail: detailOf(result) });
      return;
    }
    this.#registered = true;
    const body = result.body as { capabilities?: Record<string, unknown> } | undefined;
    this.#capabilities = body?.capabilities ?? {};
    log.info('registered', { workspace, correlates: this.correlates });
  }

  #planBeat(): void {
    if (this.#stop.signal.aborted) return;
    this.#cancelTimer = this.#options.clock.after(HEARTBEAT_MS, () => {
      void this.#beat().then(() => this.#planBeat());
    });
  }

  async #beat(): Promise<void> {
    const { workspace, clock, log } = this.#options;
    if (!this.#registered) {
      try {
        await this.#register();
      } catch (error) {
        if (!(error instanceof BridgeError)) throw error;
        log.error('register_refused', { workspace, error: error.message });
      }
      return;
    }
    const result = await this.#post('/registry/heartbeat', {
      workspace_id: workspace,
      error_rate: 0,
      sample_error: '',
      active_tasks: 0,
      uptime_seconds: Math.round((clock.nowMs() - this.#startedAtMs) / 1000),
    });
    if (result.kind === 'answer' && result.status === 200) {
      this.#refusedBeats = 0;
      return;
    }
    const refused = result.kind === 'answer' && (result.status === 401 || result.status === 403);
    if (refused) this.#refusedBeats += 1;
    const count = this.#refusedBeats;
    const alarm =
      count === REFUSED_BEATS_ALARM || (count > 0 && count % REFUSED_BEATS_REPEAT === 0);
    if (refused && alarm)
      log.error('heartbeat_refused', { workspace, count, detail: detailOf(result) });
    else log.warn('heartbeat_failed', { workspace, detail: detailOf(result) });
  }

  #planPoll(): void {
    if (this.#stop.signal.aborted) return;
    this.#cancelPoll = this.#options.clock.after(INBOX_POLL_MS, () => {
      void this.#poll().finally(() => this.#planPoll());
    });
  }

  /** A hub that correlates answers needs no look into the inbox. */
  async #poll(): Promise<void> {
    if (this.correlates) return;
    const { workspace, cursor: store, receive, url, log } = this.#options;
    try {
      const cursor = await store.load();
      const result = await this.#http.call({
        method: 'GET',
        url: `${url}/workspaces/${workspace}/activity?${inboxQuery(cursor)}`,
        headers: this.#headers(),
        timeoutMs: HUB_CALL_TIMEOUT_MS,
        signal: this.#stop.signal,
      });
      const page = parseInbox(result, { own: workspace, cursor });
      if (page.kind === 'trouble') log.warn('inbox_unreadable', { detail: page.detail });
      if (page.kind === 'cursor_lost') await store.save(undefined);
      if (page.kind !== 'rows') return;
      for (const answer of page.answers) await receive(answer);
      // Only now: dying before this hands the same answers over again, which does no harm.
      if (page.cursor !== cursor) await store.save(page.cursor);
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      log.warn('inbox_not_kept', { error: error.message });
    }
  }

  #post(path: string, body: unknown): Promise<HttpResult> {
    return this.#http.call({
      method: 'POST',
      url: `${this.#options.url}${path}`,
      headers: this.#headers(),
      body,
      timeoutMs: HUB_CALL_TIMEOUT_MS,
      signal: this.#stop.signal,
    });
  }

  #headers(more: Readonly<Record<string, string>> = {}): Record<string, string> {
    const { token, url, orgId } = this.#options;
    return {
      authorization: `Bearer ${token.reveal()}`,
      // Without it the platform's edge answers an empty 404 (MOL-HDR-02).
      origin: url,
      ...(orgId === undefined ? {} : { 'x-molecule-org-id': orgId }),
      ...more,
    };
  }
}

function detailOf(result: HttpResult): string {
  return result.kind === 'answer' ? `HTTP ${result.status}` : result.detail;
}
