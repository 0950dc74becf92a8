/** Cards (schema 2.0) that change while they are shown, and what stands on them at the end. */
import type { LiveView } from '../../bridge/ports/live.ts';
import { type Content, isMarkdown, type ShownCode } from '../../core/content.ts';
import { byteLength, headOf } from '../../text/cut.ts';
import { isObject } from '../../core/json-object.ts';
import { isBlank } from '../../text/visible.ts';
import type { ButtonValue } from '../../wire/choice-value.ts';
import { blocksOf } from './answer.ts';
import { lettersOf } from './letters.ts';
import { greyLine } from './card.ts';
import { cardMarkdown, tableMarkdown } from './card-markdown.ts';
import { choiceCard } from './choice-card.ts';
import { LIMITS } from './limits.ts';
import { markdownMessage } from './markdown-rows.ts';
import type { Block, Table } from './markdown/tree.ts';
import { withoutMentions } from './mentions.ts';
import { withoutControls } from './text.ts';

/** The element that streams. */
export const LIVE_TEXT_ELEMENT = 'text';
/** One `markdown` element takes four tables, and a card five. */
const TABLES_MAX = 4;
const STEP_SIGNS = { running: '⏳', done: '✅', failed: '❌' } as const;
const PLAN_SIGNS = { pending: '○', running: '▸', done: '✓' } as const;
const REMARK_SIGNS = { info: 'ℹ️', warning: '⚠️', error: '❌' } as const;
/** So many steps, and entries of a plan, are shown however long the text is. */
const STEPS_LEAST = 5;
const NOTHING_KNOWN = { people: [], images: new Map<string, string>() };

/** The JSON text of a card of a turn at work. What does not fit is left out, the least important first. */
export function liveCard(view: LiveView, { streams }: { readonly streams: boolean }): string {
  const fit = fitting(view, streams);
  return jsonOf(fit, fit.text, streams);
}

/** The text as the card of this view shows it. */
export function liveText(view: LiveView): string {
  return fitting(view, true).text;
}

/** A view that fits, whose text is in the Markdown of cards. */
function fitting(view: LiveView, streams: boolean): LiveView {
  for (let now = view; ;) {
    const text = liveMarkdown(now.text);
    const bytes = byteLength(JSON.stringify(jsonOf(now, text, streams)));
    const next = bytes > LIMITS.cardContentBytesMax ? smaller(now, bytes) : undefined;
    if (next === undefined) return { ...now, text };
    now = next;
  }
}

/** Undefined if nothing more can be left out. */
function smaller(view: LiveView, bytes: number): LiveView | undefined {
  const { folds = [], steps, plan = [], text } = view;
  if (folds.length > 0) return { ...view, folds: folds.slice(1) };
  if (steps.length > STEPS_LEAST) return { ...view, steps: steps.slice(-(steps.length >> 1)) };
  if (plan.length > STEPS_LEAST) return { ...view, plan: plan.slice(0, plan.length >> 1) };
  if (text === '') return undefined;
  const share = (LIMITS.cardContentBytesMax / bytes) * 0.9;
  return { ...view, text: headOf(text, { chars: Math.floor(text.length * share) }) };
}

function jsonOf(view: LiveView, text: string, streams: boolean) {
  const { heading, remarks = [], steps, stepsTitle, folds = [], stop } = view;
  const isOpen = stop !== undefined;
  const lines = steps.flatMap(({ title, status, changes = [] }) => [
    `${STEP_SIGNS[status]} ${title}`,
    ...changes.map((change) => `　 ${change}`),
  ]);
  const planned = planLines(view);
  const elements = [
    plainText('status', heading),
    ...remarks.map((remark, at) =>
      plainText(`remark${at}`, `${REMARK_SIGNS[remark.level]} ${remark.text}`),
    ),
    ...(planned === '' ? [] : [plainText('plan', planned)]),
    ...(lines.length === 0 ? [] : [stepsElement(lines.join('\n'), stepsTitle)]),
    ...folds.map(foldElement),
    ...(isBlank(text) ? [] : [{ tag: 'markdown', element_id: LIVE_TEXT_ELEMENT, content: text }]),
    ...(stop === undefined ? [] : [stopButton(stop)]),
  ];
  return JSON.stringify({
    schema: '2.0',
    config: {
      update_multi: true,
      streaming_mode: streams && isOpen,
      summary: { content: withoutMentions(heading) },
    },
    body: { elements },
  });
}

function planLines({ plan = [], planMore }: LiveView): string {
  const lines = plan.map(({ text, status }) => `${PLAN_SIGNS[status]} ${text}`);
  return [...lines, ...(planMore === undefined ? [] : [planMore])].join('\n');
}

function foldElement({ title, code, language }: ShownCode, at: number) {
  const lines = withoutControls(code).split('\n');
  return {
    tag: 'collapsible_panel',
    element_id: `fold${at}`,
    expanded: false,
    header: { title: { tag: 'plain_text', content: withoutMentions(withoutControls(title)) } },
    elements: [{ tag: 'markdown', content: cardMarkdown({ kind: 'code_block', language, lines }) }],
  };
}

function plainText(id: string, content: string) {
  const text = { tag: 'plain_text', content: withoutMentions(withoutControls(content)) };
  return { tag: 'div', element_id: id, text };
}

function stepsElement(lines: string, title: string | undefined) {
  if (title === undefined) return plainText('steps', lines);
  return {
    tag: 'collapsible_panel',
    element_id: 'folded',
    expanded: false,
    header: { title: { tag: 'plain_text', content: title } },
    elements: [plainText('steps', lines)],
  };
}

function stopButton({ label, value }: NonNullable<LiveView['stop']>) {
  return {
    tag: 'button',
    element_id: 'stop',
    text: { tag: 'plain_text', content: label },
    type: 'default',
    behaviors: [{ type: 'callback', value }],
  };
}

/** All of a text in one `markdown` element. It may be the beginning of an answer, cut anywhere. */
function liveMarkdown(text: string): string {
  let tables = 0;
  const texts = blocksOf(text, NOTHING_KNOWN).map((block: Block) => {
    if (block.kind === 'rule') return '---';
    if (block.kind !== 'table') return cardMarkdown(block);
    tables += 1;
    return tables <= TABLES_MAX ? tableMarkdown(block) : asLines(block);
  });
  return texts.filter((one) => !isBlank(one)).join('\n\n');
}

/** Each row of a table as one line. */
function asLines({ head, rows }: Table): string {
  const lines = [head, ...rows].map((row) => row.map(lettersOf).join(' · ').replaceAll('\n', ' '));
  return cardMarkdown({ kind: 'paragraph', children: [{ kind: 'text', text: lines.join('\n') }] });
}

/** The JSON text of a card with what stays. Undefined if no card can show it. */
export function endedCard(
  content: Content,
  values: readonly ButtonValue[] = [],
): string | undefined {
  const parsed: unknown = JSON.parse(cardFor(content, values));
  if (!isObject(parsed) || !isObject(parsed['config'])) return undefined;
  const card = JSON.stringify({
    ...parsed,
    config: { ...parsed['config'], streaming_mode: false },
  });
  return byteLength(JSON.stringify(card)) <= LIMITS.cardContentBytesMax ? card : undefined;
}

function cardFor(content: Content, values: readonly ButtonValue[]): string {
  if (content.kind === 'choice') return choiceCard(content, values);
  if (isMarkdown(content)) return markdownMessage(content);
  const text = withoutMentions(withoutControls(content.text));
  const summary = headOf(text.replaceAll(/\s+/g, ' '), { chars: LIMITS.summaryCharsMax });
  return JSON.stringify({
    schema: '2.0',
    config: { update_multi: true, summary: { content: summary } },
    body: {
      elements: [
        { tag: 'div', text: { tag: 'plain_text', content: text } },
        ...(content.kind === 'answer' && content.below !== undefined
          ? [greyLine(content.below)]
          : []),
      ],
    },
  });
}
