import type { Cloud } from '../cloud.ts';
import { CONNECTIONS_PER_APP_MAX } from './connections.ts';
import type { ActiveFault } from '../world/faults.ts';
import { originOf, textField, type Answer, type Call, type Route } from '../api/http.ts';
import type { SimApp } from '../world/model.ts';

/** The path of the URL that the bootstrap returns. */
export const SOCKET_PATH = '/ws/v2';
const TICKET_LIFE_MS = 60_000;
const SERVICE_ID = 33_554_678;

export interface Ticket {
  readonly app: SimApp;
  readonly serviceId: number;
  readonly expiresAtMs: number;
}

/** Tickets for upgrades. Each is valid for one. */
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

/** The first step of a long connection: the client sends its credentials and gets a URL and intervals. */
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
  const context = { appId };
  // No answer. The call ends at the client's time limit, or when the server stops.
  if (faults.take('bootstrap_hang', context)) return new Promise<Answer>(() => undefined);
  const failed = faults.take('bootstrap_http', context);
  if (failed) return { status: failed.status, body: '<html><body>error</body></html>' };
  const refused = faults.take('bootstrap_refused', context);
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

/** Has the host by which the client reached the server. The ids must not be the first parameters. */
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

function refusedWith(hit: ActiveFault): Answer {
  const { code, msg } = hit;
  if (hit.data === 'absent') return { status: 200, body: { code, msg } };
  return { status: 200, body: { code, msg, data: hit.data === 'null' ? null : {} } };
}
