import { describe, expect, test } from 'vitest';
import { openId } from '../../../src/core/ids.ts';
import type { TurnUpdate } from '../../../src/core/turn-update.ts';
import type {
  AgentResult,
  AgentRun,
  AgentRuntime,
  AgentTurn,
} from '../../../src/agents/runtime.ts';

export function turnOf(text: string, more: Partial<AgentTurn> = {}): AgentTurn {
  return { turnId: 'turn-1', text, lark: undefined, ...more };
}

const noUpdates = { onUpdate: () => {} };

/** Gives one turn to a runtime that is started for it. Nothing is left of the runtime after the turn. */
export async function begin(runtime: AgentRuntime, turn: AgentTurn): Promise<AgentRun> {
  await runtime.start();
  return runtime.prompt(turn, noUpdates);
}

/** One plain sentence, for the person in the chat. */
const SENTENCE = expect.stringMatching(/^[A-Z][^\n]*\.$/) as string;

/**
 * What the hub relies on in every runtime. `create` gives one that answers with the text of its turn;
 * `createSlow`, for agents that can be at work for long, one that does not answer by itself; `createAsking`, for
 * agents that can ask, one that asks for one of the options `yes` and `no` and answers with the id of the chosen
 * one, or with `cancelled`; `createRemembering`, for agents with a memory, one that keeps what it is told with
 * `remember WORD` and answers `recall` with it. All that it gives share what an agent keeps on the disk.
 */
export function agentContract(
  name: string,
  {
    create,
    createSlow,
    createAsking,
    createRemembering,
  }: {
    create: () => AgentRuntime;
    createSlow?: () => AgentRuntime;
    createAsking?: () => AgentRuntime;
    createRemembering?: () => AgentRuntime;
  },
): void {
  describe(`agent contract: ${name}`, () => {
    const resultOf = async (runtime: AgentRuntime, text: string): Promise<AgentResult> =>
      (await begin(runtime, turnOf(text))).result;

    test.each([
      ['plain words', 'hello'],
      ['several lines', 'one\n\n two\nthree'],
      ['all sorts of characters', '世界 🌍 é \\ " \' $HOME `x` \u2028 \u0001'],
      ['what looks like an option', '--help'],
      ['nothing', ''],
      ['a long text', 'wörld '.repeat(20_000)],
    ])('the text arrives as it is: %s', async (_what, text) => {
      expect(await resultOf(create(), text)).toMatchObject({ ok: true, text });
    });

    test('turns that run at the same time do not mix', async () => {
      const agent = create();
      const texts = Array.from({ length: 8 }, (_, index) => `text ${index}`);
      const results = await Promise.all(texts.map((text) => resultOf(agent, text)));
      expect(results).toEqual(texts.map((text) => ({ ok: true, text })));
    });

    test('a cancel after the end changes nothing, also a second one', async () => {
      const run = await begin(create(), turnOf('done'));
      expect(await run.result).toEqual({ ok: true, text: 'done' });
      run.cancel();
      run.cancel();
      expect(await run.result).toEqual({ ok: true, text: 'done' });
    });

    test('the same turn can be run again', async () => {
      const agent = create();
      await resultOf(agent, 'again');
      expect(await resultOf(agent, 'again')).toEqual({ ok: true, text: 'again' });
    });

    test('a second start changes nothing', async () => {
      const agent = create();
      await agent.start();
      expect(await resultOf(agent, 'hello')).toEqual({ ok: true, text: 'hello' });
    });

    test('a turn before the start fails in words', async () => {
      const { result } = create().prompt(turnOf('too early'), noUpdates);
      expect(await result).toEqual({ ok: false, reason: 'failed', detail: SENTENCE });
    });

    test('a turn after the stop fails in words, also after another start', async () => {
      const agent = create();
      await agent.start();
      await agent.stop();
      const failed = { ok: false, reason: 'failed', detail: SENTENCE };
      const run = agent.prompt(turnOf('too late'), noUpdates);
      expect(await run.result).toEqual(failed);
      run.cancel();
      expect(await resultOf(agent, 'still too late')).toEqual(failed);
    });

    test('a stop without a start, and a second stop, change nothing', async () => {
      const agent = create();
      await agent.stop();
      await agent.stop();
    });

    test('a stop keeps the ends of turns that are over', async () => {
      const agent = create();
      const run = await begin(agent, turnOf('done'));
      await run.result;
      await agent.stop();
      expect(await run.result).toEqual({ ok: true, text: 'done' });
    });

    if (createAsking !== undefined) asks(createAsking);
    if (createRemembering !== undefined) remembers(createRemembering);
    if (createSlow === undefined) return;
    const cancelled = { ok: false, reason: 'cancelled', detail: SENTENCE };

    test('a cancelled run settles as cancelled', async () => {
      const run = await begin(createSlow(), turnOf('x'));
      run.cancel();
      run.cancel();
      expect(await run.result).toEqual(cancelled);
    });

    test('a stop ends the runs that are open, and waits until they are over', async () => {
      const agent = createSlow();
      const runs = [await begin(agent, turnOf('one')), await begin(agent, turnOf('two'))];
      const ends: AgentResult[] = [];
      for (const { result } of runs) void result.then((end) => ends.push(end));
      await agent.stop();
      expect(ends).toEqual([cancelled, cancelled]);
    });
  });
}

function asks(createAsking: () => AgentRuntime): void {
  async function asked() {
    const agent = createAsking();
    await agent.start();
    const questions: Extract<TurnUpdate, { kind: 'question' }>[] = [];
    const run = agent.prompt(turnOf('ask'), {
      onUpdate: (update) => {
        if (update.kind === 'question') questions.push(update);
      },
    });
    await expect.poll(() => questions.length).toBe(1);
    return { agent, run, questions, id: questions[0]?.id ?? '' };
  }
  const yes = { kind: 'chosen', option: 'yes', by: openId('ou_1') } as const;

  test('a question has options, and the chosen one reaches the agent', async () => {
    const { run, questions, id } = await asked();
    expect(questions[0]?.options.map((option) => option.id)).toEqual(['yes', 'no']);
    expect(run.answer(id, yes)).toBe(true);
    expect(await run.result).toMatchObject({ ok: true, text: 'yes' });
  });

  test('a question can be called off, and the agent goes on', async () => {
    const { run, id } = await asked();
    expect(run.answer(id, { kind: 'cancelled' })).toBe(true);
    expect(await run.result).toMatchObject({ ok: true, text: 'cancelled' });
  });

  test('only the first answer is taken, and none after the end', async () => {
    const { run, id } = await asked();
    expect(run.answer('another', yes)).toBe(false);
    expect(run.answer(id, yes)).toBe(true);
    expect(run.answer(id, { kind: 'cancelled' })).toBe(false);
    expect(await run.result).toMatchObject({ ok: true, text: 'yes' });
    expect(run.answer(id, yes)).toBe(false);
  });

  test('a run that waits for an answer can be cancelled', async () => {
    const { agent, run, id } = await asked();
    run.cancel();
    expect(run.answer(id, yes)).toBe(false);
    expect(await run.result).toMatchObject({ ok: false, reason: 'cancelled' });
    await agent.stop();
  });
}

function remembers(createRemembering: () => AgentRuntime): void {
  /** Whoever gives turns to a runtime, and stores what it has to keep. */
  class Keeper {
    nativeId: string | undefined;
    readonly updates: TurnUpdate[] = [];

    async ask(agent: AgentRuntime, text: string): Promise<AgentResult> {
      await agent.start();
      const { nativeId } = this;
      const session = { id: 'session-1', ...(nativeId !== undefined && { nativeId }) };
      return agent.prompt(turnOf(text, { session }), {
        onUpdate: (update) => this.updates.push(update),
        keepSession: (id) => {
          this.nativeId = id;
          return Promise.resolve();
        },
      }).result;
    }
  }

  test('a second turn of a session remembers the first one', async () => {
    const keeper = new Keeper();
    const agent = createRemembering();
    await keeper.ask(agent, 'remember blue');
    expect(await keeper.ask(agent, 'recall')).toMatchObject({ ok: true, text: 'blue' });
    await agent.stop();
  });

  test('the memory outlives the runtime, and its history is not told again', async () => {
    const keeper = new Keeper();
    const first = createRemembering();
    await keeper.ask(first, 'remember green');
    await first.stop();
    expect(keeper.nativeId).toBeTypeOf('string');
    keeper.updates.length = 0;
    const second = createRemembering();
    expect(await keeper.ask(second, 'recall')).toMatchObject({ ok: true, text: 'green' });
    const told = keeper.updates.map((update) => (update.kind === 'text_added' ? update.text : ''));
    expect(told.join('')).toBe('green');
    await second.stop();
  });

  test('sessions know nothing of each other', async () => {
    const [one, other] = [new Keeper(), new Keeper()];
    const agent = createRemembering();
    await one.ask(agent, 'remember red');
    await agent.stop();
    const again = createRemembering();
    expect(await other.ask(again, 'recall')).not.toMatchObject({ text: 'red' });
    await again.stop();
  });
}
