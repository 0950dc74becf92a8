/** Forms and links that an agent wants from a person, as questions one after another; and the answer to the agent. */
import { asObject, isObject, type Json } from '../../core/json-object.ts';
import type { QuestionAnswer, QuestionOption } from '../../core/turn-update.ts';
import { shortened } from '../../text/cut.ts';
import { bounded } from './tool-calls.ts';

/** A person answers no longer form in a chat. */
const FIELDS_MAX = 10;
const OPTIONS_MAX = 20;
const LABEL_CHARS_MAX = 100;
const TEXT_CHARS_MAX = 4_000;
/** Names a field that takes the words of a person in place of the choice in another field. */
const OWN_WORDS = '_custom';

interface AskedField {
  readonly text: string;
  readonly options: readonly QuestionOption[];
  readonly takesWords: boolean;
  /** What the answer puts into the form. Undefined: it does not fit. */
  readonly valueOf: (answer: QuestionAnswer) => Json | undefined;
}

/** What a person is asked. Undefined: it can't be asked in a chat. */
export function fieldsOf(request: Json): readonly AskedField[] | undefined {
  const message = typeof request['message'] === 'string' ? request['message'] : '';
  if (request['mode'] === 'url') return linkField(message, request['url']);
  const { properties } = asObject(request['requestedSchema']) ?? {};
  const all = Object.entries(asObject(properties) ?? {});
  const names = new Set(all.map(([name]) => name));
  const asked = all.filter(([name]) => !isOwnWordsOf(name, names));
  if (asked.length === 0 || asked.length > FIELDS_MAX) return undefined;
  return asked.map(([name, schema], at) => {
    const field = fieldOf({ name, schema: asObject(schema) ?? {}, names });
    const parts = [at === 0 ? message : '', field.text].filter(Boolean);
    return { ...field, text: bounded(parts.join('\n') || name, TEXT_CHARS_MAX) };
  });
}

export const DECLINED: Json = { action: 'decline' };
export const CALLED_OFF: Json = { action: 'cancel' };

function isOwnWordsOf(name: string, names: ReadonlySet<string>): boolean {
  return name.endsWith(OWN_WORDS) && names.has(name.slice(0, -OWN_WORDS.length));
}

interface FieldParts {
  readonly name: string;
  readonly schema: Json;
  readonly names: ReadonlySet<string>;
}

function fieldOf({ name, schema, names }: FieldParts): AskedField {
  const text = [schema['title'], schema['description']].filter((one) => typeof one === 'string');
  const isMany = schema['type'] === 'array';
  const choices = choicesIn(isMany ? (asObject(schema['items']) ?? {}) : schema);
  const ownWords = names.has(`${name}${OWN_WORDS}`) ? `${name}${OWN_WORDS}` : undefined;
  return {
    text: text.join('\n'),
    options: choices.map(({ id, label }) => ({ id, label, style: 'default' })),
    takesWords: choices.length === 0 || ownWords !== undefined,
    valueOf: (answer) => {
      if (answer.kind === 'chosen') {
        const choice = choices.find(({ id }) => id === answer.option);
        return choice && { [name]: isMany ? [choice.value] : choice.value };
      }
      if (answer.kind !== 'said') return undefined;
      if (ownWords !== undefined) return { [ownWords]: answer.text };
      const value = wordsAs(schema['type'], answer.text);
      return value === undefined ? undefined : { [name]: value };
    },
  };
}

interface Choice {
  readonly id: string;
  readonly label: string;
  readonly value: unknown;
}

function choicesIn(schema: Json): readonly Choice[] {
  if (schema['type'] === 'boolean') {
    return [
      { id: 'true', label: 'Yes / 是', value: true },
      { id: 'false', label: 'No / 否', value: false },
    ];
  }
  const titled = [schema['oneOf'], schema['anyOf']].find(Array.isArray) as unknown[] | undefined;
  const values = (Array.isArray(schema['enum']) ? schema['enum'] : []) as unknown[];
  const all = titled
    ? titled.filter(isObject).map(({ const: value, title }) => ({ value, title }))
    : values.map((value) => ({ value, title: undefined }));
  return all.slice(0, OPTIONS_MAX).map(({ value, title }, at) => ({
    id: String(at + 1),
    label: shortened(typeof title === 'string' ? title : String(value), LABEL_CHARS_MAX),
    value,
  }));
}

function wordsAs(type: unknown, text: string): unknown {
  if (type !== 'number' && type !== 'integer') return text;
  const value = Number(text.trim());
  const fits = type === 'integer' ? Number.isInteger(value) : Number.isFinite(value);
  return fits && text.trim() !== '' ? value : undefined;
}

/** The person opens the link, and says so. */
function linkField(message: string, url: unknown): readonly AskedField[] | undefined {
  if (typeof url !== 'string' || !/^https?:\/\//i.test(url)) return undefined;
  return [
    {
      text: bounded(`${message}\n${url}`, TEXT_CHARS_MAX),
      options: [
        { id: 'done', label: 'Done / 已完成', style: 'primary' },
        { id: 'refuse', label: 'No / 不', style: 'danger' },
      ],
      takesWords: false,
      valueOf: (answer) => (answer.kind === 'chosen' && answer.option === 'done' ? {} : undefined),
    },
  ];
}
