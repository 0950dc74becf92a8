import { buttonsOf, type CardButton } from '../cards/card-buttons.ts';
import { visibleText } from '../cards/card-text.ts';
import { textOf } from '../api/message-object.ts';
import { parseJsonObject, type JsonObject } from '../world/json.ts';
import type { Sender, SimMessage } from '../world/model.ts';
import type { World } from '../world/world.ts';

/** One message as a person sees it. */
export interface ShownMessage {
  readonly messageId: string;
  /** `user:NAME` or `app:APP_ID`. */
  readonly from: string;
  readonly type: string;
  /** Empty if it is recalled. */
  readonly text: string;
  /** The content, with placeholders for mentions; undefined for cards, and if it is recalled. */
  readonly content: JsonObject | undefined;
  /** Undefined if it is not a card, or is recalled. */
  readonly card: ShownCard | undefined;
  readonly replyTo: string | undefined;
  readonly threadId: string | undefined;
  /** The forwarded bundle that it is part of. */
  readonly partOf: string | undefined;
  readonly reactions: readonly { readonly emoji: string; readonly by: string }[];
  readonly recalled: boolean;
  readonly edits: number;
  readonly atMs: number;
}

/** A card as a person sees it. */
interface ShownCard {
  readonly json: JsonObject;
  readonly buttons: readonly CardButton[];
  /** What it showed before, oldest first; of a long stream only the last 200 states. */
  readonly before: readonly { readonly text: string; readonly untilMs: number }[];
}

export function shownMessage(world: World, message: SimMessage): ShownMessage {
  const { messageId, recalled, msgType } = message;
  const isCard = msgType === 'interactive';
  const json = isCard ? world.cardOf(message) : message.content;
  const states = isCard ? world.cardStates(messageId) : [];
  return {
    messageId,
    from: label(world, message.sender),
    type: msgType,
    text: recalled ? '' : textOf(world, message),
    // Tests read whole chats very often, but these two fields rarely. So they are computed on access.
    get content() {
      return recalled || isCard ? undefined : parseJsonObject(json);
    },
    get card() {
      if (recalled || !isCard) return undefined;
      const node = parseJsonObject(json) ?? {};
      const before = states.map((state) => ({
        text: visibleText(state.json),
        untilMs: state.untilMs,
      }));
      return { json: node, buttons: buttonsOf(node), before };
    },
    replyTo: message.parentId,
    threadId: message.threadId,
    partOf: message.upperMessageId,
    reactions: [...message.reactions.values()].map(({ emoji, by }) => ({
      emoji,
      by: label(world, by),
    })),
    recalled,
    edits: message.edits,
    atMs: message.createdAtMs,
  };
}

function label(world: World, sender: Sender): string {
  return sender.kind === 'app' ? `app:${sender.appId}` : `user:${world.nameOf(sender)}`;
}
