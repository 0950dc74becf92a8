import { BridgeError } from '../core/errors.ts';
import type { WorkspaceId } from '../core/ids.ts';
import { repeating } from '../time/repeat.ts';
import type { Service } from '../time/service.ts';
import { Secret } from '../core/secret.ts';
import type { HttpResult } from '../net/http.ts';
import { describe } from './answers.ts';
import type { HubCalls } from './hub-calls.ts';
import type { Log } from '../core/log.ts';
import type { Clock } from '../time/clock.ts';

/** The platform calls a workspace stale after 60-90 s without a heartbeat. */
const HEARTBEAT_MS = 25_000;

/** The pause before a workspace is registered again after a failure. */
const REGISTER_RETRY_MS = 5_000;

/** This many refused heartbeats in a row are an error, logged again after as many more (MOL-REG-09). */
const REFUSED_BEATS_ALARM = 3;
const REFUSED_BEATS_REPEAT = 20;

interface RegistrationParts {
  readonly calls: HubCalls;
  readonly workspace: WorkspaceId;
  /** The turns that are at the hub now. */
  readonly turnsAtWork: () => number;
  /** After every registration that follows a failed one. */
  readonly onRegistered: () => Promise<void>;
  readonly clock: Clock;
  readonly log: Log;
}

/** The workspace's entry at the hub. It is made at the start and kept alive with heartbeats. */
export class Registration {
  readonly #parts: RegistrationParts;
  readonly #rounds: Service;
  #registered = false;
  #capabilities: Readonly<Record<string, unknown>> = {};
  #refusedBeats = 0;
  #startedAtMs = 0;

  constructor(parts: RegistrationParts) {
    this.#parts = parts;
    const { clock, log } = parts;
    this.#rounds = repeating({
      name: 'registration',
      everyMs: () => (this.#registered ? HEARTBEAT_MS : REGISTER_RETRY_MS),
      work: () => (this.#registered ? this.#beat() : this.#registerLater()),
      clock,
      log,
    });
  }

  /** What the hub offers in addition to the platform's contract. Empty before the registration. */
  get isRegistered(): boolean {
    return this.#registered;
  }

  get capabilities(): Readonly<Record<string, unknown>> {
    return this.#capabilities;
  }

  /**
   * Throws `platform_refused` if the hub refuses the workspace. After any other problem it tries again later.
   */
  async start(): Promise<void> {
    this.#startedAtMs = this.#parts.clock.nowMs();
    await this.#register();
    await this.#rounds.start();
  }

  stop(): Promise<void> {
    return this.#rounds.stop();
  }

  async #registerLater(): Promise<void> {
    const { workspace, log } = this.#parts;
    try {
      await this.#register();
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      log.error('register_refused', { workspace, error: error.message, next: error.next });
    }
  }

  async #register(): Promise<void> {
    const { calls, workspace, onRegistered, log } = this.#parts;
    const body = {
      id: workspace,
      url: '',
      agent_card: { name: 'lark-bridge', skills: [] },
      // Without it the platform assumes push and asks for a public URL (MOL-REG-03).
      delivery_mode: 'poll',
    };
    const result = await calls.ask({ method: 'POST', path: '/registry/register', body });
    if (isRefused(result)) throw refusal(result);
    if (result.kind !== 'answer' || result.status !== 200 || result.form !== 'json') {
      if (!calls.stopped.aborted)
        log.warn('register_failed', { workspace, detail: describe(result) });
      return;
    }
    const said = (result.body ?? {}) as {
      capabilities?: Record<string, unknown>;
      auth_token?: unknown;
    };
    this.#registered = true;
    this.#capabilities = said.capabilities ?? {};
    if (typeof said.auth_token === 'string' && said.auth_token !== '') this.#adopt(said.auth_token);
    const correlates = this.#capabilities['correlated_answers'] === true;
    log.info('registered', { workspace, correlates });
    await onRegistered();
  }

  #adopt(token: string): void {
    const { calls, workspace, log } = this.#parts;
    try {
      calls.adopt(new Secret(token));
      log.info('token_issued', { workspace });
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      // The token is valid until the end of this process, and the hub gives it only once.
      log.error('token_not_kept', { workspace, error: error.message, next: error.next });
    }
  }

  async #beat(): Promise<void> {
    const { calls, workspace, turnsAtWork, clock, log } = this.#parts;
    const body = {
      workspace_id: workspace,
      error_rate: 0,
      sample_error: '',
      active_tasks: turnsAtWork(),
      uptime_seconds: Math.round((clock.nowMs() - this.#startedAtMs) / 1000),
    };
    const result = await calls.ask({ method: 'POST', path: '/registry/heartbeat', body });
    if (calls.stopped.aborted) return;
    if (result.kind === 'answer' && result.status === 200) {
      this.#refusedBeats = 0;
      return;
    }
    // A hub that lost its data needs the registration again.
    if (result.kind === 'answer' && result.status === 404 && result.form === 'json') {
      this.#registered = false;
    }
    const refused = isRefused(result);
    if (refused) this.#refusedBeats += 1;
    const count = this.#refusedBeats;
    const alarm = count === REFUSED_BEATS_ALARM || count % REFUSED_BEATS_REPEAT === 0;
    if (refused && alarm) {
      const { next } = refusal(result);
      log.error('heartbeat_refused', { workspace, count, detail: describe(result), next });
    } else log.warn('heartbeat_failed', { workspace, detail: describe(result) });
  }
}

function isRefused(result: HttpResult): boolean {
  return result.kind === 'answer' && (result.status === 401 || result.status === 403);
}

function refusal(result: HttpResult): BridgeError {
  return new BridgeError(
    'platform_refused',
    `the hub refused the workspace token (${describe(result)})`,
    { next: 'Check WORKSPACE_ID and MOLECULE_WORKSPACE_TOKEN: a token is that of one workspace.' },
  );
}
