import { buttonsOf, choosablesOf, type CardButton } from '../cards/card-buttons.ts';
import { cardOf } from '../api/message-object.ts';
import type { Cloud } from '../cloud.ts';
import { isJsonObject, isSameJson, parseJsonObject, type JsonObject } from './json.ts';
import { Misuse } from './misuse.ts';
import type { SimMessage, SimUser } from './model.ts';
import { press as pressAnything, type PressOutcome } from './press.ts';

/** What a person presses in a card: a button by one of the first three, or `action`. */
export interface PressChoice {
  readonly label?: string | undefined;
  /** Among the buttons of the card, from 0. */
  readonly index?: number | undefined;
  readonly value?: unknown;
  /** What was filled into the form around the button, by the names of its fields. */
  readonly formValues?: JsonObject | undefined;
  /** Of what is chosen, not pressed: `{tag, name, option, …}` of a select, a picker, a checker. */
  readonly action?: JsonObject | undefined;
}

/** A person presses what the card shows now. */
export function pressIn(
  cloud: Cloud,
  press: {
    readonly message: SimMessage;
    readonly from: SimUser;
    readonly choice: PressChoice;
  },
): Promise<PressOutcome> {
  const { message, from, choice } = press;
  const isCard = message.msgType === 'interactive' && !message.recalled;
  const card = isCard ? parseJsonObject(cardOf(cloud.world, message)) : undefined;
  if (card === undefined) throw new Misuse(`${message.messageId} is no card that people can use`);
  return pressAnything(cloud, { message, from, action: actionOf(card, choice) });
}

/** The action that the app gets; refuses what the card doesn't have. */
function actionOf(card: JsonObject, choice: PressChoice): JsonObject {
  const { formValues, action } = choice;
  const ways = [choice.label, choice.index, choice.value, action];
  if (ways.filter((way) => way !== undefined).length !== 1) {
    throw new Misuse('name the button by one of label, index and value, or give an action');
  }
  if (action !== undefined) return chosenIn(card, action);
  const button = buttonFor(card, choice);
  if (button.disabled === true) throw new Misuse(`the button "${button.label}" is disabled`);
  if (!button.tellsApp) {
    throw new Misuse(`the button "${button.label}" opens a link and tells the app nothing`);
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
    throw new Misuse(`more than one button is like this: use the index; the buttons: ${list}`);
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

function chosenIn(card: JsonObject, action: JsonObject): JsonObject {
  const { tag, name, option } = action;
  if (typeof tag !== 'string') throw new Misuse('action.tag is not a string');
  if (tag === 'button' || tag === 'interactive_container') {
    throw new Misuse('a button is named by its label, its index or its value, not by an action');
  }
  const found = choosablesOf(card, tag, name);
  if (found.length === 0) {
    const named = name === undefined ? '' : ` named ${JSON.stringify(name)}`;
    throw new Misuse(`the card has no ${tag}${named}`);
  }
  if (option !== undefined && !found.some((node) => offers(node, option))) {
    throw new Misuse(`the ${tag} offers no option ${JSON.stringify(option)}`);
  }
  return action;
}

/** Pickers of times and people offer what is not in the card. */
function offers(node: JsonObject, option: unknown): boolean {
  const { options } = node;
  if (!Array.isArray(options)) return true;
  return options.some((one) => isJsonObject(one) && one['value'] === option);
}
