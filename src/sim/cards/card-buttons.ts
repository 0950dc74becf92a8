import { elementsOf, isSchema2 } from './card-json.ts';
import { visibleText } from './card-text.ts';
import { isJsonObject, type JsonObject } from '../world/json.ts';

/** Something in a card that a person can press. */
export interface CardButton {
  /** The number of the button in the card, from 0. */
  readonly index: number;
  /** The text on it. */
  readonly label: string;
  /** `button`, or `interactive_container`. */
  readonly tag: string;
  readonly name?: string;
  /** What the app gets. */
  readonly value?: unknown;
  /** The link that it opens. */
  readonly url?: string;
  /** False: it only opens a link, and the app gets no callback. */
  readonly tellsApp: boolean;
  readonly disabled?: true;
  /** For the submit button of a form: the names of the form's fields. */
  readonly formFields?: readonly string[];
}

/** The buttons of a card, in the order of its JSON. */
export function buttonsOf(card: JsonObject): CardButton[] {
  const forms = [...elementsOf(card)].filter((node) => node['tag'] === 'form');
  return pressablesOf(card).map((node, index) => {
    const form = forms.find((one) => [...elementsOf(one)].includes(node));
    return buttonOf(node, { index, form, schema2: isSchema2(card) });
  });
}

/** The elements that people can press, in the same order. */
export function pressablesOf(card: JsonObject): JsonObject[] {
  return [...elementsOf(card)].filter(
    (node) =>
      node['tag'] === 'button' ||
      (node['tag'] === 'interactive_container' && behaviorsOf(node).length > 0),
  );
}

/** Selects, pickers and checkers, by tag and, if given, by name. */
export function inputsOf(card: JsonObject, tag: string, name: unknown): JsonObject[] {
  return [...elementsOf(card)].filter(
    (node) => node['tag'] === tag && (name === undefined || node['name'] === name),
  );
}

function buttonOf(
  node: JsonObject,
  place: {
    readonly index: number;
    readonly form: JsonObject | undefined;
    /** In cards 2.0, `behaviors` say what a button does. In 1.0, a button calls the app if it has no link. */
    readonly schema2: boolean;
  },
): CardButton {
  const { index, form, schema2 } = place;
  const behaviors = behaviorsOf(node);
  const callback = behaviors.find(({ type }) => type === 'callback');
  const value = callback?.['value'] ?? node['value'];
  const url = urlOf(node, behaviors);
  const submits = node['form_action_type'] === 'submit' || node['action_type'] === 'form_submit';
  const tellsApp =
    value !== undefined || callback !== undefined || submits || (!schema2 && url === undefined);
  return {
    index,
    label: labelOf(node),
    tag: String(node['tag']),
    ...(typeof node['name'] === 'string' && { name: node['name'] }),
    ...(value !== undefined && { value }),
    ...(url !== undefined && { url }),
    tellsApp,
    ...(node['disabled'] === true && { disabled: true }),
    ...(form !== undefined && submits && { formFields: namesIn(form) }),
  };
}

function behaviorsOf(node: JsonObject): JsonObject[] {
  const { behaviors } = node;
  return Array.isArray(behaviors) ? behaviors.filter(isJsonObject) : [];
}

function urlOf(node: JsonObject, behaviors: readonly JsonObject[]): string | undefined {
  const opened = behaviors.find(({ type }) => type === 'open_url')?.['default_url'];
  const several = isJsonObject(node['multi_url']) ? node['multi_url']['url'] : undefined;
  return [opened, node['url'], several].find(
    (url): url is string => typeof url === 'string' && url !== '',
  );
}

function labelOf(node: JsonObject): string {
  const shown = isJsonObject(node['text']) ? node['text']['content'] : undefined;
  if (node['tag'] === 'button') return typeof shown === 'string' ? shown : '';
  return visibleText(JSON.stringify({ elements: [node] }));
}

function namesIn(form: JsonObject): string[] {
  return [...elementsOf(form)].flatMap(({ tag, name }) =>
    typeof name === 'string' && tag !== 'button' && tag !== 'form' ? [name] : [],
  );
}
