/** What `agents test` shows while an agent works, and how a person at the terminal answers it. */
import type { TrialEnd } from '../app/agent-trial.ts';
import { openId } from '../core/ids.ts';
import type {
  PermissionAsked,
  QuestionAnswer,
  QuestionUpdate,
  RuntimeNotice,
  TurnStep,
  TurnUpdate,
  TurnUsage,
} from '../core/turn-update.ts';
import type { Invocation } from './command.ts';
import { choose, isAtTerminal } from './terminal-choice.ts';

/** Stands for the person at the terminal, who has no id of Lark's. */
const SOMEBODY = openId('ou_test');

const MARKS: Readonly<Record<TurnStep['status'], string>> = {
  running: '…',
  done: '✓',
  failed: '✗',
};

const NOTICES: Readonly<Record<RuntimeNotice['kind'], string>> = {
  waits_for_program: 'It waits until another program of an agent has ended.',
  memory_lost: 'It begins with a new memory.',
  tries_again: 'It did not get ready in time, and is tried once more.',
  silent: 'Nothing was heard of it for some minutes. Ctrl-C ends it.',
  still_running: 'Something that it started still runs, and will be ended.',
  program_ended: 'Its program had to be ended.',
};

export class TrialScreen {
  readonly #invocation: Invocation;
  readonly #steps = new Map<string, TurnStep>();
  #usage: TurnUsage | undefined;

  constructor(invocation: Invocation) {
    this.#invocation = invocation;
  }

  show(update: Exclude<TurnUpdate, QuestionUpdate>): void {
    switch (update.kind) {
      case 'step':
        this.#showStep(update.step);
        return;
      case 'status':
        this.#note(update.text);
        return;
      case 'remark':
        this.#note(`${update.level}: ${update.text}`);
        return;
      case 'told':
        this.#note(NOTICES[update.what.kind]);
        return;
      case 'usage':
        this.#usage = update.usage;
        return;
      case 'text_added':
      case 'text_replaced':
      case 'thought_added':
      case 'plan':
        // The answer is shown whole at the end.
        return;
    }
  }

  /** Nobody can answer without a terminal. `until` aborts when the turn is over. */
  async answer(question: QuestionUpdate, until: AbortSignal): Promise<QuestionAnswer> {
    const { text, options, permission } = question;
    if (!isAtTerminal(this.#invocation)) {
      this.#note(`It asks: ${text}\nNobody is at a terminal, so the answer is no.`);
      return { kind: 'expired' };
    }
    const takesWords = question.takesWords === true || options.length === 0;
    const chosen = await choose(
      this.#invocation,
      {
        question: [text, ...detailOf(permission)].join('\n'),
        options: options.map(({ id, label }) => ({ label, value: id })),
        ...(takesWords && { takesWords }),
      },
      until,
    );
    switch (chosen.kind) {
      case 'option':
        return { kind: 'chosen', option: chosen.value, by: SOMEBODY };
      case 'words':
        return { kind: 'said', text: chosen.text, by: SOMEBODY };
      case 'none':
        return { kind: 'cancelled' };
    }
  }

  /** For people: how long it took, and what it used. */
  summary({ tookMs }: TrialEnd): string {
    return [`${(tookMs / 1000).toFixed(1)} s`, ...usageWords(this.#usage)].join(', ');
  }

  /** For programs. */
  facts({ tookMs }: TrialEnd) {
    const steps = [...this.#steps.values()].map(({ title, status }) => ({ title, status }));
    return {
      took_ms: tookMs,
      ...(steps.length > 0 && { steps }),
      ...(this.#usage !== undefined && { usage: usageFields(this.#usage) }),
    };
  }

  #showStep(step: TurnStep): void {
    const before = this.#steps.get(step.id);
    this.#steps.set(step.id, step);
    if (before?.status === step.status && before.title === step.title) return;
    this.#note(`${MARKS[step.status]} ${step.title}`);
  }

  #note(text: string): void {
    this.#invocation.output.note(text);
  }
}

function detailOf(permission: PermissionAsked | undefined): string[] {
  if (permission === undefined) return [];
  const { command, paths = [], diffs = [] } = permission;
  return [
    ...(command === undefined ? [] : [`  command: ${command}`]),
    ...[...paths, ...diffs.map(({ path }) => path)].map((path) => `  path: ${path}`),
  ];
}

function usageWords(usage: TurnUsage | undefined): string[] {
  if (usage === undefined) return [];
  const { inputTokens, outputTokens, cost } = usage;
  return [
    ...(inputTokens === undefined ? [] : [`${inputTokens} tokens in`]),
    ...(outputTokens === undefined ? [] : [`${outputTokens} tokens out`]),
    ...(cost === undefined ? [] : [`${cost.amount} ${cost.currency}`]),
  ];
}

function usageFields({ inputTokens, outputTokens, contextTokens, contextSize, cost }: TurnUsage) {
  return {
    input_tokens: inputTokens,
    output_tokens: outputTokens,
    context_tokens: contextTokens,
    context_size: contextSize,
    cost,
  };
}
