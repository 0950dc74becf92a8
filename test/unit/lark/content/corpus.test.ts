/** Answers as agents write them: what Lark gets of each, and that nothing of it is lost. */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { answerOf } from '../../../../src/lark/content/answer.ts';
import { firstStep, nextStep, type AnswerMessage } from '../../../../src/lark/content/ladder.ts';
import { inlineCardProblem } from '../../../../src/sim/cards/card-rules.ts';
import { shownOfCard, shownOfMarkdown } from './reader.ts';

const FOLDER = join(import.meta.dirname, '../../../fixtures/answers');
const NAMES = readdirSync(FOLDER)
  .filter((file) => file.endsWith('.md'))
  .map((file) => file.slice(0, -3));
/** `GOLDEN=write` writes what Lark gets. Look at the difference before you commit it. */
const isWriting = process.env['GOLDEN'] === 'write';
/** Lark's limit for the body of a request with a card. */
const BODY_BYTES_MAX = 30 * 1024;

const IMAGES = new Map([
  ['latency.png', 'img_v3_latency'],
  ['out/cpu.png', 'img_v3_cpu'],
]);
const CONTEXT = {
  people: [
    { openId: 'ou_mia', name: 'Mia Chen' },
    { openId: 'ou_lin', name: '小林' },
    { openId: 'ou_sam1', name: 'Sam' },
    { openId: 'ou_sam2', name: 'Sam' },
    { openId: 'ou_all', name: 'all' },
  ],
  images: IMAGES,
};

/** A name takes the place of what the agent wrote. */
const CALLS = 'mentions-of-people';

const sourceOf = (name: string) => readFileSync(join(FOLDER, `${name}.md`), 'utf8');
const answer = (name: string) => answerOf(sourceOf(name), CONTEXT);
const messagesOf = (name: string) => answer(name).parts.flatMap((part) => firstStep(part).messages);
const cardsIn = (messages: readonly AnswerMessage[]) =>
  messages.flatMap((message) => (message.kind === 'card' ? [message.card] : []));

test('there are at least 80 answers', () => {
  expect(NAMES.length).toBeGreaterThanOrEqual(80);
});

describe.each(NAMES)('%s', (name) => {
  test('becomes the messages that stand beside it (GOLDEN=write writes them)', () => {
    const shown = messagesOf(name).map((message) =>
      message.kind === 'card'
        ? { kind: 'card', card: JSON.parse(message.card) as unknown }
        : message,
    );
    const made = `${JSON.stringify(shown, null, 1)}\n`;
    const file = join(FOLDER, `${name}.json`);
    if (isWriting) writeFileSync(file, made);
    expect(made).toBe(readFileSync(file, 'utf8'));
  });

  test('keeps the rules of cards', () => {
    const isImage = (key: string) => [...IMAGES.values()].includes(key);
    for (const card of cardsIn(messagesOf(name))) {
      expect(inlineCardProblem(card, isImage)).toBeUndefined();
      const body = JSON.stringify({ msg_type: 'interactive', content: card, uuid: 'x'.repeat(50) });
      expect(Buffer.byteLength(body)).toBeLessThanOrEqual(BODY_BYTES_MAX);
    }
  });

  test.skipIf(name === CALLS)('keeps every word in order, and every line of code', () => {
    const source = shownOfMarkdown(sourceOf(name));
    const shown = messagesOf(name).map((message) => shownOf(message));
    const text = shown.map((one) => one.text).join('\n');
    expect(missing(letters(withoutFootnotes(source.text)), letters(text))).toEqual([]);
    expect(
      missing(source.codeLines, shown.flatMap(({ codeLines }) => codeLines).map(unbroken)),
    ).toEqual([]);
  });

  test.skipIf(name === CALLS)('is whole as a post and as a text too', () => {
    for (const refused of ['card', 'post'] as const) {
      const steps = answer(name).parts.map((part) => nextStep(part, refused, 'form'));
      const shown = steps
        .flatMap((step) => step?.messages ?? [])
        .map(readable)
        .join('\n');
      // A post shows the picture itself.
      const source = sourceOf(name).replaceAll(
        /!\[[^\]]*\]\((?:latency|(?:\.\/)?out\/cpu)\.png\)/g,
        '',
      );
      const wanted = withoutFootnotes(shownOfMarkdown(source).text);
      expect(missing(letters(wanted), letters(shown))).toEqual([]);
    }
  });

  test('calls nobody but who is meant', () => {
    const { parts } = answer(name);
    const messages = parts.flatMap((part) => [
      ...firstStep(part).messages,
      ...(['card', 'post', 'text'] as const).flatMap(
        (rung) => nextStep(part, rung, 'form')?.messages ?? [],
      ),
    ]);
    for (const message of messages) {
      if (message.kind === 'file') continue;
      const calls = readable(message).match(/<\s*\/?\s*at\b[^>]*>?/gi) ?? [];
      expect(
        calls.filter(
          (call) => !/^<at (?:id=|user_id=\\?")ou_(?:mia|lin)\\?"?>$|^<\/at>$/.test(call),
        ),
      ).toEqual([]);
    }
  });
});

function shownOf(message: AnswerMessage) {
  if (message.kind === 'card') return shownOfCard(message.card);
  return { text: message.kind === 'notice' ? '' : readable(message), codeLines: [] };
}

function readable(message: AnswerMessage): string {
  switch (message.kind) {
    case 'card':
      return message.card;
    case 'post': {
      const { zh_cn: post } = JSON.parse(message.post) as {
        zh_cn: { content: { text?: string }[][] };
      };
      return post.content
        .flat()
        .map(({ text = '' }) => text)
        .join('\n');
    }
    case 'text':
    case 'file':
      return message.text;
    case 'notice':
      return '';
  }
}

/** What of the first list is not in the second one, in order. */
function missing(wanted: readonly string[], shown: readonly string[]): readonly string[] {
  let at = 0;
  for (const one of wanted) {
    const found = shown.indexOf(one, at);
    if (found < 0) return [`${one} (after ${shown.slice(Math.max(0, at - 20), at).join('')})`];
    at = found + 1;
  }
  return [];
}

/** Footnotes stand below the answer, wherever they were. */
function withoutFootnotes(text: string): string {
  return text.replaceAll(
    /See chapter 3 of the manual\.|Found in 2019,\s+and published in 2021 at \S+/g,
    '',
  );
}

/** Letters and digits: signs of emphasis stand inside of words, and addresses after them. */
function letters(text: string): readonly string[] {
  return text.match(/[\p{L}\p{N}]/gu) ?? [];
}

function unbroken(line: string): string {
  return line.replaceAll('\u200B', '');
}
