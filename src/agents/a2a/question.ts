/** What an agent elsewhere wants to know from a person, and the answer in its form. */
import { asObject, isObject } from '../../core/json-object.ts';
import type { QuestionAnswer, QuestionOption, QuestionUpdate } from '../../core/turn-update.ts';
import { shortened } from '../../text/cut.ts';
import { isBlank, withoutTerminalControls } from '../../text/visible.ts';
import { type AgentPart, textOf } from './events.ts';
import { type OutgoingPart, textPart } from './prompt.ts';

/** Lark shows the text and the options in one card, which has at most 30 KB. */
const TEXT_CHARS_MAX = 4_000;
const OPTIONS_MAX = 20;
/** A button shows less than this. */
const LABEL_CHARS_MAX = 100;
const STYLES = ['primary', 'danger', 'default'] as const;
/** Of an agent that waits without a word. */
const NO_WORDS = 'The agent needs an answer to go on. 智能体需要回答才能继续。';

/** Its options are in a data part `{"options": [{"id", "label", "style"?} or a text, …]}`, if it offers some. */
export function questionOf(parts: readonly AgentPart[], id: string): QuestionUpdate {
  const text = withoutTerminalControls(textOf(parts)).trim();
  return {
    kind: 'question',
    id,
    text: isBlank(text) ? NO_WORDS : shortened(text, TEXT_CHARS_MAX),
    options: parts.flatMap(optionsIn).slice(0, OPTIONS_MAX),
    takesWords: true,
  };
}

function optionsIn(part: AgentPart): QuestionOption[] {
  const listed = part.kind === 'data' ? asObject(part.value)?.['options'] : undefined;
  return Array.isArray(listed) ? listed.flatMap((raw: unknown) => optionOf(raw) ?? []) : [];
}

function optionOf(raw: unknown): QuestionOption | undefined {
  const { id, label = id, style } = isObject(raw) ? raw : { id: raw };
  if (typeof id !== 'string' || typeof label !== 'string' || isBlank(label)) return undefined;
  return {
    id,
    label: shortened(withoutTerminalControls(label).trim(), LABEL_CHARS_MAX),
    style: STYLES.find((known) => known === style) ?? 'default',
  };
}

/** An agent that offered options also gets a data part: `{"option": id}`, or `{"cancelled": true}`. */
export function answerParts({ options }: QuestionUpdate, answer: QuestionAnswer): OutgoingPart[] {
  if (answer.kind === 'said') return [textPart(answer.text)];
  if (answer.kind === 'chosen') {
    const chosen = options.find(({ id }) => id === answer.option);
    return [textPart(chosen?.label ?? answer.option), dataPart({ option: answer.option })];
  }
  const nobody = textPart(
    answer.kind === 'expired' ? 'Nobody answered in time.' : 'Nobody will answer this.',
  );
  return options.length === 0 ? [nobody] : [nobody, dataPart({ cancelled: true })];
}

function dataPart(value: unknown): OutgoingPart {
  return { content: { $case: 'data', value } };
}
