import type { Cloud } from '../cloud.ts';
import { CONNECTIONS_PER_APP_MAX } from './connections.ts';
import type { Hit } from '../world/faults.ts';
import { originOf, textField, type Answer, type Call, type Route } from '../api/http.ts';
import type { SimApp } from '../world/model.ts';

/** Where the URL of the bootstrap leads. */
export const SOCKET_PATH = '/ws/v2';
const TICKET_LIFE_MS = 60_000;
const SERVICE_ID = 33_554_678;

export interface Ticket {
  readonly app: SimApp;
  readonly serviceId: number;
  readonly expiresAtMs: number;
}

/** Tickets let one upgrade through, each. */
export class Tickets {
  readonly #cloud: Cloud;
  readonly #byText = new Map<string, Ticket>();

  constructor(cloud: Cloud) {
    this.#cloud = cloud;
  }

  issue(app: SimApp): string {
    const { clock, world } = this.#cloud;
    const nowMs = clock.nowMs();
    for (const [text, ticket] of this.#byText) {
      if (ticket.expiresAtMs > nowMs) break;
      this.#byText.delete(text);
    }
    const text = world.ids.ticket();
    const expiresAtMs = nowMs + TICKET_LIFE_MS;
    this.#byText.set(text, { app, serviceId: SERVICE_ID, expiresAtMs });
    return text;
  }

  redeem(text: string): Ticket | undefined {
    const ticket = this.#byText.get(text);
    this.#byText.delete(text);
    return ticket !== undefined && ticket.expiresAtMs > this.#cloud.clock.nowMs()
      ? ticket
      : undefined;
  }
}

/** The first step of a long connection: credentials in, URL and intervals out. */
export function bootstrapRoutes(cloud: Cloud, tickets: Tickets): readonly Route[] {
  return [
    {
      method: 'POST',
      path: '/callback/ws/endpoint',
      auth: 'none',
      handle: (call) => bootstrap(cloud, tickets, call),
    },
  ];
}

function bootstrap(cloud: Cloud, tickets: Tickets, call: Call): Answer | Promise<Answer> {
  const { faults } = cloud;
  const appId = textField(call.body, 'AppID');
  const appSecret = textField(call.body, 'AppSecret');
  const occasion = { appId };
  // Nobody answers; the client's time limit ends it, or the end of the server.
  if (faults.take('bootstrap_hang', occasion)) return new Promise<Answer>(() => undefined);
  const failed = faults.take('bootstrap_http', occasion);
  if (failed) return { status: failed.status, body: '<html><body>error</body></html>' };
  const refused = faults.take('bootstrap_refused', occasion);
  if (refused) return refusedWith(refused);
  if (!appId || !appSecret) return refusal(1000040344, 'no credential');
  const app = cloud.world.apps.get(appId);
  if (app === undefined || app.appSecret !== appSecret) return refusal(514, 'auth failed');
  if (cloud.connections.count(appId) >= CONNECTIONS_PER_APP_MAX) {
    return refusal(1000040350, 'the number of connections exceeded the limit');
  }
  const url = socketUrl(cloud, call, tickets.issue(app));
  const data = { URL: url, ClientConfig: cloud.clientConfig };
  return { status: 200, body: { code: 0, msg: 'success', data } };
}

/** Under the name by which the client reached us. The ids must not be the first parameters. */
function socketUrl(cloud: Cloud, call: Call, ticket: string): string {
  // http: becomes ws:, https: becomes wss:.
  const origin = originOf(cloud.baseUrl, call.headers).replace(/^http/, 'ws');
  const { ids } = cloud.world;
  const query = new URLSearchParams({
    fpid: '493',
    aid: '552564',
    device_id: ids.hex(16),
    access_key: ids.hex(32),
    service_id: String(SERVICE_ID),
    ticket,
  });
  return `${origin}${SOCKET_PATH}?${query.toString()}`;
}

/** Bootstrap errors come with HTTP 200 and an empty `data`. */
function refusal(code: number, msg: string): Answer {
  return { status: 200, body: { code, msg, data: {} } };
}

function refusedWith(hit: Hit): Answer {
  const { code, msg } = hit;
  if (hit.data === 'absent') return { status: 200, body: { code, msg } };
  return { status: 200, body: { code, msg, data: hit.data === 'null' ? null : {} } };
}
