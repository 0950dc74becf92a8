/** What a person fills in or chooses in a card. */
import type { JsonObject } from '../../world/json.ts';
import { confirmOf } from './card-presses.ts';
import { contentOf, listIn, objectsIn, textIn, type Place } from './card-texts.ts';
import type { FieldBlock, FieldInput, FieldOption, FieldValue } from './nodes.ts';

const INPUTS: Readonly<Record<string, FieldInput>> = {
  input: 'text',
  select_static: 'select',
  select_person: 'select',
  select_img: 'select',
  multi_select_static: 'selects',
  multi_select_person: 'selects',
  overflow: 'menu',
  checker: 'check',
  date_picker: 'date',
  picker_time: 'time',
  picker_datetime: 'datetime',
};

export function isField(tag: string): boolean {
  return Object.hasOwn(INPUTS, tag);
}

export function fieldBlock(node: JsonObject, place: Place): FieldBlock {
  const tag = textIn(node, 'tag');
  const input = inputOf(node, tag);
  const options = optionsOf(node, place);
  return {
    kind: 'field',
    input,
    tag,
    name: textIn(node, 'name'),
    label: labelOf(node, tag),
    placeholder: contentOf(node['placeholder']),
    initial: initialOf(node, input, options),
    options,
    isRequired: node['required'] === true,
    isDisabled: node['disabled'] === true,
    isInForm: place.isInForm,
    value: valueOf(node),
    confirm: confirmOf(node),
  };
}

function inputOf(node: JsonObject, tag: string): FieldInput {
  if (tag === 'select_img' && node['multi_select'] === true) return 'selects';
  const isLong = tag === 'input' && node['input_type'] === 'multiline_text';
  return isLong ? 'lines' : (INPUTS[tag] ?? 'text');
}

function labelOf(node: JsonObject, tag: string): string {
  return contentOf(tag === 'checker' ? node['text'] : node['label']);
}

function optionsOf(node: JsonObject, { nameOf, members }: Place): readonly FieldOption[] {
  const listed = objectsIn(node['options']).map((option, at) => {
    const value = textIn(option, 'value');
    const picture = `Picture ${at + 1}`;
    const label = contentOf(option['text']) || nameOf(value) || value || picture;
    return { value, label: option['img_key'] === undefined ? label : picture };
  });
  if (listed.length > 0 || !textIn(node, 'tag').endsWith('select_person')) return listed;
  return members.map(({ openId, name }) => ({ value: openId, label: name }));
}

function initialOf(
  node: JsonObject,
  input: FieldInput,
  options: readonly FieldOption[],
): FieldValue {
  switch (input) {
    case 'check':
      return node['checked'] === true;
    case 'selects':
      return listIn(node['selected_values']).filter((one) => typeof one === 'string');
    case 'date':
      return textIn(node, 'initial_date');
    case 'time':
      return textIn(node, 'initial_time');
    case 'datetime':
      return textIn(node, 'initial_datetime');
    case 'text':
    case 'lines':
      return textIn(node, 'default_value');
    case 'select':
    case 'menu': {
      const index = Number(node['initial_index']);
      return textIn(node, 'initial_option') || (options[index - 1]?.value ?? '');
    }
  }
}

function valueOf(node: JsonObject): unknown {
  const callback = objectsIn(node['behaviors']).find(({ type }) => type === 'callback');
  return callback?.['value'] ?? node['value'];
}
