/** Which turns a command means, at the moment when it is stored. What comes later is not meant. */
import type { CommandName } from '../../core/content.ts';
import type { ChatId, OpenId, TurnId } from '../../core/ids.ts';
import type { ChatType, InboundMessage } from '../../core/message.ts';
import { personOf, type Turn } from '../../core/turn.ts';
import { ASKABLE_MAX, turnsToDecide } from './askable.ts';
import type { Journal } from '../ports/journal.ts';
import { isAtWork } from '../turns/phases.ts';

/** Where and by whom a command was given. */
interface Giver {
  readonly chatId: ChatId;
  readonly threadId: string | undefined;
  readonly by: OpenId;
  /** By Lark's clock. Undefined: now. */
  readonly sentAtMs?: number;
}

export interface CommandOrder extends Giver {
  readonly name: CommandName;
  readonly argument: string;
  readonly about: readonly TurnId[];
  /** What has been done under this name is not done again. */
  readonly once: string;
  readonly chatType: ChatType;
  readonly mentioned: NonNullable<InboundMessage['mentioned']>;
}

/** Open turns of a chat that a command looks at. More wait only where people write without end. */
export const OPEN_TURNS_MAX = 200;

export async function turnsMeantBy(
  name: CommandName,
  giver: Giver,
  journal: Pick<Journal, 'askable' | 'openIn'>,
): Promise<TurnId[]> {
  const { chatId: chat, by } = giver;
  if (name === 'stop') return turnsToStop(await journal.openIn(chat, OPEN_TURNS_MAX), giver);
  if (name !== 'run' && name !== 'skip' && name !== 'retry') return [];
  const own = await journal.askable(chat, ASKABLE_MAX, by);
  return turnsToDecide(name, { own, all: await journal.askable(chat, ASKABLE_MAX) });
}

/**
 * The turn at work in this thread; outside of threads, that of the chat. If none is at work, the person's own one
 * that would begin next. A turn that was sent after the command is not meant: the command may have come late.
 */
function turnsToStop(
  open: readonly Turn[],
  { threadId, by, sentAtMs = Infinity }: Giver,
): TurnId[] {
  const before = open.filter(({ message }) => message.sentAtMs <= sentAtMs);
  const here = before.filter(({ message }) => message.threadId === threadId);
  const all = threadId === undefined ? [...here, ...before] : here;
  const meant =
    all.find(({ state }) => isAtWork(state)) ??
    all.find((turn) => turn.state.phase === 'waiting' && personOf(turn) === by);
  return meant === undefined ? [] : [meant.id];
}
