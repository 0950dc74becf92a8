/** What people write, as Lark tells it to the bridge. */
import { appId, chatId, messageId, openId, type ChatId, type OpenId } from '../../src/core/ids.ts';
import type { InboundMessage, Part } from '../../src/core/message.ts';
import type { FaultyFiles } from './faulty-files.ts';

export const APP = appId('cli_0123456789abcdef');
const TENANT = 'tenant';
const FILES_MAX = 3;

export interface Said {
  readonly chat: ChatId;
  readonly by: OpenId;
  readonly sentAtMs: number;
  readonly parts: readonly Part[];
}

export const chatNumber = (number: number) => chatId(`oc_${number}`);
export const personNamed = (name: string) => openId(`ou_${name}`);
export const words = (text: string): Part => ({ kind: 'text', text });

/** `isDirect`: it is said to the bot alone. */
export function inbound(
  id: string,
  { chat, by, sentAtMs, parts }: Said,
  isDirect: boolean,
): InboundMessage {
  return {
    appId: APP,
    messageId: messageId(id),
    eventId: `event_of_${id}`,
    chatId: chat,
    chatType: isDirect ? 'p2p' : 'group',
    senderOpenId: by,
    ...(isDirect && { sender: { tenant: TENANT, ownTenant: TENANT } }),
    rootId: undefined,
    parentId: undefined,
    threadId: undefined,
    sentAtMs,
    parts,
  };
}

/** Words, words with files, or a picture without words. */
export function partsWithFiles(
  { index, text }: { readonly index: number; readonly text: string },
  files: FaultyFiles,
  random: () => number,
): readonly Part[] {
  const roll = random();
  const file = (kind: 'image' | 'file', name: string): Part => ({
    kind: 'resource',
    resource: files.create(kind, name),
  });
  if (roll < 0.35) return [file('image', `picture ${index}`)];
  if (roll > 0.6) return [words(text)];
  const count = 1 + Math.floor(random() * FILES_MAX);
  return [
    words(text),
    ...Array.from({ length: count }, (_, at) => file('file', `paper ${index}-${at + 1}`)),
  ];
}
