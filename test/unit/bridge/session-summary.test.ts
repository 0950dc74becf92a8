import { expect, test } from 'vitest';
import type { TurnThen } from '../../../src/bridge/ports/sessions.ts';
import { summaryOf } from '../../../src/bridge/turns/session-summary.ts';
import { messageId } from '../../../src/core/ids.ts';
import { message } from './samples.ts';

function turn(text: string, ...answers: string[]): TurnThen {
  return {
    message: { ...message, parts: [{ kind: 'text', text }] },
    answers: answers.map((one) => ({ messageId: messageId('om_a'), text: one })),
    session: { id: 's', isNew: false },
    receivedAtMs: 0,
  };
}

test('R24: what was said comes oldest first, with the answers that were shown', () => {
  const turns = [turn('请整理', '好的。', '完成了。'), turn('and the rest?')];
  expect(summaryOf(turns)).toBe('Person: 请整理\nAgent: 好的。\n完成了。\nPerson: and the rest?\n');
  expect(summaryOf([])).toBe('');
});

test('R24, R28: it is bounded, and the newest words stay', () => {
  const turns = Array.from({ length: 100 }, (_, at) => turn(`word ${at}`, 'x'.repeat(9_000)));
  const summary = summaryOf(turns);
  expect(summary.length).toBeLessThanOrEqual(8_000);
  expect(summary).toContain('Person: word 99\n');
  expect(summary).not.toContain('Person: word 1\n');
  expect(summary).toMatch(/x…\n$/);
});
