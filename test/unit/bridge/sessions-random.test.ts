/**
 * Goal: no two chats share a memory, one that is resumed moves and only for who began it, no two turns are at work
 * in one, and every message is answered once. Method: a random sequence of messages, ends of turns, new and resumed
 * conversations, and restarts, in two direct chats and a group; then calm.
 */
import { expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import type { Outgoing } from '../../../src/bridge/ports/delivery.ts';
import type { WaitResult } from '../../../src/bridge/ports/target.ts';
import { chatId, messageId, openId } from '../../../src/core/ids.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import { seeded } from '../../sim/random.ts';
import { message } from './samples.ts';
import { createBridge, HUB, openJournal, passTime } from './whole-bridge.ts';

const FIRST = Number(process.env['SEED'] ?? 1);
const COUNT = process.env['SEED'] === undefined ? Number(process.env['SEEDS'] ?? 12) : 1;
const SEEDS = Array.from({ length: COUNT }, (_, at) => FIRST + at);
const STEPS = 40;
const ID_SHOWN = 8;
/** How often all seeds together have met it. */
const met = { moved: 0, refused: 0, begun: 0, waited: 0 };

/** Where people write. */
const SEATS = [
  { chat: 'oc_ann', chatType: 'p2p', by: 'ou_ann' },
  { chat: 'oc_bob', chatType: 'p2p', by: 'ou_bob' },
  { chat: 'oc_group', chatType: 'group', by: 'ou_ann' },
  { chat: 'oc_group', chatType: 'group', by: 'ou_bob' },
] as const;
type Seat = (typeof SEATS)[number];

/** A memory, as the agent knows it. */
interface Memory {
  readonly begunBy: string;
  /** The chat that it belongs to. */
  chat: string;
  atWork: string | undefined;
}

class Life {
  readonly memories = new Map<string, Memory>();
  readonly shown: { readonly chat: string; readonly text: string }[] = [];
  readonly said: string[] = [];
  readonly wrong: string[] = [];
  /** Who said each message, and who had begun the memory if it is the first one in it. */
  readonly #seats = new Map<string, Seat & { readonly begunBy: string }>();
  /** Who began anew in a chat in which nothing was said since. */
  readonly #fresh = new Map<string, string>();
  readonly #journal = openJournal();
  readonly #random: () => number;
  /** Turns at work, with what ends them. */
  readonly #ends = new Map<string, (result: WaitResult) => void>();
  readonly #results = new Map<string, WaitResult>();
  #bridge: Bridge | undefined;
  #events = 0;

  constructor(random: () => number) {
    this.#random = random;
  }

  async start(): Promise<void> {
    const { db, clock } = this.#journal;
    this.#bridge = createBridge({
      db,
      clock,
      surroundings: {
        prefix: '/',
        version: '1',
        agentName: () => Promise.resolve('coder'),
      },
      lark: {
        form: contentForm,
        deliver: (out) => Promise.resolve({ ok: true, id: this.#show(out) }),
        history: () => Promise.resolve([]),
      },
      target: {
        ...HUB,
        send: ({ text, details }) => {
          const ticket = /om_\d+/.exec(text)?.[0] ?? '';
          this.#begin(ticket, details?.session?.id ?? '');
          return Promise.resolve({ kind: 'accepted', ticket });
        },
        wait: (_target, ticket, signal) =>
          new Promise((resolve) => {
            const result = this.#results.get(ticket);
            if (result !== undefined) resolve(result);
            this.#ends.set(ticket, resolve);
            signal.addEventListener('abort', () => resolve({ kind: 'pending' }), { once: true });
          }),
        cancel: () => Promise.resolve('over'),
      },
    });
    await this.#bridge.start();
    await this.pass();
  }

  async stop(): Promise<void> {
    await Promise.all([this.#bridge?.stop(), this.pass(5_000)]);
  }

  close(): void {
    this.#journal.db.close();
  }

  pass(durationMs = 1_000): Promise<void> {
    const { clock, isWriting } = this.#journal;
    return passTime(clock, { isWriting, durationMs });
  }

  /** Returns what was shown in this chat since. */
  async say(seat: Seat, text: string): Promise<string> {
    this.#events += 1;
    const id = messageId(`om_${this.#events}`);
    this.#seats.set(id, { ...seat, begunBy: this.#fresh.get(seat.chat) ?? seat.by });
    const before = this.shown.length;
    await this.#bridge?.intake.admit({
      kind: 'message',
      message: {
        ...message,
        messageId: id,
        eventId: `e_${this.#events}`,
        chatId: chatId(seat.chat),
        chatType: seat.chatType,
        senderOpenId: openId(seat.by),
        sentAtMs: this.#journal.clock.nowMs(),
        parts: [{ kind: 'text', text }],
      },
    });
    await this.pass();
    const since = this.shown.slice(before).filter(({ chat }) => chat === seat.chat);
    return since.map((one) => one.text).join('\n');
  }

  async ask(seat: Seat): Promise<void> {
    this.said.push(`om_${this.#events + 1}`);
    await this.say(seat, `question om_${this.#events + 1}`);
    this.#fresh.delete(seat.chat);
  }

  async renew(seat: Seat): Promise<void> {
    if (!(await this.say(seat, '/new')).includes('A new conversation')) return;
    met.begun += 1;
    this.#fresh.set(seat.chat, seat.by);
  }

  /** By the id of any memory, also of one that this person has never seen. */
  async resume(seat: Seat): Promise<void> {
    const ids = [...this.memories.keys()];
    const id = ids[Math.floor(this.#random() * ids.length)];
    if (id === undefined) return;
    const memory = this.memories.get(id);
    if (memory === undefined) return;
    const isElsewhere = memory.chat !== seat.chat;
    const reply = await this.say(seat, `/resume ${id.slice(0, ID_SHOWN)}`);
    if (!reply.includes('We go on with')) {
      met.refused += 1;
      return;
    }
    this.#fresh.delete(seat.chat);
    if (!isElsewhere) return;
    met.moved += 1;
    if (memory.begunBy !== seat.by) this.wrong.push(`${id} was taken by ${seat.by}`);
    if (memory.atWork !== undefined) this.wrong.push(`${id} was taken while at work`);
    memory.chat = seat.chat;
  }

  async end(): Promise<void> {
    const [ticket] = [...this.memories.values()].flatMap(({ atWork }) => atWork ?? []);
    if (ticket === undefined) return;
    for (const memory of this.memories.values()) {
      if (memory.atWork === ticket) memory.atWork = undefined;
    }
    const result = { kind: 'answered', text: `answer to ${ticket}` } as const;
    this.#results.set(ticket, result);
    this.#ends.get(ticket)?.(result);
    await this.pass();
  }

  get isIdle(): boolean {
    return [...this.memories.values()].every(({ atWork }) => atWork === undefined);
  }

  #begin(turn: string, session: string): void {
    const seat = this.#seats.get(turn);
    if (seat === undefined || session === '') {
      this.wrong.push(`${turn} has no memory`);
      return;
    }
    const known = this.memories.get(session);
    if (known === undefined) {
      this.memories.set(session, { begunBy: seat.begunBy, chat: seat.chat, atWork: turn });
      return;
    }
    if (known.atWork !== undefined && known.atWork !== turn) {
      this.wrong.push(`${turn} and ${known.atWork} are at work in ${session}`);
    }
    if (known.chat !== seat.chat) {
      this.wrong.push(`${turn} in ${seat.chat} has the memory ${session} of ${known.chat}`);
    }
    known.atWork = turn;
  }

  #show(out: Outgoing): string {
    if (out.kind !== 'reply' && out.kind !== 'send') return 'reaction';
    this.shown.push({ chat: out.chatId, text: out.content.text });
    return `om_out_${this.shown.length}`;
  }
}

test.each(SEEDS)(
  'R32: no two chats share a memory, and a resumed one moves (SEED=%i)',
  async (seed) => {
    const random = seeded(seed);
    const life = new Life(random);
    const seat = () => SEATS[Math.floor(random() * SEATS.length)] ?? SEATS[0];
    await life.start();
    for (let step = 0; step < STEPS; step += 1) {
      const roll = random();
      if (roll < 0.35) {
        if (!life.isIdle) met.waited += 1;
        await life.ask(seat());
      } else if (roll < 0.6) await life.end();
      else if (roll < 0.7) await life.renew(seat());
      else if (roll < 0.95) await life.resume(seat());
      else {
        await life.stop();
        await life.start();
      }
    }
    for (let left = life.said.length; left > 0; left -= 1) await life.end();
    expect(life.wrong).toEqual([]);
    for (const id of life.said) {
      const answers = life.shown.filter(({ text }) => text === `answer to ${id}`);
      expect(answers, id).toHaveLength(1);
    }
    await life.stop();
    life.close();
  },
);

test('all of them together have moved, refused and begun memories, and let messages wait', () => {
  if (COUNT > 1) expect(Math.min(...Object.values(met))).toBeGreaterThan(COUNT);
});
