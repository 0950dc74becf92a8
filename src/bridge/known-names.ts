/** The names of people and chats. */
import type { InboundMessage } from '../core/message.ts';
import type { OpenId } from '../core/ids.ts';
import type { Clock } from '../time/clock.ts';
import { waitAtMost } from '../time/wait.ts';
import type { LarkGateway } from './ports/lark.ts';

/** Names are for convenience: nobody waits for them longer. */
const NAMES_MS_MAX = 1_000;

interface NameSource {
  readonly lark: Pick<LarkGateway, 'surroundings'>;
  readonly clock: Clock;
}

type Chat = Pick<InboundMessage, 'chatId' | 'chatType'>;

/** Resolves when nothing more can be found out soon. */
export async function findNames(
  { lark: { surroundings }, clock }: NameSource,
  chat: Chat,
  people: readonly string[],
): Promise<void> {
  if (surroundings === undefined) return;
  await waitAtMost(clock, surroundings.findNames(chat, people), NAMES_MS_MAX);
}

/** What people call a person, if that is known or can be found out soon. */
export async function nameOf(
  source: NameSource,
  chat: Chat,
  person: OpenId,
): Promise<string | undefined> {
  await findNames(source, chat, [person]);
  return source.lark.surroundings?.nameOf(person);
}
