/** Who can be mentioned in the open chat, and the placeholders in a plain text. */
import { withNames, type Named } from '../view/named.ts';
import type { Content } from './actions.ts';
import type { Session } from './session.ts';

/** Without the person of the page. */
export function namedIn({ world, chat, me }: Session): readonly Named[] {
  const members = (chat?.members ?? []).filter(({ openId }) => openId !== me?.openId);
  const bots = world.bots.filter(({ appId }) => chat?.bots.includes(appId));
  return [
    ...[...bots, ...members].map(({ openId, name }) => ({ id: openId, name })),
    ...(chat?.mode === 'p2p' ? [] : [{ id: 'all', name: 'all' }]),
  ];
}

/** Names become Lark's placeholders, each with its number. */
export function textContent(words: string, session: Session): Content {
  const apps = new Map(session.world.bots.map(({ openId, appId }) => [openId, appId] as const));
  const mentions: string[] = [];
  const pieces = withNames(words, namedIn(session)).map((piece) => {
    if (typeof piece === 'string') return piece;
    if (piece.id === 'all') return '@_all';
    mentions.push(apps.get(piece.id) ?? piece.id);
    return `@_user_${mentions.length}`;
  });
  return { messageType: 'text', content: { text: pieces.join('') }, mentions };
}
