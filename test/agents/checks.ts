/** What is checked of an agent, one after another: later checks stand on what earlier ones did. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { AgentRuntime } from '../../src/agents/runtime.ts';
import { Conversation, no, yes } from './conversation.ts';
import type { ModelApi } from './model-api.ts';

export interface Stage {
  readonly api: ModelApi;
  /** The home directory of the agent. No other process has it. */
  readonly home: string;
  readonly folder: string;
  readonly openRuntime: () => Promise<AgentRuntime>;
}

export interface Check {
  readonly name: string;
  readonly run: (stage: Stage, state: State) => Promise<void>;
}

/** What one check leaves for the next. */
export interface State {
  runtime?: AgentRuntime;
  conversation?: Conversation;
}

const STEP_MS = 100;
/** Agents start in 10 s, and take longer on a machine that does something else. */
const WAIT_MS_MAX = 120_000;
const STOP_MS_MAX = 15_000;

export const CHECKS: readonly Check[] = [
  {
    name: 'a prompt is answered, and the session is kept before',
    async run({ openRuntime, folder }, state) {
      state.runtime = await openRuntime();
      state.conversation = new Conversation(state.runtime, { id: 'chat', folder });
      await expectText(state.conversation.ask('remember: plum'), 'well understood');
      expectSame(state.conversation.kept, 1, 'times that the session was kept');
    },
  },
  {
    name: 'a command runs after a yes',
    async run({ folder }, state) {
      const turn = talk(state).say('run: touch allowed.txt && echo was-here', yes);
      await expectText(turn.result, 'the tool said');
      const [question] = turn.questions();
      expectSame(question?.permission?.command, 'touch allowed.txt && echo was-here', 'command');
      expectSame(existsSync(join(folder, 'allowed.txt')), true, 'file of the command');
      const steps = turn.updates.filter(({ kind }) => kind === 'step');
      if (steps.length === 0) throw new Error('no step was told');
    },
  },
  {
    name: 'no command runs after a no',
    async run({ folder }, state) {
      const turn = talk(state).say('run: touch refused.txt', no);
      await within(turn.result, WAIT_MS_MAX);
      expectSame(turn.questions().length, 1, 'questions');
      expectSame(existsSync(join(folder, 'refused.txt')), false, 'file of the command');
    },
  },
  {
    name: 'an open question ends with its turn, and nothing runs',
    async run({ folder }, state) {
      const turn = talk(state).say('run: touch unanswered.txt');
      await until(() => turn.questions().length === 1, 'a question');
      turn.run.cancel();
      expectSame((await within(turn.result, STOP_MS_MAX)).ok, false, 'result');
      await sleep(10 * STEP_MS);
      expectSame(existsSync(join(folder, 'unanswered.txt')), false, 'file of the command');
    },
  },
  {
    name: 'a turn is stopped in the middle, and the model is asked no more',
    async run({ api }, state) {
      const brokenOff = api.brokenOff;
      const turn = talk(state).say('slow');
      await until(() => turn.text().includes('word3'), 'words');
      turn.run.cancel();
      const result = await within(turn.result, STOP_MS_MAX);
      expectSame(result.ok ? 'answered' : result.reason, 'cancelled', 'end of the turn');
      await until(() => api.open === 0 && api.brokenOff > brokenOff, 'the end of the stream');
    },
  },
  {
    name: 'the memory is there after a stop',
    run: (_stage, state) => expectText(talk(state).ask('recall'), 'the word is plum'),
  },
  {
    name: 'nothing is left of the program after the end of the runtime',
    async run({ home }, { runtime }) {
      await runtime?.stop();
      expectSame(processesOf(home).join(', '), '', 'processes');
    },
  },
  {
    name: 'the memory is there in a new process',
    async run({ openRuntime, folder }, state) {
      const nativeId = talk(state).nativeId;
      state.runtime = await openRuntime();
      state.conversation = new Conversation(state.runtime, { id: 'chat', folder, nativeId });
      const turn = state.conversation.say('recall');
      await expectText(turn.result, 'the word is plum');
      expectSame(turn.text().trim(), 'the word is plum', 'text, without what was said before');
      expectSame(state.conversation.nativeId, nativeId, 'id of the session');
    },
  },
  {
    name: 'two conversations have two memories in one program',
    async run({ folder, home }, state) {
      const { runtime } = state;
      if (runtime === undefined) throw new Error('no runtime');
      const before = processesOf(home).length;
      const other = new Conversation(runtime, { id: 'other chat', folder });
      await expectText(other.ask('remember: pear'), 'well understood');
      const [first, second] = [talk(state).ask('recall'), other.ask('recall')];
      await expectText(first, 'the word is plum');
      await expectText(second, 'the word is pear');
      console.log(
        `  processes: ${before} for one conversation, ${processesOf(home).length} for two`,
      );
    },
  },
  {
    name: 'nothing is left of the program after a stop in the middle of a turn',
    async run({ home }, state) {
      const turn = talk(state).say('slow');
      await until(() => turn.text().includes('word3'), 'words');
      await state.runtime?.stop();
      await within(turn.result, STOP_MS_MAX);
      expectSame(processesOf(home).join(', '), '', 'processes');
    },
  },
];

function talk({ conversation }: State): Conversation {
  if (conversation === undefined) throw new Error('the conversation could not be begun');
  return conversation;
}

async function expectText(result: ReturnType<Conversation['ask']>, part: string): Promise<void> {
  const ended = await within(result, WAIT_MS_MAX);
  if (!ended.ok || !ended.text.includes(part)) {
    throw new Error(`expected an answer with "${part}", got ${JSON.stringify(ended)}`);
  }
}

function expectSame(actual: unknown, expected: unknown, what: string): void {
  if (actual !== expected) {
    throw new Error(`${what}: ${JSON.stringify(actual)} instead of ${JSON.stringify(expected)}`);
  }
}

async function until(isSo: () => boolean, what: string): Promise<void> {
  for (let waitedMs = 0; !isSo(); waitedMs += STEP_MS) {
    if (waitedMs > WAIT_MS_MAX) throw new Error(`waited in vain for ${what}`);
    await sleep(STEP_MS);
  }
}

async function within<T>(promise: Promise<T>, ms: number): Promise<T> {
  const timer = new AbortController();
  const late = sleep(ms, undefined, { signal: timer.signal, ref: false }).then(
    () => Promise.reject(new Error(`not done after ${ms} ms`)),
    () => new Promise<never>(() => {}),
  );
  try {
    return await Promise.race([promise, late]);
  } finally {
    timer.abort();
  }
}

/** All processes with this home directory, with the beginning of their command. */
export function processesOf(home: string): string[] {
  return readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .flatMap((pid) => {
      try {
        const variables = readFileSync(`/proc/${pid}/environ`, 'utf8').split('\0');
        if (!variables.includes(`HOME=${home}`)) return [];
        const words = readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
        return words === '' ? [] : [`${pid} ${words.slice(0, 80).trim()}`];
      } catch {
        return []; // It has ended, or belongs to somebody else.
      }
    });
}
