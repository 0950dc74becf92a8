import { buttonsOf, type CardButton } from '../cards/card-buttons.ts';
import { visibleText } from '../cards/card-text.ts';
import { textOf } from '../api/message-object.ts';
import { parseJsonObject, type JsonObject } from '../world/json.ts';
import type { Sender, SimMessage } from '../world/model.ts';
import type { World } from '../world/world.ts';

/** One message as a person sees it. */
export interface Shown {
  readonly messageId: string;
  /** `user:NAME` or `app:APP_ID`. */
  readonly from: string;
  readonly type: string;
  /** Empty once recalled. */
  readonly text: string;
  /** What is in it, mentions as placeholders; undefined for cards and once recalled. */
  readonly content: JsonObject | undefined;
  /** Undefined for what is no card, and once recalled. */
  readonly card: ShownCard | undefined;
  readonly replyTo: string | undefined;
  readonly threadId: string | undefined;
  /** The bundle that it was forwarded in. */
  readonly partOf: string | undefined;
  readonly reactions: readonly { readonly emoji: string; readonly by: string }[];
  readonly recalled: boolean;
  readonly edits: number;
  readonly atMs: number;
}

/** A card on the screen. */
export interface ShownCard {
  readonly json: JsonObject;
  readonly buttons: readonly CardButton[];
  /** What it showed before, oldest first; of a long stream the last 200 states. */
  readonly before: readonly { readonly text: string; readonly untilMs: number }[];
}

export function shownMessage(world: World, message: SimMessage): Shown {
  const { messageId, recalled, msgType } = message;
  const isCard = msgType === 'interactive';
  const json = isCard ? world.cardOf(message) : message.content;
  const states = isCard ? world.cardStates(messageId) : [];
  return {
    messageId,
    from: label(world, message.sender),
    type: msgType,
    text: recalled ? '' : textOf(world, message),
    // Tests look at whole chats again and again, and seldom at these: they are read when asked for.
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
