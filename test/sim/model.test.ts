/**
 * Goal: every message is answered once, in its place, whatever fails and whenever the process dies.
 * Method: see world.ts. A failing seed prints the line that replays it alone.
 */
import { describe, expect, test } from 'vitest';
import { Lanes } from '../../src/time/lanes.ts';
import { CLEAN, type Findings } from './findings.ts';
import { live, type Met, replayLine } from './lives.ts';
import type { Fate, Mutations } from './fates.ts';
import type { AttachmentStore } from '../../src/bridge/ports/attachments.ts';
import type { LarkGateway } from '../../src/bridge/ports/lark.ts';
import type { LiveGateway } from '../../src/bridge/ports/live.ts';
import type { TurnRequest, TurnTarget } from '../../src/bridge/ports/target.ts';

const COUNT = Number(process.env['SEEDS'] ?? 12);
const FIRST = Number(process.env['SEED'] ?? 1);
const SEEDS = process.env['SEED'] === undefined ? COUNT : 1;

describe('storm, then calm', () => {
  test(
    `every message is answered once, in its place and in order, over ${SEEDS} seeds`,
    { timeout: 3_600_000 },
    async () => {
      let crashes = 0;
      const met = { files: 0, joined: 0, cards: 0, changes: 0, stops: 0 };
      for (let seed = FIRST; seed < FIRST + SEEDS; seed += 1) {
        const one = await live(seed);
        crashes += one.crashes;
        for (const [name, count] of Object.entries(one.met)) met[name as keyof Met] += count;
        expect(one.found, replayLine(seed)).toEqual(CLEAN);
      }
      // A storm without crashes would prove nothing.
      expect(crashes).toBeGreaterThan(SEEDS / 2);
      if (SEEDS > 1) expect(Math.min(...Object.values(met))).toBeGreaterThan(SEEDS / 4);
    },
  );
});

/** Nobody does what only some people and agents do, so a broken rule shows sooner. */
const PLAIN: Partial<Fate> = {
  asks: false,
  pairing: false,
  files: false,
  tells: false,
  edits: false,
  stops: false,
};

describe('the checks notice a broken rule', () => {
  /** Breaks a rule and expects one of the first seeds to show it. */
  async function caught(
    mutations: Mutations,
    by: keyof Findings,
    fate: Partial<Fate> = {},
    seeds = 20,
  ) {
    for (let seed = 1; seed <= seeds; seed += 1) {
      const { found } = await live(seed, mutations, { ...PLAIN, ...fate });
      if (found[by].length > 0) return true;
    }
    return false;
  }

  test('acking before the commit loses messages', async () => {
    expect(await caught({ ackFirst: true }, 'lost', { asks: true, files: true, tells: true })).toBe(
      true,
    );
  });

  test('a fresh key for each try repeats answers', async () => {
    let tries = 0;
    const lark = (real: LarkGateway): LarkGateway => ({
      form: real.form,
      deliver: (out, key, priority) => real.deliver(out, `${key}:${(tries += 1)}`, priority),
      history: (chat, sinceMs) => real.history(chat, sinceMs),
    });
    expect(await caught({ lark }, 'repeated')).toBe(true);
  });

  test('marking before sending loses answers', async () => {
    const lark = (real: LarkGateway): LarkGateway => ({
      form: real.form,
      deliver: (out, key, priority) => {
        void real.deliver(out, key, priority);
        return Promise.resolve({ ok: true, id: 'om_not_yet' });
      },
      history: (chat, sinceMs) => real.history(chat, sinceMs),
    });
    expect(await caught({ lark }, 'lost')).toBe(true);
  });

  test('a fresh id at the hub for each try runs turns twice', async () => {
    let tries = 0;
    const target = sending((request) => ({
      ...request,
      messageId: `${request.messageId}:${(tries += 1)}`,
    }));
    expect(await caught({ target }, 'ranTwice')).toBe(true);
  });

  test('a hub that only says that it knows repeated ids runs turns twice', async () => {
    const target = (real: TurnTarget): TurnTarget => ({
      correlates: real.correlates,
      deduplicates: true,
      currentTarget: () => real.currentTarget(),
      wait: (workspace, ticket, signal) => real.wait(workspace, ticket, signal),
      send: (request, signal) => real.send(request, signal),
    });
    expect(await caught({ target }, 'ranTwice', { deduplicates: false })).toBe(true);
  });

  test.each([
    ['of its own for each message', ({ messageId }: TurnRequest) => messageId],
    ['for all chats', () => 'one'],
  ])('a memory %s is not that of a chat', async (_what, sessionOf) => {
    const target = sending((request) => {
      const session = { id: sessionOf(request), isNew: true };
      return { ...request, details: { ...request.details, session } };
    });
    expect(await caught({ target }, 'memories')).toBe(true);
  });

  test('one token for all turns shows answers under other questions', async () => {
    let first: TurnRequest['reply'];
    const target = sending((request) => {
      first ??= request.reply;
      return { ...request, ...(first && { reply: first }) };
    });
    expect(await caught({ target }, 'misplaced', { isBlind: true })).toBe(true);
  });

  test('not looking into the chat after an hour repeats answers', async () => {
    const lark = (real: LarkGateway): LarkGateway => ({
      form: real.form,
      deliver: (out, key, priority) => real.deliver(out, key, priority),
      history: () => Promise.resolve([]),
    });
    expect(await caught({ lark }, 'repeated', { outage: true })).toBe(true);
  });

  test('F17: one name for everybody runs turns in the name of the wrong person', async () => {
    const target = sending((request) => ({
      ...request,
      context: { ...request.context, senderOpenId: 'ou_alice' },
    }));
    expect(await caught({ target }, 'wrongPerson')).toBe(true);
  });

  test('a recall that is not heard lets a turn run that nobody wants', async () => {
    expect(await caught({ recallsLost: true }, 'ranUnasked')).toBe(true);
  });

  test('an answer that goes to the chat where its question is gone shows what was taken back', async () => {
    const lark = (real: LarkGateway): LarkGateway => ({
      form: real.form,
      deliver: async (out, key, priority) => {
        const result = await real.deliver(out, key, priority);
        if (result.ok || result.action !== 'message_gone' || out.kind !== 'reply') return result;
        return real.deliver({ ...out, kind: 'send' }, `${key}:chat`, priority);
      },
      history: (chat, sinceMs) => real.history(chat, sinceMs),
    });
    expect(await caught({ lark }, 'withdrawn', { slow: 1, recalls: 0.9 })).toBe(true);
  });

  test('a recall of which the hub does not hear leaves its agent at work', async () => {
    const target = (real: TurnTarget): TurnTarget => ({
      correlates: real.correlates,
      deduplicates: real.deduplicates,
      currentTarget: () => real.currentTarget(),
      wait: (workspace, ticket, signal) => real.wait(workspace, ticket, signal),
      send: (request, signal) => real.send(request, signal),
    });
    // Few agents work for so long, and few people take back what they said: so it must be many here.
    expect(await caught({ target }, 'ranOn', { slow: 1, recalls: 0.9 })).toBe(true);
  });

  test('letting everybody in answers people who were not let in', async () => {
    expect(await caught({ letsAllIn: true }, 'strangers', { pairing: true })).toBe(true);
  });

  test('a decision that is lost keeps the messages of somebody who was let in', async () => {
    expect(await caught({ decisionsLost: true }, 'lost', { pairing: true })).toBe(true);
  });

  test('a question of an agent whose end is not shown stays open', async () => {
    const lark = (real: LarkGateway): LarkGateway => ({
      form: real.form,
      deliver: (out, key, priority) =>
        out.kind === 'update'
          ? Promise.resolve({ ok: true, id: out.messageId })
          : real.deliver(out, key, priority),
      history: (chat, sinceMs) => real.history(chat, sinceMs),
    });
    expect(await caught({ lark }, 'unended', { asks: true, isBlind: false })).toBe(true);
  });

  test('an answer that does not reach the agent is noticed', async () => {
    const target = (real: TurnTarget): TurnTarget => ({
      correlates: real.correlates,
      deduplicates: real.deduplicates,
      currentTarget: () => real.currentTarget(),
      wait: (workspace, ticket, signal) => real.wait(workspace, ticket, signal),
      send: (request, signal) => real.send(request, signal),
      watch: (workspace, id, take) => real.watch?.(workspace, id, take) ?? (() => {}),
      answerQuestion: (question, answer) => {
        void real.answerQuestion?.(question, { ...answer, kind: 'cancelled' });
        return Promise.resolve('taken');
      },
    });
    expect(await caught({ target }, 'misheard', { asks: true, isBlind: false })).toBe(true);
  });

  test('an answer that an agent is told twice is noticed', async () => {
    const target = (real: TurnTarget): TurnTarget => ({
      correlates: real.correlates,
      deduplicates: real.deduplicates,
      currentTarget: () => real.currentTarget(),
      wait: (workspace, ticket, signal) => real.wait(workspace, ticket, signal),
      send: (request, signal) => real.send(request, signal),
      watch: (workspace, id, take) => real.watch?.(workspace, id, take) ?? (() => {}),
      answerQuestion: async (question, answer) => {
        const first = await real.answerQuestion?.(question, answer);
        await real.answerQuestion?.(question, answer);
        return first ?? 'over';
      },
    });
    expect(await caught({ target }, 'misheard', { asks: true, isBlind: false })).toBe(true);
  });

  test('a question that is not shown leaves people in silence', async () => {
    const lark = (real: LarkGateway): LarkGateway => ({
      form: real.form,
      deliver: (out, key, priority) =>
        'content' in out && out.content.kind === 'choice'
          ? Promise.resolve({ ok: true, id: 'om_nowhere' })
          : real.deliver(out, key, priority),
      history: (chat, sinceMs) => real.history(chat, sinceMs),
    });
    expect(await caught({ lark }, 'silent')).toBe(true);
  });

  test('a reaction that is made again unseen is left over', async () => {
    const lark = (real: LarkGateway): LarkGateway => ({
      form: real.form,
      deliver: (out, key, priority) =>
        real.deliver(out.kind === 'react' ? { ...out, again: false } : out, key, priority),
      history: (chat, sinceMs) => real.history(chat, sinceMs),
    });
    expect(await caught({ lark }, 'leftOver')).toBe(true);
  });

  test('a file that is only said to be stored is noticed', async () => {
    const attachments = (real: AttachmentStore): AttachmentStore => ({
      find: (asked) => real.find(asked),
      save: async (asked, body, bytesMax) => {
        const saved = await real.save(asked, body, bytesMax);
        if (saved.ok) await real.remove(asked.of);
        return saved;
      },
      remove: (of) => real.remove(of),
      prune: () => real.prune(),
    });
    expect(await caught({ attachments }, 'filesLost', { files: true })).toBe(true);
  });

  test('a file that nobody is told to be missing is noticed', async () => {
    const lark = (real: LarkGateway) => without(real, /^I could not read/);
    expect(await caught({ lark }, 'filesLost', { files: true })).toBe(true);
  });

  test('a picture that is left out of the turn that took it in is noticed', async () => {
    const target = (real: TurnTarget) =>
      retelling(real, (text) => text.replace(/\[image picture \d+\](?=.*\n)/, '[a picture]'));
    expect(await caught({ target }, 'filesLost', { files: true })).toBe(true);
  });

  test('a recall that does not take a picture out of another turn gives it to an agent', async () => {
    const names = new Set<string>();
    const target = (real: TurnTarget) =>
      retelling(real, (text) => {
        for (const [name] of text.matchAll(/\[image picture \d+\]/g)) names.add(name);
        return [...names, text].join('\n');
      });
    expect(await caught({ target }, 'withdrawn', { files: true, recalls: 0.5 })).toBe(true);
  });

  test('a card that is only said to be ended goes on saying that an agent works', async () => {
    const lark = (real: LarkGateway) => ({
      ...without(real, /$^/),
      live: cards(real, (card) => Promise.resolve({ ok: true, id: card.messageId })),
    });
    expect(await caught({ lark }, 'atWork', { tells: true, isBlind: false })).toBe(true);
  });

  test('a card that shows an older state after its end goes on saying that an agent works', async () => {
    const lark = (real: LarkGateway) => ({
      ...without(real, /$^/),
      live: cards(real, async (card, content, ending) => {
        const ended = await real.live?.end(card, content, ending);
        const view = { heading: 'Working', steps: [], text: '' };
        await real.live?.update(card, view, ending.sequence + 1);
        return ended ?? { ok: true, id: card.messageId };
      }),
    });
    expect(await caught({ lark }, 'atWork', { tells: true, isBlind: false })).toBe(true);
  });

  test('what an agent had said before a stop or a failure, and that goes away, is noticed', async () => {
    const lark = (real: LarkGateway) => without(real, /^so far /);
    const fate = { tells: true, stops: true, slow: 1, isBlind: false };
    expect(await caught({ lark }, 'wordsLost', fate)).toBe(true);
  });

  test('a stop of which nobody is told is noticed', async () => {
    const lark = (real: LarkGateway) => without(real, /^Stopped/);
    expect(await caught({ lark }, 'stopped', { stops: true, slow: 1 })).toBe(true);
  });

  test('a stop of which the hub does not hear leaves its agent at work', async () => {
    const target = (real: TurnTarget): TurnTarget => {
      const { cancel: _cancel, ...deaf } = retelling(real, (text) => text);
      return deaf;
    };
    const fate = { stops: true, slow: 1, recalls: 0, isBlind: false };
    expect(await caught({ target }, 'ranOn', fate, 40)).toBe(true);
  });

  test('a turn that begins with what the message said before it was changed is noticed', async () => {
    const target = (real: TurnTarget) =>
      retelling(real, (text) => text.replace(/, version \d+/, ''));
    expect(await caught({ target }, 'oldText', { edits: true })).toBe(true);
  });

  test('a change that starts a turn of its own runs it twice', async () => {
    expect(await caught({ changesAreNew: true }, 'ranTwice', { edits: true })).toBe(true);
  });

  test('forgetting the lane answers out of order', async () => {
    const original = Lanes.prototype.add;
    Lanes.prototype.add = function forgetful(item) {
      original.call(this, { ...item, lane: item.id });
    };
    try {
      expect(await caught({}, 'outOfOrder')).toBe(true);
    } finally {
      Lanes.prototype.add = original;
    }
  });
});

/** A Lark that says that it has shown something, and has not. */
function without(real: LarkGateway, hidden: RegExp): LarkGateway {
  return {
    form: real.form,
    deliver: (out, key, priority) =>
      'content' in out && hidden.test(out.content.text)
        ? Promise.resolve({ ok: true, id: `om_hidden_${key}` })
        : real.deliver(out, key, priority),
    history: (chat, sinceMs) => real.history(chat, sinceMs),
    ...(real.resource && { resource: real.resource }),
    live: cards(real, (card, content, ending) => {
      const { text } = content;
      const shown = hidden.test(text) ? { kind: 'notice' as const, text: 'Nothing.' } : content;
      return real.live?.end(card, shown, ending) ?? Promise.reject(new Error('no cards'));
    }),
  };
}

/** Cards whose end is another one. */
function cards({ live: real }: LarkGateway, end: LiveGateway['end']): LiveGateway {
  if (real === undefined) throw new Error('a Lark without cards');
  const { create, send, update, updateText } = real;
  return { create, send, update, updateText, end };
}

/** A hub that is given something else than what the bridge sends. */
function sending(change: (request: TurnRequest) => TurnRequest): (real: TurnTarget) => TurnTarget {
  return (real) => ({
    correlates: real.correlates,
    deduplicates: real.deduplicates,
    currentTarget: () => real.currentTarget(),
    wait: (workspace, ticket, signal) => real.wait(workspace, ticket, signal),
    watch: (workspace, id, take) => real.watch?.(workspace, id, take) ?? (() => {}),
    cancel: (workspace, id, signal) =>
      real.cancel?.(workspace, id, signal) ?? Promise.resolve('over'),
    answerQuestion: (question, answer) =>
      real.answerQuestion?.(question, answer) ?? Promise.resolve('over'),
    send: (request, signal) => real.send(change(request), signal),
  });
}

/** A hub whose agents get another text. */
function retelling(real: TurnTarget, change: (text: string) => string): TurnTarget {
  return sending((request) => ({ ...request, text: change(request.text) }))(real);
}
