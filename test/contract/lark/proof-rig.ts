/** A proof that runs, and the person who takes part in it. */
import { expect, onTestFinished } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { openId } from '../../../src/core/ids.ts';
import type { ChatEvent } from '../../../src/bridge/ports/intake.ts';
import type { InboundEvent, InboundMessage } from '../../../src/core/message.ts';
import { proofTexts } from '../../../src/bridge/texts/texts.ts';
import { Secret } from '../../../src/core/secret.ts';
import { Connection } from '../../../src/lark/inbound/connection.ts';
import { Proof, type ProofEvent, type ProofOptions } from '../../../src/lark/connect/proof.ts';
import { placesOf } from '../../../src/lark/connect/proof-problems.ts';
import type { SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { pressButtonOf } from './card-press.ts';
import { type GatewayRig, startRig, withGateway } from './rig.ts';
import { type Clock, systemClock } from '../../../src/time/clock.ts';

/** The real time, which a test can move forward. Code that waits notices it when it looks next. */
export class LeapClock implements Clock {
  #aheadMs: number;

  constructor(aheadMs = 0) {
    this.#aheadMs = aheadMs;
  }

  nowMs(): number {
    return Date.now() + this.#aheadMs;
  }

  after(delayMs: number, run: () => void): () => void {
    return systemClock.after(delayMs, run);
  }

  leap(byMs: number): void {
    this.#aheadMs += byMs;
  }
}

export const CONSOLE = 'https://open.feishu.cn/app/';

export interface RunningProof extends GatewayRig {
  readonly clock: LeapClock;
  readonly chat: SimChat;
  readonly events: ProofEvent[];
  readonly kept: (InboundEvent | ChatEvent)[];
  readonly settled: InboundMessage[];
  readonly abort: AbortController;
  /** Resolves with `undefined`, or with the error that ended it. */
  readonly ended: Promise<BridgeError | undefined>;
  /** Steps that have passed so far. */
  steps(): string[];
  /** What was told while it waited. */
  waits(): string[];
}

interface Changes extends Partial<ProofOptions> {
  readonly prepare?: (rig: GatewayRig) => void;
  readonly clock?: LeapClock;
}

/** Begins a proof for the owner Ann. */
export async function beginProof({
  prepare,
  clock = new LeapClock(),
  ...changes
}: Changes = {}): Promise<RunningProof> {
  const rig = withGateway(await startRig());
  prepare?.(rig);
  const { app, ann, lark, gateway } = rig;
  const events: ProofEvent[] = [];
  const kept: (InboundEvent | ChatEvent)[] = [];
  const settled: InboundMessage[] = [];
  const abort = new AbortController();
  const running = new Proof({
    gateway,
    texts: proofTexts('en'),
    connect: (intake, onTerminal) =>
      new Connection({
        http: rig.http,
        openBaseUrl: lark.openBaseUrl,
        appId: rig.self.appId,
        appSecret: new Secret(app.appSecret),
        intake,
        fetchMessage: rig.gateway.fetchMessage,
        self: () => rig.self,
        clock: systemClock,
        log: rig.log,
        areCredentialsRefused: () => Promise.resolve(false),
        onTerminal,
        timing: { reconnectBaseMs: 20, reconnectMaxMs: 80 },
      }),
    held: {
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
    id: 'proof',
    timeoutMs: 600_000,
    clock,
    random: () => 1,
    signal: abort.signal,
    onEvent: (event) => void events.push(event),
    ...changes,
  });
  const ended = running.run().then(
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

/** Waits until `condition` holds. With `leapMs` the clock moves forward at each look. */
export async function until(
  proof: RunningProof,
  condition: () => boolean,
  leapMs = 0,
): Promise<void> {
  const look = () => {
    if (!condition()) proof.clock.leap(leapMs);
    return condition();
  };
  await expect.poll(look).toBe(true);
}

export async function errorOf(proof: RunningProof, leapMs?: number): Promise<BridgeError> {
  let error: BridgeError | undefined;
  let isOver = false;
  void proof.ended.then((ended) => {
    error = ended;
    isOver = true;
  });
  await until(proof, () => isOver, leapMs);
  if (error === undefined) throw new Error('the proof found nothing missing');
  return error;
}

export const passed = (proof: RunningProof, step: string) =>
  until(proof, () => proof.steps().includes(step));

export const reply = (proof: RunningProof, text = 'hi') =>
  proof.lark.say({ chat: proof.chat, from: proof.ann, text });

export function cardIn({ lark, chat }: RunningProof): string {
  const card = lark.shows(chat).find(({ type }) => type === 'interactive');
  if (card === undefined) throw new Error('there is no card');
  return card.messageId;
}

export const press = (proof: RunningProof, by: SimUser = proof.ann) =>
  pressButtonOf(proof.lark, cardIn(proof), by);
