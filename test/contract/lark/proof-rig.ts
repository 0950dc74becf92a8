/** A check of a bot under way, and the person who is asked to take part in it. */
import { expect, onTestFinished } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { openId } from '../../../src/core/ids.ts';
import type { InboundEvent, InboundMessage } from '../../../src/core/message.ts';
import { Secret } from '../../../src/core/secret.ts';
import { Connection } from '../../../src/lark/inbound/connection.ts';
import {
  type ProofEvent,
  runVerification,
  type ProofOptions,
} from '../../../src/lark/connect/proof.ts';
import { placesOf } from '../../../src/lark/connect/proof-problems.ts';
import type { SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { pressButtonOf } from './card-press.ts';
import { type GatewayRig, realClock, startRig, withGateway } from './rig.ts';
import type { Clock } from '../../../src/time/clock.ts';

/** The real time, which a test can put forward: whoever waits sees it at the next look. */
export class LeapClock implements Clock {
  #aheadMs: number;

  constructor(aheadMs = 0) {
    this.#aheadMs = aheadMs;
  }

  nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  after(delayMs: number, run: () => void): () => void {
    return realClock.after(delayMs, run);
  }

  leap(byMs: number): void {
    this.#aheadMs += byMs;
  }
}

export const CONSOLE = 'https://open.feishu.cn/app/';

export interface Check extends GatewayRig {
  readonly clock: LeapClock;
  readonly chat: SimChat;
  readonly events: ProofEvent[];
  readonly kept: InboundEvent[];
  readonly settled: InboundMessage[];
  readonly abort: AbortController;
  /** Resolves with `undefined`, or with the error that ended it. */
  readonly ended: Promise<BridgeError | undefined>;
  /** Steps that were passed so far. */
  steps(): string[];
  /** What was said while it waited. */
  waits(): string[];
}

interface Changes extends Partial<ProofOptions> {
  readonly prepare?: (rig: GatewayRig) => void;
  readonly clock?: LeapClock;
}

/** Begins a check whose owner is Ann. */
export async function beginCheck({
  prepare,
  clock = new LeapClock(),
  ...changes
}: Changes = {}): Promise<Check> {
  const rig = withGateway(await startRig());
  prepare?.(rig);
  const { app, ann, lark, gateway } = rig;
  const events: ProofEvent[] = [];
  const kept: InboundEvent[] = [];
  const settled: InboundMessage[] = [];
  const abort = new AbortController();
  const done = runVerification({
    gateway,
    connect: (intake, onTerminal) =>
      new Connection({
        http: rig.http,
        openBaseUrl: lark.openBaseUrl,
        appId: rig.self.appId,
        appSecret: new Secret(app.appSecret),
        intake,
        fetchMessage: rig.gateway.fetchMessage,
        self: () => rig.self,
        clock: realClock,
        log: rig.log,
        areCredentialsRefused: () => Promise.resolve(false),
        onTerminal,
        timing: { reconnectBaseMs: 20, reconnectMaxMs: 80 },
      }),
    letters: {
      admit: (event) => {
        kept.push(event);
        return Promise.resolve();
      },
      settle: (message) => {
        settled.push(message);
        return Promise.resolve();
      },
    },
    owner: openId(ann.openId),
    places: placesOf({ appId: rig.self.appId, brand: 'feishu', openBaseUrl: undefined }),
    id: 'check',
    timeoutMs: 600_000,
    clock,
    random: () => 1,
    signal: abort.signal,
    onEvent: (event) => void events.push(event),
    ...changes,
  });
  const ended = done.then(
    () => undefined,
    (error: unknown) => {
      if (error instanceof BridgeError) return error;
      throw error;
    },
  );
  onTestFinished(async () => {
    abort.abort();
    await ended;
  });
  return {
    ...rig,
    clock,
    chat: lark.directChat(ann, app),
    events,
    kept,
    settled,
    abort,
    ended,
    steps: () => events.flatMap((event) => (event.kind === 'step_passed' ? event.step : [])),
    waits: () => events.flatMap((event) => (event.kind === 'step_waits' ? event.problem.text : [])),
  };
}

/** Waits until something has happened; with `leapMs` the time flies meanwhile. */
export async function until(check: Check, condition: () => boolean, leapMs = 0): Promise<void> {
  const look = () => {
    if (!condition()) check.clock.leap(leapMs);
    return condition();
  };
  await expect.poll(look).toBe(true);
}

export async function errorOf(check: Check, leapMs?: number): Promise<BridgeError> {
  let error: BridgeError | undefined;
  let isOver = false;
  void check.ended.then((ended) => {
    error = ended;
    isOver = true;
  });
  await until(check, () => isOver, leapMs);
  if (error === undefined) throw new Error('the check found nothing missing');
  return error;
}

export const passed = (check: Check, step: string) =>
  until(check, () => check.steps().includes(step));

export const reply = (check: Check, text = 'hi') =>
  check.lark.say({ chat: check.chat, from: check.ann, text });

export function cardIn({ lark, chat }: Check): string {
  const card = lark.shows(chat).find(({ type }) => type === 'interactive');
  if (card === undefined) throw new Error('there is no card');
  return card.messageId;
}

export const press = (check: Check, by: SimUser = check.ann) =>
  pressButtonOf(check.lark, cardIn(check), by);
