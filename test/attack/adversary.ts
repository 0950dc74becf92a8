/** Hostile callers of the hub, all at once, until they are told to stop. They report what should not have happened. */
import { randomUUID } from 'node:crypto';
import { Agent, request as httpRequest } from 'node:http';
import { connect } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { seeded } from '../sim/random.ts';
import { hostileCall, type Account, type Call, type Knowledge } from './hostile-calls.ts';
import { hostileText, pick, type Random } from './hostile-values.ts';

export interface Assault {
  readonly hubUrl: string;
  readonly seed: number;
  readonly known: Knowledge;
  /** Texts that no answer may hold: secrets, and what only others may read. */
  readonly hidden: readonly string[];
}

export interface AssaultReport {
  readonly calls: number;
  /** How often each status was the answer. */
  readonly statuses: Readonly<Record<string, number>>;
  readonly complaints: readonly string[];
}

/** What an agent of the attack makes of a text that contains the word. */
const MISDEEDS = ['hang', 'deaf', 'fork', 'away', 'flood', 'noise', 'silent', 'suicide', 'spy'];

/** A page that answers with anything else has a fault. 503 and 507: full, in words. */
const STATUSES = new Set([
  200, 202, 204, 400, 401, 403, 404, 405, 408, 409, 410, 411, 413, 414, 415, 417, 421, 429, 431,
  503, 507,
]);
const KB = 1024;
const MB = 1024 * KB;
const COMPLAINTS_MAX = 20;
/** A caller that is not answered at all. The hub itself ends requests after a minute. */
const ANSWER_MS_MAX = 90_000;

export class Adversary {
  readonly #assault: Assault;
  readonly #stop = new AbortController();
  readonly #statuses = new Map<string, number>();
  readonly #complaints: string[] = [];
  readonly #work: Promise<unknown>;
  #isAttacking = false;

  /** Rests at first. */
  constructor(assault: Assault) {
    this.#assault = assault;
    const fuzzers = [1, 2, 3].map((number) =>
      this.#repeat(number, (random, agent) => this.#fuzz(random, agent)),
    );
    this.#work = Promise.all([
      ...fuzzers,
      this.#repeat(4, (random, agent) => this.#occupy(random, agent)),
      this.#repeat(5, (random, agent) => this.#fill(random, agent)),
      this.#repeat(6, (random, agent) => this.#flood(random, agent)),
      this.#repeat(7, (random) => this.#hold(random)),
      this.#repeat(8, (random) => this.#babble(random)),
    ]);
  }

  attack(): void {
    this.#isAttacking = true;
  }

  /** Begins nothing new. */
  rest(): void {
    this.#isAttacking = false;
  }

  async stop(): Promise<AssaultReport> {
    this.#stop.abort();
    await this.#work;
    const statuses = Object.fromEntries(this.#statuses);
    return { calls: this.calls, statuses, complaints: this.#complaints };
  }

  /** So far. */
  get calls(): number {
    return [...this.#statuses.values()].reduce((all, count) => all + count, 0);
  }

  /** Each has an address of its own, so that the rate limit of one is not that of all. */
  async #repeat(
    number: number,
    once: (random: Random, agent: Agent) => Promise<void>,
  ): Promise<void> {
    const random = seeded(this.#assault.seed * 100 + number);
    const localAddress = `127.66.0.${number}`;
    const agent = new Agent({ keepAlive: true, maxSockets: 20, localAddress });
    while (!this.#stop.signal.aborted) {
      if (this.#isAttacking) await once(random, agent);
      // The event loop is shared by all of them.
      await sleep(5);
    }
    agent.destroy();
  }

  async #fuzz(random: Random, agent: Agent): Promise<void> {
    const calls = Array.from({ length: 8 }, () => hostileCall(random, this.#assault.known));
    await Promise.all(calls.map((call) => this.#call(call, agent)));
  }

  /** Turns that take long, each in a conversation of its own. */
  async #occupy(random: Random, agent: Agent): Promise<void> {
    const { own, agents } = this.#assault.known;
    const calls = Array.from({ length: 4 }, () =>
      messageTo(pick(random, agents), pick(random, own), `please ${pick(random, MISDEEDS)}`),
    );
    await Promise.all(calls.map((call) => this.#call(call, agent)));
    await this.#pause(200);
  }

  /** Much to store. */
  async #fill(random: Random, agent: Agent): Promise<void> {
    const { own } = this.#assault.known;
    const by = pick(random, own);
    const text = 'x'.repeat(pick(random, [60 * KB, 200 * KB, MB]));
    await this.#call(messageTo(pick(random, own).id, by, text), agent);
    await this.#pause(100);
  }

  /** Cheap requests, many of them. */
  async #flood(random: Random, agent: Agent): Promise<void> {
    const by = pick(random, this.#assault.known.own);
    const paths = ['/health', '/metrics', `/workspaces/${by.id}/state`, `/registry/${by.id}/peers`];
    const calls = Array.from({ length: 20 }, () => ({
      method: 'GET',
      path: pick(random, paths),
      headers: { Authorization: `Bearer ${by.token}` },
      body: undefined,
    }));
    await Promise.all(calls.map((call) => this.#call(call, agent)));
  }

  /** Bodies that never become whole. */
  async #hold(random: Random): Promise<void> {
    const by = pick(random, this.#assault.known.own);
    const held = Array.from({ length: 6 }, () => {
      const request = httpRequest(`${this.#assault.hubUrl}/workspaces/${by.id}/a2a`, {
        method: 'POST',
        localAddress: '127.66.0.7',
        headers: {
          Authorization: `Bearer ${by.token}`,
          'Content-Type': 'application/json',
          'Content-Length': String(MB),
        },
      });
      request.on('error', () => {});
      request.on('response', (response) => {
        this.#count(String(response.statusCode));
        response.resume();
      });
      request.write(Buffer.alloc(pick(random, [10, 100 * KB, 900 * KB]), '['));
      return request;
    });
    await this.#pause(1_000);
    for (const request of held) request.destroy();
  }

  /** What is no HTTP, and what is half of it. */
  async #babble(random: Random): Promise<void> {
    const { hostname, port } = new URL(this.#assault.hubUrl);
    const lines = [
      'GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n',
      'POST /registry/register HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\nGET /',
      'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n',
      `GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\n${'X-A: b\r\n'.repeat(2_000)}\r\n`,
      'GET /health HTTP/1.1\r\nHost: 127.0.0.1\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\r\n',
      'CONNECT evil.example:443 HTTP/1.1\r\nHost: evil.example\r\n\r\n',
      hostileText(random, 5_000),
      '\u0016\u0003\u0001\u0002\u0000',
    ];
    const sockets = Array.from({ length: 10 }, () => {
      const socket = connect({ host: hostname, port: Number(port), localAddress: '127.66.0.8' });
      socket.on('error', () => {});
      socket.on('data', (chunk: Buffer) => this.#judge(String(chunk), 'a line that is no request'));
      socket.write(pick(random, lines));
      return socket;
    });
    await this.#pause(500);
    for (const socket of sockets) socket.destroy();
  }

  async #call(call: Call, agent: Agent): Promise<void> {
    try {
      const { status, text } = await answerTo(this.#assault.hubUrl, call, agent);
      this.#count(String(status));
      if (!STATUSES.has(status)) this.#complain(`answered with ${status}`, call);
      this.#judge(text, call);
    } catch (error) {
      // The hub may close a connection on bad bytes, and is killed now and then. But it has to answer or close.
      const { code } = error as NodeJS.ErrnoException;
      this.#count(code ?? 'error');
      if (code === 'TIMEOUT') this.#complain('was not answered', call);
    }
  }

  #judge(text: string, call: Call | string): void {
    if (this.#assault.hidden.some((one) => text.includes(one))) {
      this.#complain('showed what is not for the caller', call);
    }
  }

  #count(status: string): void {
    this.#statuses.set(status, (this.#statuses.get(status) ?? 0) + 1);
  }

  #complain(what: string, call: Call | string): void {
    if (this.#complaints.length >= COMPLAINTS_MAX) return;
    this.#complaints.push(`${what}: ${JSON.stringify(call).slice(0, 1_000)}`);
  }

  async #pause(durationMs: number): Promise<void> {
    await sleep(durationMs, undefined, { signal: this.#stop.signal }).catch(() => {});
  }
}

function messageTo(target: string, { id, token }: Account, text: string): Call {
  const message = {
    role: 'user',
    messageId: randomUUID(),
    contextId: randomUUID(),
    parts: [{ kind: 'text', text }],
  };
  return {
    method: 'POST',
    path: `/workspaces/${target}/a2a`,
    headers: {
      Authorization: `Bearer ${token}`,
      'X-Workspace-ID': id,
      'Content-Type': 'application/json',
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'message/send', params: { message } }),
  };
}

function answerTo(
  hubUrl: string,
  { method, path, headers, body }: Call,
  agent: Agent,
): Promise<{ readonly status: number; readonly text: string }> {
  return new Promise((resolve, reject) => {
    const { hostname, port } = new URL(hubUrl);
    const request = httpRequest({ hostname, port, method, path, headers, agent });
    request.setTimeout(ANSWER_MS_MAX, () => {
      request.destroy(Object.assign(new Error('no answer'), { code: 'TIMEOUT' }));
    });
    request.on('error', reject);
    request.on('response', (response) => {
      let text = '';
      response.setEncoding('utf8');
      response.on('data', (chunk: string) => {
        text += chunk;
      });
      response.on('error', reject);
      response.on('end', () => resolve({ status: response.statusCode ?? 0, text }));
    });
    request.end(body);
  });
}
