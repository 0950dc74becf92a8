/** A turn that somebody ends before its answer came, and what still comes for a turn that is over. It is pure. */
import { isBlank, withoutTerminalControls } from '../../core/visible.ts';
import type { Show, Turn, TurnPhase, TurnState } from '../../core/turn.ts';
import { commandNotices } from '../texts/commands.ts';
import { notices, question, withFiles } from '../texts/texts.ts';
import type { TurnAnswer, TurnQuestion } from '../ports.ts';

interface Stop {
  readonly by: string;
  /** What the agent has said so far. */
  readonly said?: string | undefined;
}

/** What was said so far is kept. Undefined if the turn is over or waits for a decision. */
export function stopped(
  { state, message, askedBy }: Turn,
  { by, said = '' }: Stop,
): { readonly state: TurnState; readonly show: readonly Show[] } | undefined {
  if (!isAtWork(state) && state.phase !== 'waiting') return undefined;
  const text = withoutTerminalControls(said);
  const isOwn = by === (askedBy ?? message.senderOpenId);
  return {
    state: { phase: 'dropped', why: 'stopped', by },
    show: [
      ...(isBlank(text) ? [] : [{ what: 'answer', text } as const]),
      commandNotices.stopped({ isOwn }),
      { what: 'receipt_off' },
    ],
  };
}

/** An agent may be at work on it. After a question it waits for the person, who can only answer. */
export function isAtWork(state: TurnState): boolean {
  if (state.phase === 'overdue') return state.asks !== true;
  return state.phase === 'sending' || state.phase === 'accepted';
}

const OPEN: readonly TurnPhase[] = ['waiting', 'held', 'command'];
const GIVEN: readonly TurnPhase[] = ['sending', 'accepted', 'overdue'];

/** For the operator. If answers name no turn, an agent's answer could be shown as that of another turn. */
export function mayDrop(phase: TurnPhase, correlates: boolean): boolean {
  return OPEN.includes(phase) || (correlates && GIVEN.includes(phase));
}

/** What comes for a turn that is over. `id`: the same each time that it is handed over. */
export function follow(said: TurnAnswer | TurnQuestion, id: string): Show[] {
  const name = `more:${id}`;
  if (said.kind === 'failed') return [{ ...notices.agentFailed(said.detail), name }];
  const words = said.kind === 'question' ? question(said.wants, said.text) : said.text;
  const text = withFiles(words, said.files);
  return text.trim() === '' ? [] : [{ what: 'answer', name, text }];
}
