/** Every sentence that the bridge itself says in a chat. */
import { shortened } from '../../core/cut.ts';
import type { ChoiceButton } from '../../core/content.ts';
import type { HoldReason, Show } from '../../core/turn.ts';
import { isBlank, withoutTerminalControls } from '../../core/visible.ts';
import type { TurnQuestion } from '../ports.ts';

function notice(name: string, text: string) {
  return { what: 'notice', name, text } as const satisfies Show;
}

export const notices = {
  unsupported: (messageType: string) =>
    notice(
      'unsupported',
      `I can only read text messages so far, not this one (${messageType}). Please send it as text.`,
    ),
  unreadable: () =>
    notice(
      'unreadable',
      'Your message reached me damaged, and I could not read it. Please send it again.\n你的消息到达时已损坏，我无法读取，请重新发送。',
    ),
  empty: () => notice('empty', 'You mentioned me without a question. What can I do for you?'),
  emptyAnswer: () => notice('empty_answer', 'The agent finished without an answer.'),
  refused: (detail: string) =>
    notice('refused', `I could not pass your message to the agent: ${sentence(detail)} ${RETRY}`),
  unanswerable: () =>
    notice(
      'unanswerable',
      "The agent has your message, but its answer can't come back to this chat. Whoever runs this bot finds in its log what to do.",
    ),
  agentFailed: (detail: string) =>
    notice('agent_failed', `The agent could not answer: ${sentence(detail)} ${RETRY}`),
  timedOut: () =>
    notice('timed_out', `The agent took too long, so I stopped waiting for it. ${RETRY}`),
  overdue: () =>
    notice(
      'overdue',
      'The agent is taking unusually long. If its answer still comes, I will show it here; the next messages go on meanwhile.',
    ),
  queued: (ahead: number) =>
    notice(
      'queued',
      ahead === 0
        ? 'Your message is next in line.'
        : `Your message is in the queue, with ${ahead} before it.`,
    ),
  inDoubt: () =>
    notice(
      'in_doubt',
      'The connection to the agent broke during the message before yours. I wait up to a minute to see whether that one is answered, and then send yours.',
    ),
  offline: () =>
    notice(
      'offline',
      'The agent is not reachable at the moment. I keep your message and try again.',
    ),
  nothingMeant: () => notice('nothing_meant', 'There is nothing here that waits for your word.'),
  skipped: () => notice('skipped', 'Skipped.'),
  undeliverable: () =>
    notice(
      'undeliverable',
      'The agent answered, but Lark refused to show the answer (its content or size). The operator can see it in the dead letters.',
    ),
} as const;

/** So many files are named; a longer list helps nobody. */
const FILES_NAMED_MAX = 20;

/** The agent's own words, with the names of what can't be shown yet below them. */
export function withFiles(text: string, files: readonly string[] = []): string {
  if (files.length === 0) return text;
  const more = files.length - FILES_NAMED_MAX;
  const names = files.slice(0, FILES_NAMED_MAX).join(', ') + (more > 0 ? ` and ${more} more` : '');
  const line = `Files came with this answer. I can't show them here yet: ${names}`;
  return text.trim() === '' ? line : `${text}\n\n${line}`;
}

/** What the agent wants of the person, in its words. */
export function question(wants: TurnQuestion['wants'], words: string): string {
  if (wants === 'input') {
    return words === ''
      ? 'The agent needs more from you before it can go on, but did not say what. Please write it some more.'
      : words;
  }
  return words === ''
    ? 'The agent needs you to sign in before it can go on, but did not say where.'
    : `The agent needs you to sign in before it can go on:\n${words}`;
}

/** A reason longer than this is no sentence any more; the operator finds all of it elsewhere. */
const DETAIL_CHARS_MAX = 1_000;

/** What agents and hubs say: it ends with a stop or does not, and may be meant for a terminal, or be empty. */
function sentence(said: string): string {
  const detail = shortened(withoutTerminalControls(said).trim(), DETAIL_CHARS_MAX);
  if (isBlank(detail)) return 'it gave no reason.';
  return /[.!?。！？…]$/.test(detail) ? detail : `${detail}.`;
}

const RETRY = 'Send /retry to run it again.';

const RUN: ChoiceButton = { label: 'Run', action: 'run', style: 'primary' };
const SKIP: ChoiceButton = { label: 'Skip', action: 'skip', style: 'default' };
const AGAIN: ChoiceButton = { label: 'Run again', action: 'retry', style: 'primary' };

function choice(name: string, text: string, buttons: readonly ChoiceButton[]) {
  return { what: 'choice', name, text, buttons } as const satisfies Show;
}

export const choices: Record<HoldReason, () => Extract<Show, { what: 'choice' }>> = {
  stale: () =>
    choice(
      'stale',
      'I was away when this was sent. Shall I still run what came in meanwhile? Press a button, or answer /run or /skip.',
      [RUN, SKIP],
    ),
  unknown: () =>
    choice(
      'unknown',
      'The connection to the agent broke, and I cannot tell whether it got your message. Press the button or answer /retry to run it again, or /skip to leave it.',
      [AGAIN, SKIP],
    ),
  interrupted: () =>
    choice(
      'interrupted',
      'The agent was interrupted in the middle of this. Press the button or answer /retry to run it again, or /skip to leave it.',
      [AGAIN, SKIP],
    ),
};
