/** What a live card shows of a turn at work. It is pure. */
import type { Language } from '../../core/language.ts';
import type { ButtonValue } from '../../wire/choice-value.ts';
import type { ShownCode } from '../../core/content.ts';
import type { FileDiff } from '../../core/turn-update.ts';
import { shortened, tailOf } from '../../text/cut.ts';
import type { DoneSoFar, LiveView } from '../ports/live.ts';
import { shownDiff } from '../questions/permission.ts';
import { liveTexts } from '../texts/live.ts';
import type { LiveState, LiveStep } from './live-state.ts';

/** More steps than that are folded. */
const STEPS_OPEN_MAX = 5;
/** Of the latest steps with something to unfold. */
const FOLDS_MAX = 3;
const DIFF_LINES_MAX = 40;
const LINE_CHARS_MAX = 200;
/** What is kept for a process that dies. A choice in the chat shows about as much. */
const DONE_STEPS_MAX = 10;
const LAST_WORDS_CHARS_MAX = 600;
/** A card holds 30 KB. This many Chinese characters take 24 KB of it. */
const TEXT_CHARS_MAX = 8_000;

/** Which part of the answer a card shows. Without an end it is the rest. */
interface TextRange {
  readonly from: number;
  readonly to?: number;
}

interface Shown extends TextRange {
  readonly elapsedMs: number;
  readonly lang: Language;
  /** What the Stop button says. Undefined: the card is over, and another one goes on. */
  readonly stop: ButtonValue | undefined;
}

export function viewOf(state: LiveState, { from, to, elapsedMs, lang, stop }: Shown): LiveView {
  const { steps, stepsBefore, remarks, plan, planCut } = state;
  const isFolded = steps.length + stepsBefore > STEPS_OPEN_MAX;
  const done = stepsBefore + steps.filter(({ status }) => status === 'done').length;
  const text = state.text.slice(from, to);
  if (stop === undefined) {
    return { heading: liveTexts.goesOn[lang], steps: [], text };
  }
  const doing = state.status ?? '';
  const folds = foldsOf(state, lang);
  return {
    heading: `${doing === '' ? liveTexts.working[lang] : doing} · ${clockTime(elapsedMs)}`,
    ...(remarks.length > 0 && { remarks }),
    ...(plan.length > 0 && { plan }),
    ...(planCut > 0 && { planMore: liveTexts.planMore(planCut)[lang] }),
    steps: steps.map(({ title, status, diffs = [] }) => {
      const changes = diffs.map((diff) => shownOnce(diff).title);
      return { title, status, ...(changes.length > 0 && { changes }) };
    }),
    ...(isFolded && {
      stepsTitle: liveTexts.steps(done, steps.length + stepsBefore)[lang],
    }),
    ...(folds.length > 0 && { folds }),
    text,
    stop: { label: liveTexts.stop[lang], value: stop },
  };
}

/** What of a turn is worth to be kept for the case that its process dies. */
export function doneIn({ steps, text }: LiveState): DoneSoFar {
  return {
    steps: steps.slice(-DONE_STEPS_MAX).map(({ title, status }) => ({ title, status })),
    lastWords: tailOf(text, { chars: LAST_WORDS_CHARS_MAX }),
  };
}

/** What the latest steps brought, and what the agent thinks. */
function foldsOf({ steps, thoughts }: LiveState, lang: Language): readonly ShownCode[] {
  const withMore = steps.filter(({ detail, diffs }) => detail !== undefined || diffs !== undefined);
  return [
    ...(thoughts === ''
      ? []
      : [{ title: liveTexts.thinks[lang], code: thoughts, language: '' } as const]),
    ...withMore.slice(-FOLDS_MAX).map((step) => foldOf(step, lang)),
  ];
}

function foldOf({ title, detail, detailCut, diffs = [] }: LiveStep, lang: Language): ShownCode {
  const lines = diffs.flatMap((diff) => {
    const shown = shownOnce(diff);
    return [shown.title, ...shown.lines];
  });
  const cut = lines.length - DIFF_LINES_MAX;
  const code = [
    ...lines.slice(0, DIFF_LINES_MAX).map((line) => shortened(line, LINE_CHARS_MAX)),
    ...(cut > 0 ? [liveTexts.cutAfter(cut)[lang]] : []),
    ...(detailCut > 0 ? [liveTexts.cutBefore(detailCut)[lang]] : []),
    ...(detail === undefined ? [] : [detail]),
  ].join('\n');
  return { title, code, language: diffs.length > 0 ? 'diff' : '' };
}

/** A diff is compared once, although each view shows it. */
const shownDiffs = new WeakMap<FileDiff, ReturnType<typeof shownDiff>>();

function shownOnce(diff: FileDiff): ReturnType<typeof shownDiff> {
  const known = shownDiffs.get(diff);
  if (known !== undefined) return known;
  const isNamedOnly = diff.before === null && diff.after === '';
  const shown = isNamedOnly ? { title: diff.path, lines: [] } : shownDiff(diff);
  shownDiffs.set(diff, shown);
  return shown;
}

/** Where the text of this card ends because another one has to go on. Undefined while there is room. */
export function endOfText(text: string, from: number): number | undefined {
  if (text.length - from <= TEXT_CHARS_MAX) return undefined;
  const limit = from + TEXT_CHARS_MAX;
  const line = text.lastIndexOf('\n', limit - 1) + 1;
  // A line that is very long is cut.
  if (line > from + TEXT_CHARS_MAX / 2) return line;
  return isSecondHalf(text, limit) ? limit - 1 : limit;
}

function isSecondHalf(text: string, at: number): boolean {
  return (text.codePointAt(at - 1) ?? 0) > 0xff_ff;
}

function clockTime(durationMs: number): string {
  const secs = Math.floor(durationMs / 1000);
  const minutes = Math.floor(secs / 60);
  return `${minutes}:${String(secs % 60).padStart(2, '0')}`;
}
