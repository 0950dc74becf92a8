import { expect, test } from 'vitest';
import { showAnswer, showMore } from '../../../src/bridge/turns/answer-show.ts';

const blank = { kind: 'answered', text: ' \u200B\u00AD\n' } as const;

test('what nobody can see is no answer: the first one is told, a later one is left out', () => {
  expect(showAnswer(blank)).toMatchObject([{ what: 'notice' }]);
  expect(showMore(blank, 'row')).toEqual([]);
  expect(showMore({ kind: 'answered', text: 'more' }, 'row')).toMatchObject([{ text: 'more' }]);
});
