import { describe, expect, test } from 'vitest';
import type { Agent, AgentTurn } from '../../../src/agents/runtime.ts';

export function turnOf(text: string, more: Partial<AgentTurn> = {}): AgentTurn {
  return { turnId: 'turn-1', text, lark: undefined, ...more };
}

/**
 * What the hub relies on in every agent. `create` gives one that answers with the text of its turn;
 * `createSlow`, for agents that can be at work for long, one that does not answer by itself.
 */
export function agentContract(
  name: string,
  { create, createSlow }: { create: () => Agent; createSlow?: () => Agent },
): void {
  describe(`agent contract: ${name}`, () => {
    test.each([
      ['plain words', 'hello'],
      ['several lines', 'one\n\n two\nthree'],
      ['all sorts of characters', '世界 🌍 é \\ " \' $HOME `x` \u2028 \u0001'],
      ['what looks like an option', '--help'],
      ['nothing', ''],
      ['a long text', 'wörld '.repeat(20_000)],
    ])('the text arrives as it is: %s', async (_what, text) => {
      expect(await create().start(turnOf(text)).result).toEqual({ ok: true, text });
    });

    test('turns side by side do not mix', async () => {
      const agent = create();
      const texts = Array.from({ length: 8 }, (_, index) => `text ${index}`);
      const results = await Promise.all(texts.map((text) => agent.start(turnOf(text)).result));
      expect(results).toEqual(texts.map((text) => ({ ok: true, text })));
    });

    test('to cancel after the end is harmless, and as often as one likes', async () => {
      const run = create().start(turnOf('done'));
      expect(await run.result).toEqual({ ok: true, text: 'done' });
      run.cancel();
      run.cancel();
      expect(await run.result).toEqual({ ok: true, text: 'done' });
    });

    test('the same turn can be run again', async () => {
      const agent = create();
      await agent.start(turnOf('again')).result;
      expect(await agent.start(turnOf('again')).result).toEqual({ ok: true, text: 'again' });
    });

    if (createSlow === undefined) return;
    test('a cancelled run settles as cancelled', async () => {
      const run = createSlow().start(turnOf('x'));
      run.cancel();
      run.cancel();
      expect(await run.result).toEqual({
        ok: false,
        reason: 'cancelled',
        detail: expect.stringMatching(/^[A-Z][^\n]*\.$/),
      });
    });
  });
}
