/** What the doctor asks Lark: which hosts can be reached, and what Lark says about the app. Changes nothing at Lark. */
import { asObject } from '../../core/json-object.ts';
import type { Brand } from '../../core/brand.ts';
import { type AppId } from '../../core/ids.ts';
import type { AppFacts, LarkResult, BotFact, EndpointFact, LarkFacts, Reach } from '../facts.ts';
import { DOCTOR_CALL_TIMEOUT_MS } from '../../core/limits.ts';
import type { Secret } from '../../core/secret.ts';
import { type Ask, readAppInfo } from './app-info.ts';
import { accountsBaseUrl, openBaseUrl } from '../brand.ts';
import { codeOf, refusalOf, reasonFor, type Refusal } from '../codes.ts';
import { requestEndpoint } from '../inbound/endpoint.ts';
import { createHttp, type LarkHttp } from '../outbound/http.ts';
import { textOf } from '../inbound/fields.ts';
import { proxyFor, proxyName, type ProxySettings } from '../../net/proxy.ts';
import { TokenSource } from '../outbound/token.ts';
import type { Clock } from '../../time/clock.ts';

export interface LarkCheckOptions {
  readonly brand: Brand;
  /** As set. Undefined for the brand's own addresses. */
  readonly openBaseUrl: string | undefined;
  readonly accountsBaseUrl: string | undefined;
  readonly credentials: { readonly appId: AppId; readonly appSecret: Secret } | undefined;
  readonly proxy: ProxySettings;
  readonly clock: Clock;
}

/** Takes no longer than a few calls may take, even if the network fails. */
export async function checkLark(options: LarkCheckOptions): Promise<LarkFacts> {
  const { brand, credentials, proxy } = options;
  const http = createHttp({ proxy, callTimeoutMs: DOCTOR_CALL_TIMEOUT_MS });
  const check = new LarkCheck(options, http);
  try {
    const open = openBaseUrl(brand, options.openBaseUrl);
    const accounts = accountsBaseUrl(brand, options.accountsBaseUrl);
    const [reaches, result] = await Promise.all([
      Promise.all([check.reach('open', open), check.reach('accounts', accounts)]),
      credentials && check.askAsApp(open, credentials),
    ]);
    return { reaches: result?.socket ? [...reaches, result.socket] : reaches, app: result?.facts };
  } finally {
    await http.close();
  }
}

interface AppResult {
  readonly facts: AppFacts;
  /** Undefined if Lark named no address to connect to. */
  readonly socket: Reach | undefined;
}

class LarkCheck {
  readonly #options: LarkCheckOptions;
  readonly #http: LarkHttp;

  constructor(options: LarkCheckOptions, http: LarkHttp) {
    this.#options = options;
    this.#http = http;
  }

  async reach(name: Reach['name'], url: string): Promise<Reach> {
    const { proxy, clock } = this.#options;
    const target = new URL(url);
    const by = proxyFor(target, proxy);
    const outcome = await this.#http.call({ method: 'GET', url: `${target.origin}/` });
    const base = { name, origin: target.origin, proxy: by && proxyName(by) };
    if (outcome.kind !== 'answered') {
      return { ...base, outcome: { kind: 'failed', code: outcome.code ?? outcome.detail } };
    }
    const hereMs = clock.nowMs();
    const thereMs = Date.parse(outcome.headers['date'] ?? '');
    const clocks = Number.isNaN(thereMs) ? undefined : { hereMs, thereMs };
    return { ...base, outcome: { kind: 'reached', clocks } };
  }

  async askAsApp(
    open: string,
    credentials: NonNullable<LarkCheckOptions['credentials']>,
  ): Promise<AppResult> {
    const tokens = this.#tokensAt(open, credentials);
    const app = { http: this.#http, openBaseUrl: open, ...credentials };
    const [token, endpoint] = await Promise.all([tokenFact(tokens), requestEndpoint(app)]);
    const socketUrl = endpoint.ok ? endpoint.endpoint.url.replace(/^ws/, 'http') : undefined;
    const [socket, elsewhere, rest] = await Promise.all([
      socketUrl === undefined ? undefined : this.reach('socket', socketUrl),
      this.#tokenElsewhere(token, credentials),
      token.kind === 'ok' ? this.#askWithToken(open, tokens, credentials.appId) : NOT_ASKED,
    ]);
    const facts = { token, tokenElsewhere: elsewhere, endpoint: endpointFact(endpoint), ...rest };
    return { facts, socket };
  }

  /** Asks the other brand's cloud whether it knows the app. There is none if the address was set. */
  async #tokenElsewhere(
    token: LarkResult<true>,
    credentials: NonNullable<LarkCheckOptions['credentials']>,
  ): Promise<LarkResult<true> | undefined> {
    const { brand, openBaseUrl: override } = this.#options;
    if (override !== undefined || token.kind !== 'refused' || !token.credentials) return undefined;
    const other = openBaseUrl(brand === 'lark' ? 'feishu' : 'lark');
    return tokenFact(this.#tokensAt(other, credentials));
  }

  async #askWithToken(open: string, tokens: TokenSource, app: AppId) {
    const ask: Ask = async (path) => {
      const granted = await tokens.get();
      if (!granted.ok) return fromRefusal(granted);
      const headers = { authorization: `Bearer ${granted.token.reveal()}` };
      const outcome = await this.#http.call({ method: 'GET', url: open + path, headers });
      if (outcome.kind !== 'answered' || codeOf(outcome) !== 0) {
        return fromRefusal(refusalOf(outcome, READ));
      }
      return { kind: 'ok', value: outcome.body };
    };
    const askData: Ask = async (path) =>
      mapped(await ask(path), (body) => asObject(body)?.['data']);
    const [bot, connections, console] = await Promise.all([
      ask('/open-apis/bot/v3/info'),
      askData('/open-apis/event/v1/connection'),
      readAppInfo(askData, app),
    ]);
    return { bot: mapped(bot, botFact), connections: mapped(connections, countOf), console };
  }

  #tokensAt(open: string, credentials: NonNullable<LarkCheckOptions['credentials']>) {
    const { clock } = this.#options;
    return new TokenSource({ http: this.#http, openBaseUrl: open, ...credentials, clock });
  }
}

const READ = { kind: 'read', inThread: false, card: false } as const;
const NOT_ASKED = { bot: undefined, connections: undefined, console: undefined };

async function tokenFact(tokens: TokenSource): Promise<LarkResult<true>> {
  const result = await tokens.get();
  return result.ok ? { kind: 'ok', value: true } : fromRefusal(result);
}

function fromRefusal({
  code,
  detail,
  credentials,
}: Refusal): Exclude<LarkResult<never>, { kind: 'ok' }> {
  return code === undefined
    ? { kind: 'silent', detail }
    : { kind: 'refused', reason: reasonFor(code), detail, credentials: credentials === true };
}

function endpointFact(result: Awaited<ReturnType<typeof requestEndpoint>>): EndpointFact {
  if (result.ok) return { kind: 'offered' };
  if (result.terminal === undefined) return { kind: 'silent', detail: result.detail };
  const { code: error, message: detail } = result.terminal;
  return { kind: 'refused', error, detail, next: result.next };
}

function mapped<T, U>(result: LarkResult<T>, map: (value: T) => U): LarkResult<U> {
  return result.kind === 'ok' ? { kind: 'ok', value: map(result.value) } : result;
}

function botFact(body: unknown): BotFact {
  const bot = asObject(asObject(body)?.['bot']) ?? {};
  return {
    openId: textOf(bot['open_id']),
    name: textOf(bot['app_name']),
    active: bot['activate_status'] === 2,
  };
}

function countOf(data: unknown): number {
  const count = asObject(data)?.['online_instance_cnt'];
  return typeof count === 'number' ? count : 0;
}
