import { isSchema2 } from '../cards/card-json.ts';
import { issueCardToken, showInMessage } from '../cards/card-tokens.ts';
import type { Cloud } from '../cloud.ts';
import type { CallbackAck } from '../socket/deliveries.ts';
import { cardCallback } from '../socket/events.ts';
import { isJsonObject, parseJson, parseJsonObject, type JsonObject } from './json.ts';
import { cardOf } from '../api/message-object.ts';
import { Misuse } from './misuse.ts';
import type { SimMessage, SimUser } from './model.ts';
import { CARD_CALLBACK } from '../api/scopes.ts';

/** What a person did with a card. */
export interface Press {
  readonly message: SimMessage;
  readonly from: SimUser;
  /** `value` of the button, and whatever else the action carries: `tag`, `name`, `form_value`, `option`, … */
  readonly action: Readonly<JsonObject>;
}

/** What the person saw next. Codes are those that the client shows. */
export type PressOutcome =
  | { readonly ok: true; readonly toast?: JsonObject; readonly card?: JsonObject }
  | { readonly ok: false; readonly code: 200340 | 200341 | 200671 | 200672 | 200673 | 200830 };

const TOAST_TYPES: ReadonlySet<unknown> = new Set(['info', 'success', 'error', 'warning']);

/** Sends the callback to the card's app and does what it answers. */
export async function press(cloud: Cloud, { message, from, action }: Press): Promise<PressOutcome> {
  const { sender } = message;
  const app = sender.kind === 'app' ? cloud.world.apps.get(sender.appId) : undefined;
  if (app === undefined || message.msgType !== 'interactive' || message.recalled) {
    throw new Misuse(`${message.messageId} is no card of an app that people can use`);
  }
  if (!app.subscriptions.has(CARD_CALLBACK)) return { ok: false, code: 200340 };
  const token = issueCardToken(cloud, { appId: app.appId, messageId: message.messageId });
  const event = cardCallback(cloud, app, {
    message,
    byOpenId: from.openId,
    token: token.token,
    action: { tag: 'button', ...action },
  });
  const ack = await cloud.deliveries.call(app, event);
  token.acked = true;
  const outcome = judge(cloud, message, ack);
  cloud.changes.ring();
  return outcome;
}

function judge(cloud: Cloud, message: SimMessage, ack: CallbackAck): PressOutcome {
  if (ack.kind === 'no_answer') return { ok: false, code: 200341 };
  if (ack.code !== 200) return { ok: false, code: 200671 };
  const body = decode(ack.data);
  if (body === undefined || !isToast(body['toast'])) return { ok: false, code: 200672 };
  const toast = isJsonObject(body['toast']) ? { toast: body['toast'] } : {};
  if (body['card'] === undefined || body['card'] === null) return { ok: true, ...toast };
  const card = rawCard(body['card']);
  if (card === undefined) return { ok: false, code: 200673 };
  const shown = parseJsonObject(cardOf(cloud.world, message));
  if (shown !== undefined && isSchema2(shown) && !isSchema2(card)) {
    return { ok: false, code: 200830 };
  }
  showInMessage(cloud, message, card);
  return { ok: true, ...toast, card };
}

/** The object in an ack's base64 text; an ack without data says nothing. */
function decode(data: unknown): JsonObject | undefined {
  if (data === undefined || data === null || data === '') return {};
  if (typeof data !== 'string') return undefined;
  const value = parseJson(Buffer.from(data, 'base64').toString());
  return isJsonObject(value) ? value : undefined;
}

function isToast(value: unknown): boolean {
  if (value === undefined || value === null) return true;
  return (
    isJsonObject(value) && TOAST_TYPES.has(value['type']) && typeof value['content'] === 'string'
  );
}

function rawCard(value: unknown): JsonObject | undefined {
  if (!isJsonObject(value) || value['type'] !== 'raw') return undefined;
  return isJsonObject(value['data']) ? value['data'] : undefined;
}
