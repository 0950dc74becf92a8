/** What a live card shows of a turn at work. It is pure. */
import type { Language } from '../../core/language.ts';
import type { ButtonValue } from '../../wire/choice-value.ts';
import type { LiveView } from '../ports/live.ts';
import { liveTexts } from '../texts/live.ts';
import type { LiveState } from './live-state.ts';

/** More steps than that are folded. */
const STEPS_OPEN_MAX = 5;
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
  const { steps, stepsBefore } = state;
  const isFolded = steps.length + stepsBefore > STEPS_OPEN_MAX;
  const done = stepsBefore + steps.filter(({ status }) => status === 'done').length;
  const text = state.text.slice(from, to);
  if (stop === undefined) {
    return { heading: liveTexts.goesOn[lang], steps: [], text };
  }
  const doing = state.status ?? '';
  return {
    heading: `${doing === '' ? liveTexts.working[lang] : doing} · ${clockTime(elapsedMs)}`,
    steps: steps.map(({ title, status }) => ({ title, status })),
    ...(isFolded && {
      stepsTitle: liveTexts.steps(done, steps.length + stepsBefore)[lang],
    }),
    text,
    stop: { label: liveTexts.stop[lang], value: stop },
  };
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
