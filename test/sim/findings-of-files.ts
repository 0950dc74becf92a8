/** What people would complain about their files. */
import type { InboundMessage } from '../../src/core/message.ts';
import type { Turn } from '../../src/core/turn.ts';
import type { Given } from './faulty-hub.ts';
import { nameOf } from './subjects.ts';
import type { BridgeWorld } from './world.ts';

/** A file in the text that an agent gets, and why the agent does not have it. */
const LINE = /\[(?:image|file) ([^\]]+)\](?: \[not here: ([^\]]+)\])?/g;
/** A request that is on its way when the bridge hears of a recall. */
const UNDER_WAY_MS = 1_000;

interface Asked {
  readonly message: InboundMessage;
  /** The turn that its message is a part of. */
  readonly turn: Turn;
}

/** Every file of a message that ran was given whole, or the agent and the person were told why not. */
export function filesLost(world: BridgeWorld, { message, turn }: Asked): string[] {
  const { recalled } = world.lark;
  if (recalled.has(message.messageId)) return [];
  const isHeard = !recalled.has(turn.message.messageId);
  return givenTo(world, turn).flatMap((given) => {
    const lines = new Map([...given.text.matchAll(LINE)].map(([, name, why]) => [name, why]));
    return message.parts.flatMap((part) => {
      if (part.kind !== 'resource') return [];
      const { name = '', key } = part.resource;
      if (!lines.has(name)) return [`${name}: not in "${given.text}"`];
      if (lines.get(name) !== undefined) {
        return isHeard && !isTold(world, turn, name) ? [`${name}: nobody was told`] : [];
      }
      const path = given.files.find((one) => one.includes(`/${message.messageId}/${key}/`));
      if (path === undefined) return [`${name}: not given with "${given.text}"`];
      return given.broken.includes(path) ? [`${name}: not all of it is there`] : [];
    });
  });
}

/** True if an agent got a file of a message that the bridge knew to be taken back. */
export function gotWithdrawn(world: BridgeWorld, { message, turn }: Asked): boolean {
  const heardAtMs = world.people.heardAtMs.get(message.messageId);
  if (heardAtMs === undefined) return false;
  const names = message.parts.flatMap((part) =>
    part.kind === 'resource' ? [`${part.resource.name}]`] : [],
  );
  return givenTo(world, turn).some(
    ({ atMs, text }) =>
      atMs > heardAtMs + UNDER_WAY_MS && names.some((name) => text.includes(name)),
  );
}

/** Nothing for a turn that was taken back: it has no name any more. */
function givenTo({ hub }: BridgeWorld, { message }: Turn): Given[] {
  const name = nameOf(message);
  return hub.given.filter((given) => name !== '' && given.name === name);
}

function isTold({ lark }: BridgeWorld, { message }: Turn, name: string): boolean {
  return lark.shown.some(
    ({ replyTo, text }) =>
      replyTo === message.messageId &&
      text.startsWith('I could not read: ') &&
      (text.includes(name) || / \d+ more\./.test(text)),
  );
}
