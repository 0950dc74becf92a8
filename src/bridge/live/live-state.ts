/** What is known of a turn at work, from what its agent tells. It is pure. */
import type { FileDiff, PlanEntry, TurnStep, TurnUpdate } from '../../core/turn-update.ts';
import { oneLine, shortened, tailOf } from '../../text/cut.ts';

type Remark = Pick<Extract<TurnUpdate, { kind: 'remark' }>, 'level' | 'text'>;

/** `detailCut`: how many characters of the detail were left out before it. */
export interface LiveStep extends TurnStep {
  readonly detailCut: number;
}

export interface LiveState {
  readonly status: string | undefined;
  /** The latest ones, in the order in which they began. */
  readonly steps: readonly LiveStep[];
  /** Steps that are not among them any more. */
  readonly stepsBefore: number;
  readonly plan: readonly PlanEntry[];
  /** Entries of the plan that are left out. */
  readonly planCut: number;
  /** The latest ones. */
  readonly remarks: readonly Remark[];
  /** The end of what it thought. */
  readonly thoughts: string;
  /** The answer as far as it was told. */
  readonly text: string;
}

export const NOTHING_TOLD: LiveState = {
  status: undefined,
  steps: [],
  stepsBefore: 0,
  plan: [],
  planCut: 0,
  remarks: [],
  thoughts: '',
  text: '',
};

/** One line of a card. */
const LINE_CHARS_MAX = 200;
/** More of them are not read. */
const STEPS_MAX = 40;
const PLAN_MAX = 20;
const REMARKS_MAX = 3;
const REMARK_CHARS_MAX = 500;
/** Of what is folded the end says most. */
const FOLDED_CHARS_MAX = 1_500;
/** Files that are larger than this are named without their changes. */
const DIFF_CHARS_MAX = 200_000;
const DIFFS_MAX = 5;
/** As much as an agent may answer. */
const TEXT_CHARS_MAX = 1024 * 1024;

export function afterUpdate(state: LiveState, update: TurnUpdate): LiveState {
  switch (update.kind) {
    case 'text_added':
      return { ...state, text: bounded(state.text + update.text) };
    case 'text_replaced':
      return { ...state, text: bounded(update.text) };
    case 'thought_added': {
      const thoughts = tailOf(state.thoughts + update.text, { chars: FOLDED_CHARS_MAX });
      return { ...state, thoughts };
    }
    case 'status':
      return { ...state, status: line(update.text) };
    case 'step':
      return withStep(state, update.step);
    case 'plan': {
      const plan = update.entries
        .slice(0, PLAN_MAX)
        .map((entry) => ({ ...entry, text: line(entry.text) }));
      return { ...state, plan, planCut: update.entries.length - plan.length };
    }
    case 'remark': {
      const { level, text } = update;
      const remark = { level, text: shortened(text.trim(), REMARK_CHARS_MAX) };
      return { ...state, remarks: [...state.remarks, remark].slice(-REMARKS_MAX) };
    }
    case 'usage':
    case 'told':
    case 'question':
      return state;
  }
}

function withStep(state: LiveState, told: TurnStep): LiveState {
  const { detail = '', diffs = [], ...step } = told;
  const kept = tailOf(detail, { chars: FOLDED_CHARS_MAX });
  const shown: LiveStep = {
    ...step,
    title: line(step.title),
    detailCut: detail.length - kept.length,
    ...(kept !== '' && { detail: kept }),
    ...(diffs.length > 0 && { diffs: diffs.slice(0, DIFFS_MAX).map(smallDiff) }),
  };
  const at = state.steps.findIndex(({ id }) => id === step.id);
  if (at !== -1) return { ...state, steps: state.steps.with(at, shown) };
  const steps = [...state.steps, shown];
  const tooMany = Math.max(0, steps.length - STEPS_MAX);
  return { ...state, steps: steps.slice(tooMany), stepsBefore: state.stepsBefore + tooMany };
}

function smallDiff(diff: FileDiff): FileDiff {
  const { path, before, after } = diff;
  const isSmall = (before?.length ?? 0) + after.length <= DIFF_CHARS_MAX;
  return isSmall ? { ...diff, path: line(path) } : { path: line(path), before: null, after: '' };
}

function line(text: string): string {
  return oneLine(text, LINE_CHARS_MAX);
}

function bounded(text: string): string {
  return text.length <= TEXT_CHARS_MAX ? text : text.slice(0, TEXT_CHARS_MAX);
}
