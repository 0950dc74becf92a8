/** The whole bridge with live cards, on a virtual clock, at a Lark that keeps its cards in memory. */
import { join } from 'node:path';
import { onTestFinished } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import type { LiveMode } from '../../../src/bridge/live/live-pace.ts';
import type {
  DoneSoFar,
  LiveGateway,
  LiveResult,
  LiveTrouble,
  LiveView,
} from '../../../src/bridge/ports/live.ts';
import type { Outgoing } from '../../../src/bridge/ports/delivery.ts';
import type { SendResult, TurnTarget } from '../../../src/bridge/ports/target.ts';
import type { Content } from '../../../src/core/content.ts';
import { messageId } from '../../../src/core/ids.ts';
import type { InboundMessage } from '../../../src/core/message.ts';
import type { TurnUpdate } from '../../../src/core/turn-update.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import { SqliteLiveCards } from '../../../src/store/sqlite/bridge/live-cards.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';
import { message } from './samples.ts';
import { createBridge, HUB, passTime } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';

type Method = keyof LiveGateway;

interface Shown {
  readonly messageId: string;
  view: LiveView | undefined;
  /** What stays on it. */
  end: Content | undefined;
  sequence: number;
}

/** A Lark that keeps cards. `trouble` says for each call what is wrong with it, if anything. */
class MemoryLark implements LiveGateway {
  readonly calls: Method[] = [];
  readonly cards: Shown[] = [];
  /** Messages that are no live cards. */
  readonly messages: Content[] = [];
  trouble: (method: Method) => LiveTrouble | undefined = () => undefined;
  readonly #views = new Map<string, LiveView>();
  readonly #sent = new Map<string, Shown>();

  create: LiveGateway['create'] = (view) =>
    this.#answer('create', () => {
      const id = `card${this.#views.size + 1}`;
      this.#views.set(id, view);
      return id;
    });

  send: LiveGateway['send'] = (_place, card, key) =>
    this.#answer('send', () => {
      const known = this.#sent.get(key);
      if (known !== undefined) return known.messageId;
      const view = typeof card === 'string' ? this.#views.get(card) : card;
      const id = `om_live${this.cards.length + 1}`;
      const shown = { messageId: id, view, end: undefined, sequence: 0 };
      this.cards.push(shown);
      this.#sent.set(key, shown);
      return id;
    });

  update: LiveGateway['update'] = (card, view, sequence) =>
    this.#change('update', { ...card, sequence }, (shown) => {
      shown.view = view;
      shown.end = undefined;
    });

  updateText: LiveGateway['updateText'] = (card, view, sequence) =>
    this.#change('updateText', { ...card, sequence }, (shown) => {
      shown.view = { ...view, text: view.text };
      shown.end = undefined;
    });

  end: LiveGateway['end'] = (card, content, { sequence }) =>
    this.#change('end', { ...card, sequence }, (shown) => {
      shown.view = undefined;
      shown.end = content;
    });

  deliver = (out: Outgoing) => {
    if ('content' in out) this.messages.push(out.content);
    return Promise.resolve({ ok: true, id: `om_own${this.messages.length}` } as const);
  };

  /** All that stands in the chat at the end. */
  get said(): string[] {
    const onCards = this.cards.map(({ end }) => end?.text ?? '(working)');
    return [...onCards, ...this.messages.map(({ text }) => text)];
  }

  #change(
    method: Method,
    card: { messageId: string; cardId: string | undefined; sequence: number },
    change: (shown: Shown) => void,
  ) {
    const shown = this.cards.find(({ messageId: id }) => id === card.messageId);
    if (shown === undefined) throw new Error('no such card');
    return this.#answer(method, () => {
      if (card.cardId !== undefined && card.sequence <= shown.sequence) return undefined;
      if (card.cardId !== undefined) shown.sequence = card.sequence;
      change(shown);
      return shown.messageId;
    });
  }

  #answer(method: Method, make: () => string | undefined): Promise<LiveResult> {
    this.calls.push(method);
    const why = this.trouble(method);
    const id = why === undefined || why === 'unknown' ? make() : undefined;
    if (why === undefined && id !== undefined) return Promise.resolve({ ok: true, id });
    const action = why === 'unknown' ? 'unknown' : why === 'passing' ? 'wait' : 'give_up';
    const code = why === 'unknown' ? undefined : 1;
    return Promise.resolve({ ok: false, action, code, detail: 'x', why: why ?? 'sequence' });
  }
}

export interface LiveRig {
  readonly lark: MemoryLark;
  readonly clock: VirtualClock;
  readonly bridge: () => Bridge;
  readonly tell: (...updates: readonly TurnUpdate[]) => void;
  readonly end: (result: SendResult) => Promise<void>;
  readonly pass: (durationMs: number) => Promise<void>;
  readonly ask: (more?: Partial<InboundMessage>) => Promise<void>;
  readonly restart: () => Promise<void>;
  readonly cancelled: string[];
  /** How often it was stored what was done so far. */
  readonly notes: () => number;
  readonly doneOf: () => Promise<readonly DoneSoFar[]>;
}

export async function liveRig({
  mode = 'on',
  prefix = '/',
  ...settings
}: {
  mode?: LiveMode;
  prefix?: string;
  thoughts?: boolean;
  usageLine?: boolean;
} = {}): Promise<LiveRig> {
  const db = Db.open(join(temporaryFolder(), 'bridge.db'), silentLog);
  onTestFinished(() => db.close());
  const clock = new VirtualClock(message.sentAtMs);
  const isWriting = writesUnderWay(db);
  const lark = new MemoryLark();
  const cancelled: string[] = [];
  let noted = 0;
  let take = (_update: TurnUpdate) => {};
  let answer = (_result: SendResult) => {};
  const target: TurnTarget = {
    ...HUB,
    watch: (_workspace, _id, listener) => {
      take = listener;
      return () => {
        take = () => {};
      };
    },
    send: () => Promise.resolve({ kind: 'accepted', ticket: 'ticket' }),
    wait: (_workspace, _ticket, signal) =>
      new Promise((resolve) => {
        answer = resolve as typeof answer;
        signal.addEventListener('abort', () => resolve({ kind: 'pending' }));
      }),
    cancel: (_workspace, id) => {
      cancelled.push(id);
      return Promise.resolve('over');
    },
  };
  const pass = (durationMs: number) => passTime(clock, { isWriting, durationMs });
  const boot = async () => {
    const journal = new SqliteLiveCards({ db, app: message.appId });
    const noteDone = journal.noteDone.bind(journal);
    journal.noteDone = (key, done) => {
      noted += 1;
      return noteDone(key, done);
    };
    const started = createBridge({
      db,
      clock,
      target,
      lark: {
        form: contentForm,
        deliver: lark.deliver,
        history: () => Promise.resolve([]),
        live: lark,
      },
      liveCards: { journal, mode },
      surroundings: {
        prefix,
        version: '1',
        agentName: () => Promise.resolve(undefined),
      },
      turnTimeoutMs: 60 * 60_000,
      ...settings,
    });
    await started.start();
    return started;
  };
  let bridge = await boot();
  onTestFinished(async () => {
    await Promise.all([bridge.stop(), pass(5_000)]);
  });
  return {
    lark,
    clock,
    cancelled,
    notes: () => noted,
    doneOf: async () => {
      const cards = await new SqliteLiveCards({ db, app: message.appId }).unended(0);
      return cards.flatMap(({ done }) => done ?? []);
    },
    bridge: () => bridge,
    pass,
    tell: (...updates) => updates.forEach((update) => take(update)),
    end: async (result) => {
      answer(result);
      await pass(0);
    },
    ask: async (more = {}) => {
      await bridge.intake.admit({ kind: 'message', message: { ...message, ...more } });
      await pass(0);
    },
    restart: async () => {
      await Promise.all([bridge.stop(), pass(5_000)]);
      bridge = await boot();
      await pass(0);
    },
  };
}

export const added = (text: string): TurnUpdate => ({ kind: 'text_added', text });
export const doing = (text: string): TurnUpdate => ({ kind: 'status', text });
export const answered = (text: string): SendResult => ({ kind: 'answered', text });
export const LIVE_MESSAGE = messageId('om_live1');
