/** Whatever an agent tells, its live card is one that Lark takes. */
import { expect, test } from 'vitest';
import { afterUpdate, NOTHING_TOLD } from '../../../src/bridge/live/live-state.ts';
import { endOfText, viewOf } from '../../../src/bridge/live/live-view.ts';
import type { TurnUpdate } from '../../../src/core/turn-update.ts';
import { liveCard, liveText } from '../../../src/lark/content/live-card.ts';
import { inlineCardProblem } from '../../../src/sim/cards/card-rules.ts';
import { seeded } from '../../sim/random.ts';

const PIECES = [
  'word ',
  '\n',
  '\n\n',
  '# ',
  '```js\n',
  '| a | b |\n|---|---|\n| 1 | 2 |\n\n',
  '- item\n',
  '> ',
  '<at id=all></at>',
  '**',
  '![x](https://example.com/x.png)',
  '[x](javascript:1)',
  '你好，世界',
  '🌍',
  '\ud83c',
  '\u0000\u001b[31m',
  '"\\"\\',
  '---\n',
  '$$x$$',
  '*'.repeat(500),
  '"'.repeat(900),
  '世'.repeat(2_000),
];

function updates(random: () => number): TurnUpdate[] {
  const pick = <T>(from: readonly T[]) => from[Math.floor(random() * from.length)] as T;
  const text = () => Array.from({ length: Math.ceil(random() * 12) }, () => pick(PIECES)).join('');
  return Array.from({ length: 60 }, (): TurnUpdate => {
    const kind = random();
    if (kind < 0.1) return { kind: 'status', text: text() };
    if (kind < 0.13) return { kind: 'text_replaced', text: text() };
    if (kind < 0.18) return { kind: 'thought_added', text: text() };
    if (kind < 0.22)
      return { kind: 'remark', level: pick(['info', 'warning', 'error']), text: text() };
    if (kind < 0.27) {
      const entries = Array.from({ length: Math.floor(random() * 40) }, () => {
        return { text: text(), status: pick(['pending', 'running', 'done'] as const) };
      });
      return { kind: 'plan', entries };
    }
    if (kind > 0.8) {
      const status = pick(['running', 'done', 'failed'] as const);
      const id = String(Math.floor(random() * 90));
      const diffs = [{ path: text(), before: pick([null, text()]), after: text() }];
      const more = { ...(random() < 0.4 && { detail: text() }), ...(random() < 0.3 && { diffs }) };
      return { kind: 'step', step: { id, title: text(), status, ...more } };
    }
    return { kind: 'text_added', text: text() };
  });
}

test.each(Array.from({ length: 10 }, (_, seed) => seed))(
  'any updates make cards within the limits of Lark (seed %i)',
  (seed) => {
    const random = seeded(seed);
    let state = NOTHING_TOLD;
    let from = 0;
    for (const [at, update] of updates(random).entries()) {
      state = afterUpdate(state, update);
      if (from > state.text.length) from = 0;
      // To parse all of them takes long.
      if (at % 4 !== 0) continue;
      const to = endOfText(state.text, from);
      const range = { from, ...(to !== undefined && { to }) };
      const stop = { lark_bridge_choice: 'stop', signature: 'x'.repeat(43) };
      const view = viewOf(state, { ...range, elapsedMs: at * 1_000, lang: 'en', stop });
      for (const streams of [true, false]) {
        const card = liveCard(view, { streams });
        const body = JSON.stringify({
          msg_type: 'interactive',
          content: card,
          uuid: 'x'.repeat(50),
        });
        expect(Buffer.byteLength(body)).toBeLessThanOrEqual(30 * 1024);
        expect(inlineCardProblem(card, () => true)).toBeUndefined();
        expect(card).not.toContain('<at ');
      }
      expect(liveCard(view, { streams: true })).toContain(
        JSON.stringify(liveText(view)).slice(1, -1),
      );
      if (to !== undefined) from = to;
    }
  },
);

test('what stands on several cards is the whole text, in order', () => {
  const text = Array.from({ length: 3_000 }, (_, at) => `line ${at} 🌍`).join('\n');
  const state = afterUpdate(NOTHING_TOLD, { kind: 'text_added', text });
  const shown: string[] = [];
  for (let from: number | undefined = 0; from !== undefined;) {
    const to: number | undefined = endOfText(state.text, from);
    shown.push(state.text.slice(from, to));
    from = to;
  }
  expect(shown.length).toBeGreaterThan(3);
  expect(shown.join('')).toBe(text);
  expect(shown.slice(0, -1).every((part) => part.endsWith('\n'))).toBe(true);
});

test('R28: whatever is folded, planned and remarked is bounded, and says what is cut', () => {
  const long = Array.from({ length: 2_000 }, (_, at) => `line ${at}`).join('\n');
  const entries = Array.from({ length: 50 }, (_, at) => {
    return {
      text: `entry ${at}`,
      status: at === 0 ? 'done' : at === 1 ? 'running' : 'pending',
    } as const;
  });
  const diffs = [{ path: 'a.txt', before: 'one\n', after: `one\n${long}` }];
  const told: TurnUpdate[] = [
    { kind: 'plan', entries },
    { kind: 'remark', level: 'warning', text: 'careful' },
    { kind: 'thought_added', text: long },
    { kind: 'step', step: { id: '1', title: 'ran tests', status: 'done', detail: long } },
    { kind: 'step', step: { id: '2', title: 'wrote', status: 'done', diffs } },
  ];
  const state = told.reduce(afterUpdate, NOTHING_TOLD);
  const view = viewOf(state, { from: 0, elapsedMs: 0, lang: 'en', stop: {} });
  expect(view.planMore).toBe('… and 30 more');
  expect(view.steps[1]?.changes).toEqual(['+2000 −0 a.txt']);
  expect(view.folds?.map(({ title }) => title)).toEqual(['Thoughts', 'ran tests', 'wrote']);
  expect(view.folds?.[1]?.code).toMatch(/^… 17,\d{3} characters before this are not shown\n/);
  expect(view.folds?.[2]?.code).toContain('more lines');
  const card = liveCard(view, { streams: true });
  expect(card).toContain('✓ entry 0\\n▸ entry 1\\n○ entry 2');
  expect(card).toContain('⚠️ careful');
  expect(card).toContain('"expanded":false');
});

test('steps are folded beyond five', () => {
  let state = NOTHING_TOLD;
  const titleOf = () => viewOf(state, { from: 0, elapsedMs: 0, lang: 'en', stop: {} }).stepsTitle;
  for (let id = 1; id <= 6; id += 1) {
    expect(titleOf()).toBeUndefined();
    const step = {
      id: String(id),
      title: `Step ${id}`,
      status: id < 6 ? 'done' : 'running',
    } as const;
    state = afterUpdate(state, { kind: 'step', step });
  }
  expect(titleOf()).toBe('Steps: 5 of 6 done');
  const card = liveCard(viewOf(state, { from: 0, elapsedMs: 0, lang: 'en', stop: {} }), {
    streams: true,
  });
  expect(card).toContain('"tag":"collapsible_panel"');
  expect(card).toContain('⏳ Step 6');
});
