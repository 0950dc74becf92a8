/** F8: what a button says counts only as it was made, where it was made, and not for ever. */
import { expect, test } from 'vitest';
import { chatId, messageId, openId, turnId } from '../../../src/core/ids.ts';
import { type Choice, ChoiceValues } from '../../../src/wire/choice-value.ts';

const values = new ChoiceValues(new Uint8Array(32).fill(1));
const chat = chatId('oc_1');
const choice: Choice = {
  action: 'retry',
  row: 'out_1',
  under: messageId('om_1'),
  turn: turnId('om_1'),
  person: openId('ou_1'),
};
const made = values.valueOf(choice, { chat, sinceMs: 1_000 });
const at = { chat, nowMs: 2_000 };
const WEEK_MS = 7 * 24 * 3_600_000;

test('F8: a value comes back as it was made', () => {
  expect(values.parse(made, at)).toEqual({ kind: 'choice', choice });
  const { action, row } = choice;
  const forAll = values.valueOf({ action, row }, { chat, sinceMs: 1_000 });
  expect(values.parse(forAll, at)).toEqual({
    kind: 'choice',
    choice: { action, row, under: undefined, turn: undefined, person: undefined },
  });
});

test('F8: no field can be changed, left out or moved, and no chat', () => {
  for (const name of Object.keys(made)) {
    expect(values.parse({ ...made, [name]: undefined }, at)).toMatchObject(
      name === 'lark_bridge_choice' ? { why: 'not_signed' } : { kind: 'refused' },
    );
    expect(values.parse({ ...made, [name]: `${made[name]}x` }, at)).toMatchObject({
      kind: 'refused',
    });
  }
  expect(values.parse({ ...made, lark_bridge_choice: 'skip' }, at)).toMatchObject({
    why: 'wrong_signature',
  });
  expect(values.parse({ ...made, turn: made['person'], person: made['turn'] }, at)).toMatchObject({
    why: 'wrong_signature',
  });
  expect(values.parse(made, { ...at, chat: chatId('oc_2') })).toMatchObject({
    why: 'wrong_signature',
  });
});

test('F8: the key of another app signs nothing of ours', () => {
  const other = new ChoiceValues(new Uint8Array(32).fill(2));
  expect(other.parse(made, at)).toMatchObject({ why: 'wrong_signature' });
});

test('F8: after a week it is too old', () => {
  expect(values.parse(made, { chat, nowMs: 1_000 + WEEK_MS })).toMatchObject({ kind: 'choice' });
  expect(values.parse(made, { chat, nowMs: 1_001 + WEEK_MS })).toEqual({
    kind: 'refused',
    why: 'too_old',
    action: made['lark_bridge_choice'],
  });
});

test.each([
  ['of version 0.1.0', { lark_bridge_choice: 'retry', turn: 'om_1' }],
  ['of an unknown action', { ...made, lark_bridge_choice: 'burn' }],
  ['with other types', { ...made, lark_bridge_choice: { a: 1 }, row: 7, signature: ['x'] }],
])('F8: a value %s is ours and not signed', (_which, value) => {
  expect(values.parse(value, at)).toMatchObject({ kind: 'refused', why: 'not_signed' });
});

test.each([[{}], [{ action: 'run' }], [{ lark_bridge_check: 'press' }], [{ signature: 'x' }]])(
  'F8: a value without our mark is not ours: %j',
  (value) => expect(values.parse(value, at)).toBeUndefined(),
);

test('a value for the question of an agent comes back as it was made, until the question is over', () => {
  const answer: Choice = {
    action: 'answer',
    row: 'out_1',
    under: messageId('om_1'),
    turn: turnId('om_1'),
    person: undefined,
    question: 'out_1',
    option: '0',
  };
  const value = values.valueOf(answer, { chat, sinceMs: 1_000, untilMs: 2_000 });
  expect(values.parse(value, at)).toEqual({ kind: 'choice', choice: answer });
  const late = { chat, nowMs: 2_001 };
  expect(values.parse(value, late)).toMatchObject({ why: 'too_old', action: 'answer' });
  for (const name of ['question', 'option']) {
    for (const other of [undefined, '1', 'out_2']) {
      const forged = { ...value, [name]: other };
      expect(values.parse(forged, at)).toMatchObject({ why: 'wrong_signature', action: 'answer' });
    }
  }
  // A button about a turn can't be turned into an answer.
  const turned = { ...made, lark_bridge_choice: 'answer', question: 'out_1', option: '0' };
  expect(values.parse(turned, at)).toMatchObject({ why: 'wrong_signature' });
});
