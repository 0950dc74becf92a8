import type { SenderFacts } from '../../core/message.ts';
import { idOf } from './fields.ts';

/** Lark's words for a bot as a sender, the newer one first. */
export const BOT_TYPES: ReadonlySet<unknown> = new Set(['bot', 'app']);

export function senderFacts(facts: {
  readonly senderUnionId?: unknown;
  readonly senderTenant: unknown;
  readonly ownTenant?: unknown;
  readonly isBot: boolean;
}): SenderFacts {
  const [unionId, tenant, ownTenant] = [
    idOf(facts.senderUnionId),
    idOf(facts.senderTenant),
    idOf(facts.ownTenant),
  ];
  return {
    ...(unionId !== undefined && { unionId }),
    ...(facts.isBot && { isBot: true }),
    ...(tenant !== undefined && { tenant }),
    ...(ownTenant !== undefined && { ownTenant }),
  };
}
