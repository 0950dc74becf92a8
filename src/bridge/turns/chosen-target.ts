import type { WorkspaceId } from '../../core/ids.ts';
import type { Turn } from '../../core/turn.ts';
import type { Chosen } from '../ports/sessions.ts';
import type { TurnTarget } from '../ports/target.ts';

/** What was chosen in the chat when the message of a turn came. */
export function chosenFor({ details }: Turn): Chosen {
  const { agent, folder } = details?.session ?? {};
  return {
    ...(agent !== undefined && { agent }),
    ...(folder !== undefined && { folder }),
  };
}

/** Who has a turn, or would get it. Undefined: the agent that was chosen for it does not exist any more. */
export async function targetOf(
  turn: Turn,
  target: Pick<TurnTarget, 'currentTarget' | 'goneOf'>,
): Promise<WorkspaceId | undefined> {
  const { agent } = chosenFor(turn);
  const gone = agent === undefined ? undefined : await target.goneOf?.({ agent });
  return gone === undefined ? target.currentTarget(agent) : undefined;
}
