/** What is sent if Lark refuses an answer: each form once, and an end. */
import { describe, expect, test } from 'vitest';
import { answerOf, type AnswerPart } from '../../../../src/lark/content/answer.ts';
import {
  firstStep,
  nextStep,
  type AnswerMessage,
  type RefusedFor,
  type Step,
} from '../../../../src/lark/content/ladder.ts';

const NOTHING = { people: [], images: new Map<string, string>() };
const SHORT = '# Title\n\nSome **bold** words.\n\n```js\nlet a = 1;\n```';

const partOf = (text: string): AnswerPart => {
  const [part] = answerOf(text, NOTHING).parts;
  if (part === undefined) throw new Error('the answer has no part');
  return part;
};

/** Everything that is tried for a part where Lark takes nothing. An upload is a call of its own. */
function refusedAll(part: AnswerPart, why: RefusedFor) {
  const steps: Step[] = [];
  for (
    let step: Step | undefined = firstStep(part);
    step !== undefined;
    step = nextStep(part, step.rung, why)
  ) {
    steps.push(step);
  }
  const messages = steps.flatMap((step) => step.messages);
  return {
    rungs: steps.map(({ rung }) => rung),
    calls: messages.reduce((sum, { kind }) => sum + (kind === 'file' ? 2 : 1), 0),
  };
}

describe('an answer that everything refuses', () => {
  test('is tried once in each form, and ends with one notice after at most 12 calls', () => {
    const { rungs, calls } = refusedAll(partOf(SHORT), 'form');
    expect(rungs).toEqual(['card', 'post', 'text', 'file', 'notice']);
    expect(calls).toBeLessThanOrEqual(12);
  });

  test('and is a plain text has fewer forms', () => {
    expect(refusedAll(partOf('All is well.'), 'form').rungs).toEqual(['text', 'file', 'notice']);
  });

  test('as too long is not tried as a post, which has the same limit', () => {
    expect(refusedAll(partOf(SHORT), 'too_long').rungs).toEqual(['card', 'text', 'file', 'notice']);
  });

  test('because of what it says is not said in another form', () => {
    expect(refusedAll(partOf(SHORT), 'forbidden').rungs).toEqual(['card', 'notice']);
  });
});

const messagesAt = (text: string, refused: 'card' | 'post' | 'text'): readonly AnswerMessage[] =>
  nextStep(partOf(text), refused, 'form')?.messages ?? [];

describe('each form', () => {
  test('a post has no headings and no tables, which its Markdown does not know', () => {
    const [message] = messagesAt(
      '# Title\n\n| a | b |\n|---|---|\n| 1 | 2 |\n\n---\n\n- [x] x',
      'card',
    );
    const { zh_cn: post } = JSON.parse(message?.kind === 'post' ? message.post : '{}') as {
      zh_cn: { content: unknown };
    };
    expect(post.content).toEqual([
      [{ tag: 'md', text: '**Title**\n\na | b\n1 | 2' }],
      [{ tag: 'hr' }],
      [{ tag: 'md', text: '- ☑ x' }],
    ]);
  });

  test('a text shows the address of a link after it', () => {
    expect(messagesAt('**See** [this](https://example.com/x)', 'post')).toEqual([
      { kind: 'text', text: '**See** this (https://example.com/x)' },
    ]);
  });

  test('a file is what the agent wrote, and its first paragraph is said', () => {
    expect(messagesAt(SHORT, 'text')).toEqual([
      { kind: 'text', text: 'Title' },
      { kind: 'file', name: 'answer.md', text: SHORT },
    ]);
  });

  test('a part of an answer becomes a file of its own', () => {
    const { parts } = answerOf(`# Long\n\n${'Some words of it. '.repeat(6_000)}`, NOTHING);
    expect(parts.length).toBeGreaterThan(1);
    const step = nextStep(parts[1] as AnswerPart, 'text', 'form');
    expect(step?.messages.at(-1)).toMatchObject({ kind: 'file', name: 'answer-2.md' });
  });

  test('a line of code that is longer than a card makes the whole answer a file', () => {
    const step = firstStep(partOf(`Here:\n\n\`\`\`\n${'x'.repeat(40_000)}\n\`\`\``));
    expect([step.rung, step.messages[0]]).toEqual(['file', { kind: 'text', text: 'Here:' }]);
  });
});
