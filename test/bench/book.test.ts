import { expect, test } from 'vitest';

interface Asked {
  readonly answered: Promise<void>;
}

interface Book {
  ask(question: { messageId: string; chatId: string; text: string }): Asked;
  shown(draft: object): void;
  shownOnCard(card: { questionId: string; text: string }): boolean;
  totals(): Record<string, number>;
}

// Plain JavaScript, for which there are no types.
const file = new URL('./book.js', import.meta.url).href;
const { Book } = (await import(file)) as { Book: new () => Book };

const chat = { chatId: 'oc_a' };
const draft = (msgType: string, content: object, messageId: string) => ({
  chat,
  msgType,
  content: JSON.stringify(content),
  replyTo: { messageId },
});

test('an answer that took long stands on the card that was there before: it is answered, once, in order', async () => {
  const book = new Book();
  const first = book.ask({ messageId: 'om_1', chatId: 'oc_a', text: 'question 1' });
  const second = book.ask({ messageId: 'om_2', chatId: 'oc_a', text: 'question 2' });
  book.shown(draft('interactive', { type: 'card', data: { card_id: '7' } }, 'om_1'));
  expect(book.shownOnCard({ questionId: 'om_1', text: 'At work' })).toBe(false);
  expect(book.shownOnCard({ questionId: 'om_1', text: 'question 1' })).toBe(true);
  await first.answered;
  // What else happens to the card is no second answer.
  expect(book.shownOnCard({ questionId: 'om_1', text: 'question 1' })).toBe(true);
  book.shown(draft('text', { text: 'question 2' }, 'om_2'));
  await second.answered;
  expect(book.totals()).toEqual({
    asked: 2,
    answered: 2,
    repeated: 0,
    misordered: 0,
    wrong: 0,
    notices: 0,
    lost: 0,
  });
});

test('a word of the bot is a notice, and no answer', () => {
  const book = new Book();
  book.ask({ messageId: 'om_1', chatId: 'oc_a', text: 'question 1' });
  book.shown(draft('text', { text: 'The agent failed.' }, 'om_1'));
  expect(book.totals()).toMatchObject({ answered: 0, notices: 1, lost: 1 });
});
