import { Misuse } from './misuse.ts';
import type { Random } from './random.ts';

/** Parameters of faults. Each kind has the few that its row in `FAULTS` names. */
interface FaultParameters {
  readonly delayMs: number;
  readonly code: number;
  readonly msg: string;
  readonly status: number;
  /** The `data` of an error answer. */
  readonly data: 'object' | 'null' | 'absent';
  readonly payload: string;
  readonly resetSeconds: number;
}

interface FaultRow {
  /** What it happens to: one event on its way, one connection, one bootstrap or handshake, one API call. */
  readonly site: 'event' | 'connection' | 'bootstrap' | 'handshake' | 'call';
  readonly doc: string;
  readonly defaults: Partial<FaultParameters>;
}

/** Every fault, by name. Delays are real milliseconds. */
export const FAULTS = {
  event_drop: { site: 'event', doc: 'the frame is not sent', defaults: {} },
  event_delay: { site: 'event', doc: 'the frame is sent later', defaults: { delayMs: 50 } },
  event_repeat: { site: 'event', doc: 'the same frame is sent twice', defaults: {} },
  event_reorder: {
    site: 'event',
    doc: 'the frame is sent after the next event of the app, or after delayMs',
    defaults: { delayMs: 50 },
  },
  event_duplicate: {
    site: 'event',
    doc: 'the event comes a second time under a new event_id',
    defaults: {},
  },
  event_stolen: {
    site: 'event',
    doc: 'another connection of the app gets the event and acks it',
    defaults: {},
  },
  event_as_card: { site: 'event', doc: 'the frame says type=card', defaults: {} },
  fragments_reorder: { site: 'event', doc: 'sent in fragments, the last one first', defaults: {} },
  fragment_lost: { site: 'event', doc: 'sent in fragments, without the last one', defaults: {} },
  ack_lost: {
    site: 'event',
    doc: 'the ack is ignored, so the event comes again',
    defaults: {},
  },

  half_open: {
    site: 'connection',
    doc: 'at a ping, the server stops answering; the socket stays open',
    defaults: {},
  },
  kick: {
    site: 'connection',
    doc: 'at a ping, the server closes the connection',
    defaults: { code: 1001 },
  },
  pong_payload: {
    site: 'connection',
    doc: 'the pong has this payload instead of the full configuration',
    defaults: { payload: '{}' },
  },
  early_frame: {
    site: 'connection',
    doc: 'waiting events are sent at once after the upgrade, before the first ping',
    defaults: {},
  },
  kick_after_upgrade: {
    site: 'connection',
    doc: 'the server closes the connection right after the upgrade',
    defaults: {},
  },

  bootstrap_refused: {
    site: 'bootstrap',
    doc: 'the bootstrap answers with HTTP 200 and this code',
    defaults: { code: 1, msg: 'system busy', data: 'object' },
  },
  bootstrap_http: {
    site: 'bootstrap',
    doc: 'the bootstrap answers with this HTTP status',
    defaults: { status: 500 },
  },
  bootstrap_hang: { site: 'bootstrap', doc: 'the bootstrap never answers', defaults: {} },
  handshake_refused: {
    site: 'handshake',
    doc: 'the upgrade is refused with Handshake-* headers; code is Handshake-Autherrcode',
    defaults: { status: 403, code: 0, msg: 'forbidden' },
  },
  handshake_hang: { site: 'handshake', doc: 'the upgrade is never answered', defaults: {} },

  request_lost: {
    site: 'call',
    doc: 'the socket is closed; the call is not carried out',
    defaults: {},
  },
  response_lost: {
    site: 'call',
    doc: 'carried out, then the socket is closed without an answer',
    defaults: {},
  },
  response_hang: { site: 'call', doc: 'carried out, but never answered', defaults: {} },
  response_slow: { site: 'call', doc: 'carried out later', defaults: { delayMs: 200 } },
  rate_limited: {
    site: 'call',
    doc: 'HTTP 429, code 99991400, x-ogw-ratelimit-reset',
    defaults: { resetSeconds: 1 },
  },
  chat_limited: { site: 'call', doc: 'code 230020', defaults: {} },
  token_revoked: {
    site: 'call',
    doc: 'the tokens of the app become invalid: code 99991663',
    defaults: {},
  },
  business_error: {
    site: 'call',
    doc: 'this code; the call is not carried out. Status 200 is possible',
    defaults: { code: 2200, msg: 'internal error', status: 400 },
  },
  download_cut: {
    site: 'call',
    doc: 'of a file of a message only half is sent, then the socket is closed',
    defaults: {},
  },
  download_hang: {
    site: 'call',
    doc: 'of a file of a message only half is sent, then nothing',
    defaults: {},
  },
  download_endless: {
    site: 'call',
    doc: 'for a file of a message bytes are sent without end, and without a Content-Length',
    defaults: {},
  },
  html_502: { site: 'call', doc: 'HTTP 502 with an HTML page', defaults: {} },
} as const satisfies Record<string, FaultRow>;

export type FaultKind = keyof typeof FAULTS;

const ALL_DEFAULTS: FaultParameters = {
  delayMs: 0,
  code: 0,
  msg: '',
  status: 400,
  data: 'object',
  payload: '',
  resetSeconds: 1,
};

/** How likely each fault is, per event, ping, bootstrap, handshake or call: 0 to 1. */
export interface FaultPlan {
  readonly rates: Readonly<Partial<Record<FaultKind, number>>>;
}

/** A fault that happens the next `times` times (1 by default) that its conditions match. */
export interface Injection extends Partial<FaultParameters> {
  readonly kind: FaultKind;
  readonly times?: number;
  readonly appId?: string;
  /** Only calls whose path contains this. */
  readonly path?: string;
  /** Only calls with this HTTP method. */
  readonly method?: string;
  /** Only calls whose body contains this, as it was sent. */
  readonly body?: string;
  /** Only events of this type. */
  readonly eventType?: string;
}

/** The event, connection or call that a fault may happen to. */
export interface FaultContext {
  readonly appId?: string | undefined;
  readonly path?: string;
  readonly method?: string;
  readonly body?: Buffer;
  readonly eventType?: string;
}

export type ActiveFault = FaultParameters & { readonly kind: FaultKind };

interface Waiting {
  readonly injection: Injection;
  left: number;
}

/** Decides whether something goes wrong, and counts what did. */
export class Faults {
  readonly #random: Random;
  readonly #onTaken: () => void;
  readonly #waiting = new Map<FaultKind, Waiting[]>();
  readonly #counts = new Map<FaultKind, number>();
  #plan: FaultPlan = { rates: {} };

  /** `onTaken` is called after every fault that happens. */
  constructor(random: Random, onTaken: () => void = () => undefined) {
    this.#random = random;
    this.#onTaken = onTaken;
  }

  /** Replaces the plan. Injected faults stay. */
  setPlan(plan: FaultPlan): void {
    for (const [kind, rate] of Object.entries(plan.rates)) {
      if (!(kind in FAULTS)) throw new Misuse(`there is no fault named ${kind}`);
      if (!(rate >= 0 && rate <= 1)) throw new Misuse(`the rate of ${kind} is not between 0 and 1`);
    }
    this.#plan = plan;
  }

  inject(injection: Injection): void {
    validateInjection(injection);
    const list = this.#waiting.get(injection.kind) ?? [];
    list.push({ injection, left: injection.times ?? 1 });
    this.#waiting.set(injection.kind, list);
  }

  /** Ends all faults: no plan, nothing injected. The counts stay. */
  calm(): void {
    this.#plan = { rates: {} };
    this.#waiting.clear();
  }

  /** How many faults happened so far, by kind. */
  counts(): Partial<Record<FaultKind, number>> {
    return Object.fromEntries(this.#counts);
  }

  /** Injected faults that are still to happen. */
  waiting(): Injection[] {
    return [...this.#waiting.values()].flatMap((list) =>
      list.map((waiting) => ({ ...waiting.injection, times: waiting.left })),
    );
  }

  plan(): FaultPlan {
    return this.#plan;
  }

  /** The fault, if `kind` happens here. It is then counted, and one injection is used up. */
  take(kind: FaultKind, context: FaultContext = {}): ActiveFault | undefined {
    const injection = this.#takeWaiting(kind, context);
    const rate = this.#plan.rates[kind] ?? 0;
    if (injection === undefined && !(rate > 0 && this.#random() < rate)) return undefined;
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
    this.#onTaken();
    return { ...ALL_DEFAULTS, ...FAULTS[kind].defaults, ...injection, kind };
  }

  #takeWaiting(kind: FaultKind, context: FaultContext): Injection | undefined {
    const list = this.#waiting.get(kind);
    const found = list?.find(({ injection }) => fits(injection, context));
    if (list === undefined || found === undefined) return undefined;
    found.left -= 1;
    if (found.left <= 0) list.splice(list.indexOf(found), 1);
    if (list.length === 0) this.#waiting.delete(kind);
    return found.injection;
  }
}

/** Tests in other languages call this too. A misspelt parameter is refused by its name, not ignored. */
function validateInjection(injection: Injection): void {
  const { kind } = injection;
  if (!(kind in FAULTS)) throw new Misuse(`there is no fault named ${kind}`);
  const examples: Readonly<Record<string, unknown>> = {
    kind,
    times: 1,
    appId: '',
    path: '',
    method: '',
    body: '',
    eventType: '',
    ...FAULTS[kind].defaults,
  };
  for (const [name, value] of Object.entries(injection)) {
    if (!(name in examples)) throw new Misuse(`${kind} has no parameter ${name}`);
    if (value === undefined || typeof value === typeof examples[name]) continue;
    throw new Misuse(`${name} of ${kind} is not a ${typeof examples[name]}`);
  }
}

function fits(injection: Injection, context: FaultContext): boolean {
  const { appId, path, method, body, eventType } = injection;
  if (appId !== undefined && appId !== context.appId) return false;
  if (path !== undefined && context.path?.includes(path) !== true) return false;
  if (method !== undefined && method !== context.method) return false;
  if (body !== undefined && context.body?.includes(body) !== true) return false;
  return eventType === undefined || eventType === context.eventType;
}
