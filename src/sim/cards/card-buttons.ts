import { elementsOf, isSchema2 } from './card-json.ts';
import { visibleText } from './card-text.ts';
import { isJsonObject, type JsonObject } from '../world/json.ts';

/** Something in a card that a person can press. */
export interface CardButton {
  /** Among the buttons of the card, from 0. */
  readonly index: number;
  /** What is written on it. */
  readonly label: string;
  /** `button`, or `interactive_container`. */
  readonly tag: string;
  readonly name?: string;
  /** What the app gets. */
  readonly value?: unknown;
  /** Where it leads. A button that only leads somewhere tells the app nothing. */
  readonly url?: string;
  /** False: it only leads somewhere. */
  readonly tellsApp: boolean;
  readonly disabled?: true;
  /** Set on the submit button of a form: the names of the form's fields. */
  readonly formFields?: readonly string[];
}

/** What a card has to press, in the order of its JSON. */
export function buttonsOf(card: JsonObject): CardButton[] {
  const found: { readonly node: JsonObject; readonly form: JsonObject | undefined }[] = [];
  const forms = [...elementsOf(card)].filter((node) => node['tag'] === 'form');
  for (const node of elementsOf(card)) {
    const isPressable =
      node['tag'] === 'button' ||
      (node['tag'] === 'interactive_container' && behaviorsOf(node).length > 0);
    if (!isPressable) continue;
    const form = forms.find((one) => [...elementsOf(one)].includes(node));
    found.push({ node, form });
  }
  return found.map(({ node, form }, index) =>
    buttonOf(node, { index, form, in2: isSchema2(card) }),
  );
}

/** The elements that can be chosen in, by tag and, if told, by name: selects, pickers, checkers. */
export function choosablesOf(card: JsonObject, tag: string, name: unknown): JsonObject[] {
  return [...elementsOf(card)].filter(
    (node) => node['tag'] === tag && (name === undefined || node['name'] === name),
  );
}

function buttonOf(
  node: JsonObject,
  place: {
    readonly index: number;
    readonly form: JsonObject | undefined;
    /** Cards 2.0 say what a button does; a button of 1.0 tells the app unless it is a link. */
    readonly in2: boolean;
  },
): CardButton {
  const { index, form, in2 } = place;
  const behaviors = behaviorsOf(node);
  const callback = behaviors.find(({ type }) => type === 'callback');
  const value = callback?.['value'] ?? node['value'];
  const url = urlOf(node, behaviors);
  const submits = node['form_action_type'] === 'submit' || node['action_type'] === 'form_submit';
  const tellsApp =
    value !== undefined || callback !== undefined || submits || (!in2 && url === undefined);
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
