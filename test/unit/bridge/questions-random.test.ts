/**
 * Goal: each question ends exactly once, the agent hears exactly one answer, and what the card says at the end is true.
 * Method: a random sequence of questions (with options, for words, for permissions), presses (right, forged, from other
 * chats and people, on old cards), typed words, commands, approvals for always, refusals of Lark, ends of turns, waits, restarts, and deaths before and after any write; then calm.
 */
import { expect, test } from 'vitest';
import { turnId } from '../../../src/core/ids.ts';
import type { QuestionUpdate } from '../../../src/core/turn-update.ts';
import { seeded } from '../../sim/random.ts';
import { noteOf, QuestionRig, type ShownMessage } from './question-rig.ts';

const FIRST = Number(process.env['SEED'] ?? 1);
const COUNT = process.env['SEED'] === undefined ? Number(process.env['SEEDS'] ?? 12) : 1;
const SEEDS = Array.from({ length: COUNT }, (_, at) => FIRST + at);
const STEPS = 40;
/** How the questions of all seeds ended. */
const ends: Partial<Record<string, number>> = {};
/** How those were answered that were answered. */
const ways: Partial<Record<string, number>> = {};
const MINUTE_MS = 60_000;

const KINDS: readonly Partial<QuestionUpdate>[] = [
  {},
  {},
  { options: [] },
  { takesWords: true },
  { permission: { tool: 'execute', command: 'ls', allow: 'yes', reject: 'no' } },
  { permission: { tool: 'execute', command: 'ls', allow: 'yes', reject: 'no' } },
  { permission: { tool: 'execute', command: 'ls', allow: 'yes', reject: 'no' } },
];

/** What is often said right after a question. */
const FOLLOWS = [
  undefined,
  { words: 'the blue one', from: 'ou_ann' },
  { words: '/approve always', from: 'ou_boss' },
];

const WORDS = [
  '1',
  'deny',
  'YES',
  '3',
  'the blue one',
  '/approve',
  '/approve always',
  '/approve 2',
  '/deny',
  '/approvals remove 1',
];

test.each(SEEDS)(
  'each question ends once, and its agent hears one answer (SEED=%i)',
  async (seed) => {
    const random = seeded(seed);
    const upTo = (count: number) => Math.floor(random() * count);
    const rig = new QuestionRig();
    rig.owner = 'ou_boss';
    /** Who answered, as Lark showed it in a toast. */
    const taken: string[] = [];
    const asked = new Set<string>();
    let turns = 0;
    let isRough = true;
    rig.refuses = () =>
      isRough && random() < 0.2
        ? { ok: false, action: 'retry', code: undefined, detail: 'rough weather' }
        : undefined;
    rig.dies = () => isRough && random() < 0.02;
    // Sometimes the program has ended a moment before.
    rig.takes = () => !isRough || random() < 0.9;
    const card = (): ShownMessage | undefined => rig.cards()[upTo(rig.cards().length)];
    const person = () => ['ou_ann', 'ou_bob', 'ou_boss'][upTo(3)] ?? '';
    const press = async (as: Parameters<QuestionRig['press']>[2] = {}) => {
      const one = card();
      if (one === undefined) return;
      const before = rig.heard.length;
      const toast = await rig.press(one, upTo(3), { by: person(), ...as });
      if (Object.keys(as).length > 0) {
        expect(toast?.kind).not.toBe('success');
        expect(rig.heard).toHaveLength(before);
      }
      if (toast?.kind === 'success') taken.push(one.id);
    };
    const newTurn = async () => {
      turns += 1;
      await rig.say(`om_${turns}`, 'please', { chat: 'oc_1' });
    };
    const steps: (() => Promise<void>)[] = [
      newTurn,
      ...Array.from({ length: 4 }, () => async () => {
        const id = `q${asked.size}`;
        asked.add(id);
        const only = upTo(4) === 0 ? ({ only: 'owner' } as const) : {};
        await rig.ask(id, { ...KINDS[upTo(KINDS.length)], ...only });
        const then = FOLLOWS[upTo(FOLLOWS.length)];
        if (then === undefined) return;
        turns += 1;
        await rig.say(`om_${turns}`, then.words, { from: then.from });
      }),
      ...Array.from({ length: 4 }, () => () => press()),
      () => press({ chat: 'oc_2' }),
      () => press({ on: 'om_copy' }),
      () => press({ value: { ...card()?.values[0], question: 'other' } }),
      async () => {
        turns += 1;
        await rig.say(`om_${turns}`, WORDS[upTo(WORDS.length)] ?? '', { from: person() });
      },
      () => rig.pass(upTo(6) * MINUTE_MS),
      () => rig.answerTurn('done'),
      () => rig.restart(),
    ];
    await rig.start();
    await newTurn();
    for (let at = 0; at < STEPS; at += 1) {
      while (rig.isDead) await rig.restart();
      await steps[upTo(steps.length)]?.();
    }

    isRough = false;
    if (rig.isDead) await rig.restart();
    await rig.pass(15 * MINUTE_MS);
    const heard = rig.heard.map(({ id }) => id);
    expect(new Set(heard).size).toBe(heard.length);
    const all = Array.from({ length: turns }, (_, at) =>
      rig.questions.ofTurn(turnId(`om_${at + 1}`)),
    ).flat();
    expect(all.filter(({ state }) => state.phase === 'open')).toEqual([]);
    for (const { phase } of all.map(({ state }) => state)) ends[phase] = (ends[phase] ?? 0) + 1;
    for (const { id, key, turn, state } of all) {
      const told = rig.heard.filter((one) => one.id === id).map(({ answer }) => answer);
      if (state.phase === 'answered') {
        const { option, by } = state;
        const isSaid = option === undefined;
        if (isSaid) expect(told).toMatchObject([{ kind: 'said', by }]);
        else expect(told).toEqual([{ kind: 'chosen', option: option.id, by }]);
        const how = isSaid ? 'in words' : state.approval === undefined ? 'by option' : 'approved';
        ways[how] = (ways[how] ?? 0) + 1;
      }
      if (state.phase === 'expired')
        expect(told.every(({ kind }) => kind === 'expired')).toBe(true);
      const shown = rig.questions.shown({ key, turn });
      const cards = rig.cards().filter((one) => one.id === shown?.messageId);
      for (const one of cards) {
        expect(one.content).toMatchObject({ options: [] });
        expect(/^Answer: |^Answered in words/.test(noteOf(one) ?? '')).toBe(
          state.phase === 'answered',
        );
      }
    }
    // What was acknowledged as taken has reached the agent, or its card says why not.
    for (const id of taken) {
      expect(noteOf(rig.cards().find((one) => one.id === id))).toMatch(/^Answer: |is over/);
    }
    expect(rig.cards()).toHaveLength(new Set(rig.cards().map(({ content }) => content.text)).size);
    expect(rig.log.lines.filter(({ event }) => event.endsWith('_bug'))).toEqual([]);
    await rig.close();
  },
);

test('all of them together have seen each way in which a question ends', () => {
  if (COUNT === 1) return;
  expect(Object.keys(ends).toSorted()).toEqual(['answered', 'expired', 'over']);
  expect(Object.keys(ways).toSorted()).toEqual(['approved', 'by option', 'in words']);
});
