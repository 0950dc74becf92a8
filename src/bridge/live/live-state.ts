/** What is known of a turn at work, from what its agent tells. It is pure. */
import type { TurnStep, TurnUpdate } from '../../core/turn-update.ts';
import { shortened } from '../../text/cut.ts';

export interface LiveState {
  readonly status: string | undefined;
  /** The latest ones, in the order in which they began. */
  readonly steps: readonly TurnStep[];
  /** Steps that are not among them any more. */
  readonly stepsBefore: number;
  /** The answer as far as it was told. */
  readonly text: string;
}

export const NOTHING_TOLD: LiveState = { status: undefined, steps: [], stepsBefore: 0, text: '' };

/** One line of a card. */
const LINE_CHARS_MAX = 200;
/** More of them are not read. */
const STEPS_MAX = 40;
/** As much as an agent may answer. */
const TEXT_CHARS_MAX = 1024 * 1024;

export function afterUpdate(state: LiveState, update: TurnUpdate): LiveState {
  switch (update.kind) {
    case 'text_added':
      return { ...state, text: bounded(state.text + update.text) };
    case 'text_replaced':
      return { ...state, text: bounded(update.text) };
    case 'status':
      return { ...state, status: line(update.text) };
    case 'step':
      return withStep(state, { ...update.step, title: line(update.step.title) });
    case 'thought_added':
    case 'plan':
    case 'remark':
    case 'usage':
    case 'told':
    case 'question':
      return state;
  }
}

function withStep(state: LiveState, step: TurnStep): LiveState {
  const at = state.steps.findIndex(({ id }) => id === step.id);
  if (at !== -1) return { ...state, steps: state.steps.with(at, step) };
  const steps = [...state.steps, step];
  const tooMany = Math.max(0, steps.length - STEPS_MAX);
  return { ...state, steps: steps.slice(tooMany), stepsBefore: state.stepsBefore + tooMany };
}

function line(text: string): string {
  return shortened(text.replaceAll(/\s+/g, ' ').trim(), LINE_CHARS_MAX);
}

function bounded(text: string): string {
  return text.length <= TEXT_CHARS_MAX ? text : text.slice(0, TEXT_CHARS_MAX);
}
