/** The chats of the demo as lines of text, or of JSON. */
import { asObject } from '../../core/json-object.ts';
import type { ShownMessage } from '../../sim/control/shown-message.ts';
import type { Stage } from './stage.ts';
import type { Output } from '../output.ts';

const INDENT = '   ';

interface TranscriptOptions {
  readonly chats?: readonly ('direct' | 'group')[];
  /** Messages that are on the screen already. It may grow. */
  readonly knownIds?: Set<string>;
}

/** Each call shows what is new in the chats since the last call. `before` runs before the first line. */
export function createTranscript(
  stage: Stage,
  output: Output,
  { chats = ['direct', 'group'], knownIds = new Set() }: TranscriptOptions = {},
): (before?: () => void) => boolean {
  return (before = () => {}) => {
    let isNew = false;
    for (const chat of chats) {
      for (const shown of stage.cloud.shows(stage[chat])) {
        if (knownIds.has(shown.messageId) || isGrowing(shown)) continue;
        if (!isNew) before();
        isNew = true;
        knownIds.add(shown.messageId);
        const lines = lineOf(shown, stage).split('\n');
        const text = lines.map((line) => INDENT + line).join('\n');
        output.result(text, eventOf(shown, { stage, chat }));
      }
    }
    return isNew;
  };
}

/** A card that shows an agent at work is shown once, as it ends. */
function isGrowing({ card }: ShownMessage): boolean {
  return asObject(card?.json['config'])?.['streaming_mode'] === true;
}

function lineOf({ from, replyTo, threadId, text }: ShownMessage, { app, user }: Stage): string {
  const name = from === `app:${app.appId}` ? app.name : user.name;
  const where = threadId === undefined ? 'in reply' : 'in the thread';
  return `${name}${replyTo === undefined ? '' : `, ${where}`}: ${text}`;
}

function eventOf(
  { messageId, from, type, text, replyTo, threadId }: ShownMessage,
  { stage, chat }: { stage: Stage; chat: 'direct' | 'group' },
): Record<string, unknown> {
  return {
    event: 'message',
    chat,
    message_id: messageId,
    from: from === `app:${stage.app.appId}` ? 'bot' : 'user',
    type,
    text,
    ...(replyTo !== undefined && { reply_to: replyTo }),
    ...(threadId !== undefined && { thread_id: threadId }),
  };
}
