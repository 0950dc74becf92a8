/** A conversation with an agent that remembers, as the hub has it: one turn after another, each with its updates. */
import type { AgentResult, AgentRun, AgentRuntime } from '../../src/agents/runtime.ts';
import type { QuestionUpdate, TurnUpdate } from '../../src/core/turn-update.ts';
import { openId } from '../../src/core/ids.ts';

const SOMEBODY = openId('ou_somebody');

/** The option that is chosen, or words. Undefined: nobody answers. */
export type Decide = (question: QuestionUpdate) => string | undefined;

export interface ToldTurn {
  readonly run: AgentRun;
  readonly result: Promise<AgentResult>;
  readonly updates: readonly TurnUpdate[];
  /** The text of the answer up to now. */
  readonly text: () => string;
  readonly questions: () => readonly QuestionUpdate[];
}

export class Conversation {
  readonly #runtime: AgentRuntime;
  readonly #id: string;
  readonly #folder: string;
  #turns = 0;
  /** The agent's own id of it, as the runtime kept it last. */
  nativeId: string | undefined;
  /** How often the runtime kept one. */
  kept = 0;
  /** What was said before, for an agent that does not remember. */
  saidBefore = '';
  signs = 0;

  constructor(
    runtime: AgentRuntime,
    { id, folder, nativeId }: { id: string; folder: string; nativeId?: string | undefined },
  ) {
    this.#runtime = runtime;
    this.#id = id;
    this.#folder = folder;
    this.nativeId = nativeId;
  }

  say(text: string, decide: Decide = () => undefined): ToldTurn {
    this.#turns += 1;
    const updates: TurnUpdate[] = [];
    const session = { id: this.#id, folder: this.#folder };
    const run = this.#runtime.prompt(
      {
        turnId: `${this.#id}-turn-${this.#turns}`,
        text,
        lark: undefined,
        session: this.nativeId === undefined ? session : { ...session, nativeId: this.nativeId },
      },
      {
        onUpdate: (update) => {
          updates.push(update);
          if (update.kind === 'question') this.#answer(run, update, decide);
        },
        onSign: () => (this.signs += 1),
        keepSession: (nativeId) => {
          this.nativeId = nativeId;
          this.kept += 1;
          return Promise.resolve();
        },
        saidBefore: () => Promise.resolve(this.saidBefore),
      },
    );
    return {
      run,
      result: run.result,
      updates,
      text: () => textOf(updates),
      questions: () => updates.filter((one) => one.kind === 'question'),
    };
  }

  /** Says it and waits for the end. */
  ask(text: string, decide?: Decide): Promise<AgentResult> {
    return this.say(text, decide).result;
  }

  #answer(run: AgentRun, question: QuestionUpdate, decide: Decide): void {
    const decided = decide(question);
    if (decided === undefined) return;
    const isOption = question.options.some(({ id }) => id === decided);
    const answer = isOption
      ? ({ kind: 'chosen', option: decided, by: SOMEBODY } as const)
      : ({ kind: 'said', text: decided, by: SOMEBODY } as const);
    run.answer(question.id, answer);
  }
}

/** Allows what it is asked, or refuses it. */
export const yes: Decide = ({ permission, options }) => permission?.allow ?? options[0]?.id;
export const no: Decide = ({ permission }) => permission?.reject;

function textOf(updates: readonly TurnUpdate[]): string {
  return updates.reduce((text, update) => {
    if (update.kind === 'text_added') return text + update.text;
    return update.kind === 'text_replaced' ? update.text : text;
  }, '');
}
