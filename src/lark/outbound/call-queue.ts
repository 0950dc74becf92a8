/** Calls that wait, and which of them may start now. It has no clock: callers pass the time. */
import { LRUCache } from 'lru-cache';
import { CoolDown, type Rate, RateWindow } from './rate-window.ts';
import type { CallPriority } from '../../bridge/ports/delivery.ts';

export interface CallLimits {
  /** For each API by itself, as Lark counts. */
  readonly api: readonly Rate[];
  /** For messages to one chat. */
  readonly chat: Rate;
  readonly runningMax: number;
  readonly waitingMax: number;
  readonly chatsPacedMax: number;
}

interface WaitingCall {
  readonly api: string;
  readonly priority: CallPriority;
  /** Calls of one lane and priority run one after another, in the order in which they came. */
  readonly lane: string;
  /** The chat, or the person in a direct chat, whose message limit this call uses. */
  readonly pacedBy: string | undefined;
  readonly start: () => Promise<unknown>;
  /** Ends the wait of a call that will not be made. */
  readonly cancel: (error: Error) => void;
}

const PRIORITIES: readonly CallPriority[] = [
  'answer',
  'notice',
  'stream',
  'reaction',
  'background',
];

/** The limits of one API or one chat. */
interface Pace {
  readonly windows: readonly RateWindow[];
  readonly coolDown: CoolDown;
}

interface Entry {
  readonly call: WaitingCall;
  readonly paces: readonly Pace[];
}

/** Entries in the order in which they came. Only the first one can be next. */
interface Lane {
  readonly name: string;
  readonly entries: Entry[];
  busy: boolean;
}

export class CallQueue {
  readonly #limits: CallLimits;
  /** By priority, highest first, then by name. A lane exists while it has entries or is busy. */
  readonly #lanes: ReadonlyMap<CallPriority, Map<string, Lane>>;
  readonly #apis = new Map<string, Pace>();
  readonly #chats: LRUCache<string, Pace>;

  constructor(limits: CallLimits) {
    this.#limits = limits;
    this.#lanes = new Map(PRIORITIES.map((priority) => [priority, new Map<string, Lane>()]));
    this.#chats = new LRUCache({ max: limits.chatsPacedMax });
  }

  waiting(priority: CallPriority): number {
    let count = 0;
    for (const lane of this.#lanesOf(priority).values()) count += lane.entries.length;
    return count;
  }

  push(call: WaitingCall): void {
    const paces = [this.#apiPace(call.api)];
    if (call.pacedBy !== undefined) paces.push(this.#chatPace(call.pacedBy));
    const lanes = this.#lanesOf(call.priority);
    let lane = lanes.get(call.lane);
    if (lane === undefined) {
      lane = { name: call.lane, entries: [], busy: false };
      lanes.set(call.lane, lane);
    }
    lane.entries.push({ call, paces });
  }

  /** Removes and returns the call with the highest priority that no limit holds back. `finish` frees its lane. */
  take(nowMs: number): WaitingCall | undefined {
    for (const lanes of this.#lanes.values()) {
      for (const lane of lanes.values()) {
        const entry = lane.entries[0];
        if (entry === undefined || freeAtMs(lane, nowMs) > nowMs) continue;
        lane.entries.shift();
        for (const pace of entry.paces) for (const window of pace.windows) window.hit(nowMs);
        lane.busy = true;
        // The lane goes to the end, so that a chat with many calls does not delay the others.
        lanes.delete(lane.name);
        lanes.set(lane.name, lane);
        return entry.call;
      }
    }
    return undefined;
  }

  /** When `take` will find a call. `Infinity`: not before a call ends or a new one comes. */
  freeAtMs(nowMs: number): number {
    let earliestMs = Infinity;
    for (const lanes of this.#lanes.values()) {
      for (const lane of lanes.values()) {
        earliestMs = Math.min(earliestMs, freeAtMs(lane, nowMs));
        if (earliestMs <= nowMs) return earliestMs;
      }
    }
    return earliestMs;
  }

  finish(call: Pick<WaitingCall, 'priority' | 'lane'>): void {
    const lanes = this.#lanesOf(call.priority);
    const lane = lanes.get(call.lane);
    if (lane === undefined) return;
    lane.busy = false;
    if (lane.entries.length === 0) lanes.delete(lane.name);
  }

  coolApi(api: string, nowMs: number, durationMs: number): void {
    this.#apiPace(api).coolDown.set(nowMs, durationMs);
  }

  coolChat(chat: string, nowMs: number, durationMs: number): void {
    this.#chatPace(chat).coolDown.set(nowMs, durationMs);
  }

  /** Removes and returns all calls. */
  takeAll(): WaitingCall[] {
    const lanes = [...this.#lanes.values()].flatMap((named) => [...named.values()]);
    return lanes.flatMap((lane) => lane.entries.splice(0)).map((entry) => entry.call);
  }

  #lanesOf(priority: CallPriority): Map<string, Lane> {
    const lanes = this.#lanes.get(priority);
    if (lanes === undefined) throw new Error(`no such priority: ${priority}`);
    return lanes;
  }

  #apiPace(api: string): Pace {
    let pace = this.#apis.get(api);
    if (pace === undefined) {
      pace = newPace(this.#limits.api);
      this.#apis.set(api, pace);
    }
    return pace;
  }

  #chatPace(chat: string): Pace {
    let pace = this.#chats.get(chat);
    if (pace === undefined) {
      pace = newPace([this.#limits.chat]);
      this.#chats.set(chat, pace);
    }
    return pace;
  }
}

function newPace(rates: readonly Rate[]): Pace {
  return { windows: rates.map((rate) => new RateWindow(rate)), coolDown: new CoolDown() };
}

function freeAtMs(lane: Lane, nowMs: number): number {
  const entry = lane.entries[0];
  if (entry === undefined || lane.busy) return Infinity;
  let latestMs = -Infinity;
  for (const pace of entry.paces) {
    latestMs = Math.max(latestMs, pace.coolDown.freeAtMs(nowMs));
    for (const window of pace.windows) latestMs = Math.max(latestMs, window.freeAtMs(nowMs));
  }
  return latestMs;
}
