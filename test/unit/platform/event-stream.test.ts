import { describe, expect, test } from 'vitest';
import { EventCutter, StreamedTurn } from '../../../src/platform/event-stream.ts';

const text = (words: string) => ({ parts: [{ kind: 'text', text: words }] });

describe('cutting a stream into events', () => {
  const source = ': ping\r\n\r\nevent: message\r\ndata: {"a":\r\ndata: 1}\r\n\r\ndata:two\n\n';

  test.each([1, 2, 3, 7, 1000])('pieces of %i characters make no difference', (size) => {
    const cutter = new EventCutter();
    const events: string[] = [];
    for (let at = 0; at < source.length; at += size) {
      events.push(...cutter.push(source.slice(at, at + size)));
    }
    expect(events).toEqual(['{"a":\n1}', 'two']);
  });

  test('an event that is not whole does not count', () => {
    expect(new EventCutter().push('data: one\n')).toEqual([]);
  });
});

/** What the last of these events completes. */
function fold(...events: unknown[]) {
  const turn = new StreamedTurn();
  const taken = events.map((event) =>
    turn.take(typeof event === 'string' ? event : JSON.stringify(event)),
  );
  expect(taken.slice(0, -1).filter((response) => response !== undefined)).toEqual([]);
  return taken.at(-1);
}

describe('MOL-SOCK-06: folding a stream into its result', () => {
  test('a message is all of it', () => {
    const message = { result: { kind: 'message', ...text('hi') } };
    expect(fold(message)).toEqual(message);
  });

  test('an error is all of it', () => {
    const error = { error: { code: -32000, message: 'no' } };
    expect(fold(error)).toEqual(error);
  });

  test.each(['completed', 'failed', 'canceled', 'rejected', 'input-required', 'auth-required'])(
    'a task that is %s ends it',
    (state) => {
      const status = { state, message: text('bye') };
      expect(fold({ result: { kind: 'task', status, artifacts: [text('file')] } })).toEqual({
        result: { kind: 'task', status, artifacts: [text('file')] },
      });
    },
  );

  test('artifacts are gathered: one replaces itself, a part that is appended goes on in its text', () => {
    const piece = (artifactId: string, words: string, append = false) => ({
      result: { kind: 'artifact-update', append, artifact: { artifactId, ...text(words) } },
    });
    const end = { result: { kind: 'status-update', final: true, status: { state: 'completed' } } };
    expect(
      fold(piece('a', 'draft'), piece('a', 'one'), piece('b', 'tw'), piece('b', 'o', true), end),
    ).toMatchObject({ result: { artifacts: [text('one'), text('two')] } });
  });

  test.each([
    ['progress', { result: { kind: 'status-update', status: { state: 'working' } } }],
    ['what is no JSON', 'hello'],
    ['what is no response', '[]'],
  ])('%s does not end it', (_what, event) => {
    expect(fold(event)).toBeUndefined();
  });
});
