/** Parts of answers as the outbox keeps them. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { answerOf } from '../../../../src/lark/content/answer.ts';
import {
  markdownMessage,
  partsOfAnswer,
  simplerThan,
} from '../../../../src/lark/content/markdown-rows.ts';
import { plainMarkdown } from '../../../../src/lark/content/plain-markdown.ts';
import { rendered } from '../../../../src/lark/content/rendered.ts';
import { inlineCardProblem } from '../../../../src/sim/cards/card-rules.ts';
import { elementsIn } from './reader.ts';

const FOLDER = join(import.meta.dirname, '../../../fixtures/answers');
const NAMES = readdirSync(FOLDER).filter((file) => file.endsWith('.md'));
const NOTHING_KNOWN = { people: [], images: new Map<string, string>() };
const LONG_CHARS = 40_000;

const textsOf = (text: string) => partsOfAnswer(text).filter((part) => part.kind === 'answer');

const wordsOf = (text: string) =>
  plainMarkdown(
    answerOf(text, NOTHING_KNOWN).parts.flatMap(({ blocks }) => blocks),
    'text',
  ).replaceAll(/[\s\u200B]+/g, '');

test.each(NAMES)(
  '%s many times: each part, read for itself, says the same as the whole',
  (name) => {
    const text = readFileSync(join(FOLDER, name), 'utf8');
    const long = `${text}\n\n`.repeat(Math.max(1, Math.floor(LONG_CHARS / text.length)));
    const whole = answerOf(long, NOTHING_KNOWN).parts;
    const parts = textsOf(long);
    if (whole.length === 1) return;
    expect(parts).toHaveLength(whole.length);
    for (const [at, part] of parts.entries()) {
      const words = plainMarkdown(whole[at]?.blocks ?? [], 'text').replaceAll(/[\s\u200B]+/g, '');
      if (part.form === undefined) {
        expect(part.text.replace(/^\d+\/\d+\n/, '').replaceAll(/[\s\u200B]+/g, '')).toBe(words);
        continue;
      }
      expect(wordsOf(part.text)).toBe(words);
      expect(part.part).toEqual({ number: at + 1, of: whole.length });
      expect(
        inlineCardProblem(markdownMessage({ ...part, form: part.form }), () => true),
      ).toBeUndefined();
    }
  },
);

test('what shows nothing as Markdown is still shown', () => {
  const [part] = partsOfAnswer('[only]: https://example.com/a');
  expect(JSON.stringify(part && rendered(part))).toContain('https://example.com/a');
  expect(partsOfAnswer(' \n ')).toEqual([]);
});

test.each([
  '# \u200B',
  '> \u200B',
  '- \n- \n-',
  '1. ',
  '---',
  '```\n```',
  '```\n\u200B\n```',
  '| \u200B |\n|-|\n| \u200B |',
  '`````'.repeat(10),
])('a card would be empty, so it stays as it is written: %j', (text) => {
  expect(partsOfAnswer(text)).toEqual([{ kind: 'answer', text }]);
});

test('what shows nothing between words is no element of the card', () => {
  const [part] = textsOf('**one**\n\n# \u200B\n\ntwo');
  const card = markdownMessage({ ...part, kind: 'answer', text: part?.text ?? '', form: 'card' });
  expect(elementsIn(card).map(({ content }) => content)).toEqual(['**one**\n\ntwo']);
});

test('a refused part of a log is a file of its own, without the number', () => {
  const [, second] = textsOf('line\n\n'.repeat(30_000));
  const [words, file] = simplerThan(second ?? { kind: 'answer', text: '' }, 'form');
  expect(words).toEqual({ kind: 'answer', text: 'line', is: 'excerpt' });
  expect(file).toEqual({
    kind: 'file',
    as: 'file',
    name: 'answer-2.md',
    text: second?.text.slice(4),
  });
});

test('a row of an earlier version, without a form, goes out as a text, whatever is in it', () => {
  const text = '# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |';
  expect(rendered({ kind: 'answer', text })).toEqual({ kind: 'text', text });
});

test('what is longer than 100,000 characters is a log: it stays a text, and nothing of it is read', () => {
  const text = '- **a** [b](https://c.example)\n'.repeat(4_000);
  const parts = textsOf(text);
  expect(parts.map((part) => part.form)).toEqual([undefined, undefined]);
  expect(parts.map((part) => part.text.slice(0, 4))).toEqual(['1/2\n', '2/2\n']);
  expect(parts.map((part) => part.text.slice(4)).join('')).toBe(text);
  expect(textsOf(text.slice(0, 49_000)).some((part) => part.form === 'card')).toBe(true);
});
