/** What people are shown of a question, and of how it ended. It is pure. */
import type { QuestionContent } from '../../core/content.ts';
import type { Language } from '../../core/language.ts';
import type { Turn } from '../../core/turn.ts';
import type { OutboxDraft } from '../ports/outbox.ts';
import type { Question } from '../ports/questions.ts';
import { turnKey } from '../outbox/keys.ts';
import { type DraftedAt, messageDraft } from '../outbox/drafts.ts';
import { inLanguage } from '../texts/text.ts';
import { permissionTexts } from '../texts/permissions.ts';
import { answerHint, heading, outcomeText, WITHDRAWN } from '../texts/questions.ts';
import { plainWould } from './permission.ts';
import { isWithdrawn } from './question.ts';

export function questionDraft(turn: Turn, question: Question, at: DraftedAt): OutboxDraft {
  const { key, expiresAtMs } = question;
  return {
    ...messageDraft(turn, at.nowMs),
    key,
    body: {
      kind: 'message',
      content: contentOf(turn, question, at.lang),
      question: { key, expiresAtMs },
    },
  };
}

/** All of what would be done, below a question that shows only a part of it. */
export function wholeDraft(
  turn: Turn,
  { key }: Question,
  { name, text }: { readonly name: string; readonly text: string },
  nowMs: number,
): OutboxDraft {
  return {
    ...messageDraft(turn, nowMs),
    key: turnKey(turn, `question_file:${key}`),
    // Whoever decides is told if it can't be shown.
    priority: 'answer',
    body: { kind: 'message', content: { kind: 'file', as: 'file', name, text, isBeside: true } },
  };
}

/** Shows how the question ended. */
export function outcomeDraft(turn: Turn, question: Question, at: DraftedAt): OutboxDraft {
  const { key, state } = question;
  const how = state.phase === 'over' ? state.why : state.phase;
  return {
    ...messageDraft(turn, at.nowMs),
    key: turnKey(turn, `question_end:${key}:${how}`),
    body: { kind: 'update', question: key, content: contentOf(turn, question, at.lang) },
  };
}

/** Shows of a question that was withdrawn only that it is over, however it had ended. */
export function withdrawnContent(lang: Language): QuestionContent {
  const note = WITHDRAWN[lang];
  return { kind: 'question', text: '', options: [], note, plain: note };
}

function contentOf({ message }: Turn, question: Question, lang: Language): QuestionContent {
  const { text, state, only, askedAtMs, expiresAtMs, options, wordsOf, permission } = question;
  if (isWithdrawn(question)) return withdrawnContent(lang);
  const would = permission?.would ?? [];
  const asked = {
    kind: 'question',
    ...headingOf(question, lang),
    text,
    ...(would.length > 0 && { would }),
  } as const;
  if (state.phase !== 'open') {
    const note = outcomeText(state)[lang];
    const by = state.phase === 'answered' ? { by: state.by } : {};
    return { ...asked, options: [], note, plain: note, ...by };
  }
  const isInGroup = message.chatType === 'group';
  const facts = {
    waitMs: expiresAtMs - askedAtMs,
    isForOwner: only === 'owner',
    isInGroup,
    takes: wordsOf === undefined ? 'options' : options.length === 0 ? 'words' : 'both',
  } as const;
  const scope = permission?.always;
  const always = scope && permissionTexts.always(scope)[lang];
  const isOwners = always !== undefined && isInGroup;
  const hint = (hasButtons: boolean) =>
    inLanguage(answerHint({ ...facts, hasButtons }), lang) +
    (isOwners ? permissionTexts.alwaysHint[lang] : '');
  const labels = [...options.map(({ label }) => label), ...(always === undefined ? [] : [always])];
  const numbered = labels.map((label, at) => `${at + 1}. ${label}`).join('\n');
  const above = asked.heading === undefined ? text : `${asked.heading}\n${text}`;
  const parts = [above, plainWould(would), numbered, hint(false)];
  return {
    ...asked,
    options,
    ...(always !== undefined && { always }),
    note: hint(true),
    plain: parts.filter((part) => part !== '').join('\n\n'),
  };
}

/** What may be allowed has a number in any case, by which it can be meant. */
function headingOf({ number, permission }: Question, lang: Language) {
  return number > 1 || permission !== undefined ? { heading: heading(number)[lang] } : {};
}
