import { buttonsOf, inputsOf, type CardButton } from '../cards/card-buttons.ts';
import { isSchema2 } from '../cards/card-json.ts';
import { issueCardToken, showInMessage } from '../cards/card-tokens.ts';
import type { Cloud } from '../cloud.ts';
import type { CallbackAck } from '../socket/deliveries.ts';
import { cardCallback } from '../socket/events.ts';
import {
  isJsonObject,
  isSameJson,
  parseJson,
  parseJsonObject,
  type JsonObject,
} from '../world/json.ts';
import { Misuse } from '../world/misuse.ts';
import type { SimMessage, SimUser } from '../world/model.ts';
import { CARD_CALLBACK } from '../world/scopes.ts';

/** What a person did with a card. */
interface Press {
  readonly message: SimMessage;
  readonly from: SimUser;
  /** `value` of the button, and other fields of the action: `tag`, `name`, `form_value`, `option`, … */
  readonly action: Readonly<JsonObject>;
}

/** The codes that Lark's client shows, in words. */
export const PRESS_CODES = {
  200340: 'The app has not subscribed to presses (card.action.trigger).',
  200341: 'The app did not answer within three seconds.',
  200671: 'The app answered with an error.',
  200672: 'The answer of the app is not valid.',
  200673: 'The app answered with a card that is not valid.',
  200830: 'The app answered with a card of an older version.',
} as const;

/** What the person sees next. */
export type PressOutcome =
  | { readonly ok: true; readonly toast?: JsonObject; readonly card?: JsonObject }
  | { readonly ok: false; readonly code: keyof typeof PRESS_CODES };

const TOAST_TYPES: ReadonlySet<unknown> = new Set(['info', 'success', 'error', 'warning']);

/** Sends the callback to the card's app, and shows what the app answers. */
export async function press(cloud: Cloud, { message, from, action }: Press): Promise<PressOutcome> {
  const { sender } = message;
  const app = sender.kind === 'app' ? cloud.world.apps.get(sender.appId) : undefined;
  if (app === undefined || message.msgType !== 'interactive' || message.recalled) {
    throw new Misuse(`${message.messageId} is not a card that people can use`);
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
  const outcome = outcomeOf(cloud, message, ack);
  cloud.changes.notify();
  return outcome;
}

function outcomeOf(cloud: Cloud, message: SimMessage, ack: CallbackAck): PressOutcome {
  if (ack.kind === 'no_answer') return { ok: false, code: 200341 };
  if (ack.code !== 200) return { ok: false, code: 200671 };
  const body = decode(ack.data);
  if (body === undefined || !isToast(body['toast'])) return { ok: false, code: 200672 };
  const toast = isJsonObject(body['toast']) ? { toast: body['toast'] } : {};
  if (body['card'] === undefined || body['card'] === null) return { ok: true, ...toast };
  const card = rawCard(body['card']);
  if (card === undefined) return { ok: false, code: 200673 };
  const shown = parseJsonObject(cloud.world.cardOf(message));
  if (shown !== undefined && isSchema2(shown) && !isSchema2(card)) {
    return { ok: false, code: 200830 };
  }
  showInMessage(cloud, message, card);
  return { ok: true, ...toast, card };
}

/** The object in an ack's base64 text. An ack without data counts as an empty object. */
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

/** What a person uses in a card: a button, by one of the first three fields, or something else by `action`. */
export interface PressChoice {
  readonly label?: string | undefined;
  /** The number of the button in the card, from 0. */
  readonly index?: number | undefined;
  readonly value?: unknown;
  /** What the person filled into the form around the button, by the names of its fields. */
  readonly formValues?: JsonObject | undefined;
  /** For what is not a button: `{tag, name, option, …}` of a select, a picker or a checker. */
  readonly action?: JsonObject | undefined;
}

/** A person uses what the card shows now. */
export function pressOnCard(
  cloud: Cloud,
  options: {
    readonly message: SimMessage;
    readonly from: SimUser;
    readonly choice: PressChoice;
  },
): Promise<PressOutcome> {
  const { message, from, choice } = options;
  const isCard = message.msgType === 'interactive' && !message.recalled;
  const card = isCard ? parseJsonObject(cloud.world.cardOf(message)) : undefined;
  if (card === undefined)
    throw new Misuse(`${message.messageId} is not a card that people can use`);
  return press(cloud, { message, from, action: actionOf(card, choice) });
}

/** The action that the app gets. Refuses what the card does not have. */
function actionOf(card: JsonObject, choice: PressChoice): JsonObject {
  const { formValues, action } = choice;
  const given = [choice.label, choice.index, choice.value, action];
  if (given.filter((one) => one !== undefined).length !== 1) {
    throw new Misuse('give exactly one of label, index, value and action');
  }
  if (action !== undefined) return selectionIn(card, action);
  const button = buttonFor(card, choice);
  if (button.disabled === true) throw new Misuse(`the button "${button.label}" is disabled`);
  if (!button.tellsApp) {
    throw new Misuse(`the button "${button.label}" only opens a link; the app gets no callback`);
  }
  return {
    tag: button.tag,
    ...(button.value !== undefined && { value: button.value }),
    ...(button.name !== undefined && { name: button.name }),
    ...formValueOf(button, formValues),
  };
}

function buttonFor(card: JsonObject, { label, index, value }: PressChoice): CardButton {
  const buttons = buttonsOf(card);
  const found = buttons.filter((button) => {
    if (label !== undefined) return button.label === label;
    return index === undefined ? isSameJson(button.value, value) : button.index === index;
  });
  const [one, another] = found;
  const list = buttons.map((button) => `${button.index} "${button.label}"`).join(', ') || 'none';
  if (one === undefined) throw new Misuse(`the card has no such button; its buttons: ${list}`);
  if (another !== undefined) {
    throw new Misuse(`more than one button matches: use the index; the buttons: ${list}`);
  }
  return one;
}

function formValueOf(button: CardButton, formValues: JsonObject | undefined): JsonObject {
  const { formFields, label } = button;
  if (formFields === undefined) {
    if (formValues === undefined) return {};
    throw new Misuse(`the button "${label}" submits no form`);
  }
  const unknown = Object.keys(formValues ?? {}).filter((name) => !formFields.includes(name));
  if (unknown.length > 0) {
    const known = formFields.join(', ') || 'none';
    throw new Misuse(`the form has no field ${unknown.join(', ')}; its fields: ${known}`);
  }
  return { form_value: formValues ?? {} };
}

function selectionIn(card: JsonObject, action: JsonObject): JsonObject {
  const { tag, name, option } = action;
  if (typeof tag !== 'string') throw new Misuse('action.tag is not a string');
  if (tag === 'button' || tag === 'interactive_container') {
    throw new Misuse('give a button by its label, index or value, not by an action');
  }
  const found = inputsOf(card, tag, name);
  if (found.length === 0) {
    const named = name === undefined ? '' : ` named ${JSON.stringify(name)}`;
    throw new Misuse(`the card has no ${tag}${named}`);
  }
  if (option !== undefined && !found.some((node) => hasOption(node, option))) {
    throw new Misuse(`the ${tag} has no option ${JSON.stringify(option)}`);
  }
  return action;
}

/** Pickers of times and people have options that are not in the card. */
function hasOption(node: JsonObject, option: unknown): boolean {
  const { options } = node;
  if (!Array.isArray(options)) return true;
  return options.some((one) => isJsonObject(one) && one['value'] === option);
}
