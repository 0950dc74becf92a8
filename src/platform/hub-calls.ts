import type { WorkspaceId } from '../core/ids.ts';
import type { Secret } from '../core/secret.ts';
import { HttpClient, type HttpAnswer, type HttpCall, type HttpResult } from '../net/http.ts';
import type { ProxySettings } from '../net/proxy.ts';
import { describe, isFromElsewhere } from './answers.ts';
import type { Log } from '../core/log.ts';

/** After this time a hub will no longer answer a short call. */
export const HUB_CALL_TIMEOUT_MS = 10_000;

/** The platform's own bound for answers (MOL-RES-12). */
export const ANSWER_BYTES_MAX = 64 * 1024 * 1024;
/** A hub that accepts no connection within this time is not there. */
const CONNECT_TIMEOUT_MS = 10_000;
/**
 * Longer than the pause between two heartbeats or two reads of the inbox, so that they share a connection.
 */
const KEPT_MS = 30_000;

/** Keeps the token that a hub gave to the workspace, across restarts. */
export interface TokenKeeper {
  load(): Secret | undefined;
  /** Throws `BridgeError` if it could not be stored. */
  save(token: Secret): void;
}

export interface HubCallsOptions {
  /** Base URL without a trailing slash. */
  readonly url: string;
  readonly workspace: WorkspaceId;
  /** The workspace's token from the settings. Called for every request, because the token may change. */
  readonly token: () => Secret;
  /** For a token that the hub gives out when the one of the settings is no longer valid. */
  readonly tokenKeeper?: TokenKeeper | undefined;
  readonly orgId: string | undefined;
  readonly proxies: ProxySettings;
  readonly log: Log;
}

type HubCall = Pick<HttpCall, 'method' | 'alone'> & {
  /** To be sent as JSON. */
  readonly body?: unknown;
  /** Path and query. */
  readonly path: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
};

/** Calls to a hub in the name of one workspace, with its token. */
export class HubCalls {
  readonly #options: HubCallsOptions;
  readonly #http: HttpClient;
  readonly #stop = new AbortController();
  #set: Secret | undefined;
  #given: Secret | undefined;
  #usesGiven = false;
  #isRefused = false;
  #trouble: string | undefined = 'not asked yet';

  constructor(options: HubCallsOptions) {
    this.#options = options;
    this.#http = new HttpClient({
      proxies: options.proxies,
      connectTimeoutMs: CONNECT_TIMEOUT_MS,
      answerBytesMax: ANSWER_BYTES_MAX,
      keptMs: KEPT_MS,
    });
    this.#given = options.tokenKeeper?.load();
  }

  get stopped(): AbortSignal {
    return this.#stop.signal;
  }

  /** What is wrong with the connection to the hub, by the latest call. Undefined if nothing is. */
  get trouble(): string | undefined {
    return this.#trouble;
  }

  async close(): Promise<void> {
    this.#stop.abort();
    await this.#http.close();
  }

  /** A call that only the hub itself answers, so that a problem with it is a problem with the hub. */
  async ask(call: HubCall): Promise<HttpResult> {
    const result = await this.call(call);
    if (result.kind === 'answer' && !isFine(result)) this.#trouble = describe(result);
    return result;
  }

  /** Never rejects because of the network or the hub. */
  async call(call: HubCall): Promise<HttpResult> {
    const token = this.#token();
    let result = await this.#callWith(token, call);
    // A call that is refused like this had no effect, so another token may be tried.
    const other = isUnauthorized(result) ? this.#otherThan(token) : undefined;
    if (other !== undefined) {
      const again = await this.#callWith(other, call);
      if (!isUnauthorized(again)) {
        this.#usesGiven = other === this.#given;
        result = again;
      }
    }
    // If the caller cancelled the request, that says nothing about the hub.
    const isGivenUp = call.signal?.aborted === true && result.kind !== 'answer';
    if (!isGivenUp) this.#note(result);
    return result;
  }

  /** From now on the hub knows the workspace by this token. */
  adopt(given: Secret): void {
    this.#given = given;
    this.#usesGiven = true;
    this.#options.tokenKeeper?.save(given);
  }

  #callWith(token: Secret, { path, headers, body, timeoutMs, signal, ...call }: HubCall) {
    const { url, workspace, orgId } = this.#options;
    return this.#http.call({
      ...call,
      json: body,
      url: `${url}${path}`,
      headers: {
        authorization: `Bearer ${token.reveal()}`,
        // Without it the platform's edge answers an empty 404 (MOL-HDR-02).
        origin: url,
        'x-workspace-id': workspace,
        ...(orgId === undefined ? {} : { 'x-molecule-org-id': orgId }),
        ...headers,
      },
      timeoutMs: timeoutMs ?? HUB_CALL_TIMEOUT_MS,
      signal: signal === undefined ? this.stopped : AbortSignal.any([this.stopped, signal]),
    });
  }

  #token(): Secret {
    const set = this.#options.token();
    if (set.reveal() !== this.#set?.reveal()) {
      // A token that was changed in the settings is used before the kept one.
      this.#usesGiven = false;
      this.#set = set;
    }
    return this.#usesGiven && this.#given !== undefined ? this.#given : set;
  }

  #otherThan(token: Secret): Secret | undefined {
    const candidates = [this.#options.token(), this.#given];
    return candidates.find((one) => one !== undefined && one.reveal() !== token.reveal());
  }

  #note(result: HttpResult): void {
    if (this.stopped.aborted) return;
    const { log, workspace } = this.#options;
    const isRefused = isUnauthorized(result);
    if (isRefused && !this.#isRefused) {
      log.error('token_refused', {
        workspace,
        detail: describe(result),
        next: 'Put the current token of the workspace into MOLECULE_WORKSPACE_TOKEN and start again, or into the file that MOLECULE_WORKSPACE_TOKEN_FILE names, which is read again for every call. Messages wait meanwhile.',
      });
    }
    if (result.kind !== 'answer') {
      this.#trouble = result.detail;
      return;
    }
    if (!isRefused && this.#isRefused) log.info('token_accepted', { workspace });
    this.#isRefused = isRefused;
    if (isFine(result)) this.#trouble = undefined;
    else if (isRefused || isFromElsewhere(result)) this.#trouble = describe(result);
  }
}

/** A cursor that was not found is a valid answer. */
function isFine(result: HttpAnswer): boolean {
  return (result.status < 300 || result.status === 410) && !isFromElsewhere(result);
}

function isUnauthorized(result: HttpResult): boolean {
  return result.kind === 'answer' && result.status === 401;
}
