/** One agent elsewhere: where its card is, how it is reached, and what the bridge may send there. */
import { CallFailed, createFetch } from '../../net/fetch.ts';
import { HttpClient, type HttpAnswer } from '../../net/http.ts';
import type { ProxySettings } from '../../net/proxy.ts';
import type { Clock } from '../../time/clock.ts';
import type { Environment } from '../environment.ts';
import type { A2aSpec } from '../runtime.ts';
import { type AgentCard, parseCard } from './card.ts';
import { type A2aClient, createClient } from './client.ts';
import { AgentTrouble, isPassing, refusedStatus, troubleOf } from './trouble.ts';

/** Where a card is, below an agent's address. */
const CARD_PATH = '.well-known/agent-card.json';
/** A card with many skills has 100 KB. */
const CARD_BYTES_MAX = 1024 * 1024;
const CARD_MS_MAX = 15_000;
/** A card that changed is noticed after this time, or as soon as a call fails. */
const CARD_FRESH_MS = 5 * 60_000;
/** Shorter than a call may take, so that "not sent" can be told from "no answer". */
const CONNECT_MS_MAX = 10_000;
/**
 * An agent may think for long without a word, so a connection is asked about only after this time. The system notices
 * a dead one earlier.
 */
const SILENCE_MS_MAX = 10 * 60_000;
/** A file of 30 MB, which is what Lark takes, in Base64 and with its surroundings. */
const ANSWER_BYTES_MAX = 48 * 1024 * 1024;

export interface AgentParts {
  readonly spec: A2aSpec;
  readonly env: Environment;
  readonly proxies: ProxySettings;
  readonly clock: Clock;
}

interface Known {
  readonly client: A2aClient;
  /** The text of it that was read, to tell whether it changed. */
  readonly text: string;
  readonly checkedAtMs: number;
}

export class RemoteAgent {
  readonly #parts: AgentParts;
  readonly #url: URL | undefined;
  /** For the address that a person named. */
  readonly #named: HttpClient;
  /** For those that only the card names. */
  readonly #others: HttpClient;
  #known: Known | undefined;
  #finding: Promise<A2aClient> | undefined;

  constructor(parts: AgentParts) {
    const { spec, proxies } = parts;
    this.#parts = parts;
    this.#url = URL.canParse(spec.url) ? new URL(spec.url) : undefined;
    const options = {
      proxies,
      connectTimeoutMs: CONNECT_MS_MAX,
      answerBytesMax: CARD_BYTES_MAX,
    };
    this.#named = new HttpClient({ ...options, publicOnly: spec.isPrivate !== true });
    this.#others = new HttpClient({ ...options, publicOnly: true });
  }

  /** The secret that the agent is shown. */
  get token(): string {
    const { spec, env } = this.#parts;
    return spec.tokenVariable === undefined ? '' : (env[spec.tokenVariable] ?? '').trim();
  }

  /** Ends all calls. */
  async close(): Promise<void> {
    await Promise.all([this.#named.close(), this.#others.close()]);
  }

  /** What its card says may be wrong by now. */
  forgetCard(): void {
    this.#known = undefined;
  }

  /** How it is talked to, as its card says. Rejects with an `AgentTrouble`. */
  client(): Promise<A2aClient> {
    const { clock } = this.#parts;
    const known = this.#known;
    const ageMs = known === undefined ? Infinity : clock.nowMs() - known.checkedAtMs;
    // Also if the clock was set back.
    if (known !== undefined && ageMs >= 0 && ageMs < CARD_FRESH_MS) {
      return Promise.resolve(known.client);
    }
    this.#finding ??= this.#refreshed(known).finally(() => {
      this.#finding = undefined;
    });
    return this.#finding;
  }

  /** While its card can't be read, an older one counts. */
  async #refreshed(known: Known | undefined): Promise<A2aClient> {
    try {
      return await this.#find(known);
    } catch (error) {
      if (known === undefined || !(error instanceof AgentTrouble) || !isPassing(error)) throw error;
      return known.client;
    }
  }

  async #find(known: Known | undefined): Promise<A2aClient> {
    const { clock } = this.#parts;
    const { answer, url } = await this.#readCard();
    const text = JSON.stringify(answer.body);
    const parsed = parseCard(answer.body, url);
    if (!parsed.ok) throw new AgentTrouble('card', `${url.href}: ${parsed.why}`, parsed.why);
    const client =
      known?.text === text
        ? known.client
        : await createClient(parsed.card, this.#ways(parsed.card));
    this.#known = { client, text, checkedAtMs: clock.nowMs() };
    return client;
  }

  #ways({ address }: AgentCard) {
    const { clock } = this.#parts;
    this.#checkProtection(new URL(address.url));
    const fetchImpl = createFetch({
      clientFor: (url) => this.#clientFor(url),
      headers: this.#headers(),
      silenceMsMax: SILENCE_MS_MAX,
      answerBytesMax: ANSWER_BYTES_MAX,
    });
    return { fetchImpl, clock };
  }

  /** The address is that of the card, or the one below which it is. */
  async #readCard(): Promise<{ readonly answer: HttpAnswer; readonly url: URL }> {
    const url = this.#url;
    if (url === undefined || !/^https?:$/.test(url.protocol)) {
      throw new AgentTrouble('moved', `${this.#parts.spec.url} is no address of a web server`);
    }
    this.#checkProtection(url);
    const below = new URL(url);
    below.pathname = `${url.pathname.replace(/\/$/, '')}/${CARD_PATH}`;
    const [first, second] = url.pathname.endsWith('.json') ? [url] : [below, url];
    const answer = await this.#get(first);
    if (answer.status !== 404 || second === undefined) return { answer: checked(answer), url };
    return { answer: checked(await this.#get(second)), url };
  }

  async #get(url: URL): Promise<HttpAnswer> {
    const result = await this.#clientFor(url).call({
      method: 'GET',
      url: url.href,
      headers: { accept: 'application/json', 'a2a-version': '1.0', ...this.#headers() },
      timeoutMs: CARD_MS_MAX,
    });
    if (result.kind === 'answer') return result;
    // A card is only read, so it does not matter whether the request left.
    throw troubleOf(new CallFailed({ ...result, kind: 'not_sent' }));
  }

  #clientFor(url: URL): HttpClient {
    return url.origin === this.#url?.origin ? this.#named : this.#others;
  }

  #headers(): Readonly<Record<string, string>> {
    return this.token === '' ? {} : { authorization: `Bearer ${this.token}` };
  }

  /** Within a network of one's own, who added the agent decides. */
  #checkProtection(url: URL): void {
    const isOwn = this.#parts.spec.isPrivate === true && url.origin === this.#url?.origin;
    if (this.token === '' || url.protocol === 'https:' || isOwn) return;
    throw new AgentTrouble('unprotected', `${url.origin} is not protected`);
  }
}

function checked(answer: HttpAnswer): HttpAnswer {
  const { status } = answer;
  if (status === 200) return answer;
  throw refusedStatus({ status, message: `the card was answered with HTTP ${status}` });
}
