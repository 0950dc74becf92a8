/** Draws what a person fills in or chooses in a card. */
import type { FieldBlock, FieldValue } from '../view/nodes.ts';
import { button, make } from './dom.ts';
import type { Drawing } from './drawing.ts';

export function drawField(field: FieldBlock, drawing: Drawing): HTMLElement {
  drawing.form?.fields.push(field);
  const control = controlOf(field, drawing);
  if (field.input === 'check') return control;
  const caption = field.label === '' ? undefined : make('span', { class: 'caption' }, field.label);
  return make('div', { class: `field ${field.input}` }, caption, control);
}

/** What the person has chosen so far, or else what the card begins with. */
export function valueOf(field: FieldBlock, { values }: Drawing): FieldValue {
  return values.get(field.name) ?? field.initial;
}

export function isEmpty(value: FieldValue): boolean {
  return value === '' || value === false || (Array.isArray(value) && value.length === 0);
}

/** As the app gets it: dates have a zone. */
export function sentValue({ input }: FieldBlock, value: FieldValue): FieldValue {
  if (typeof value !== 'string' || value === '') return value;
  if (input === 'datetime') return `${value.replace('T', ' ')} ${zone()}`;
  return input === 'date' || input === 'time' ? `${value} ${zone()}` : value;
}

/** `+0800`. */
function zone(): string {
  const minutes = -new Date().getTimezoneOffset();
  const sign = minutes < 0 ? '-' : '+';
  return sign + twoDigits(Math.abs(minutes) / 60) + twoDigits(Math.abs(minutes) % 60);
}

function twoDigits(count: number): string {
  return String(Math.floor(count)).padStart(2, '0');
}

function nameOf(field: FieldBlock): string {
  return field.label || field.placeholder || field.name || field.tag;
}

function controlOf(field: FieldBlock, drawing: Drawing): HTMLElement {
  switch (field.input) {
    case 'lines':
      return drawInput(make('textarea', { label: nameOf(field) }), field, drawing);
    case 'text':
    case 'date':
    case 'time':
    case 'datetime': {
      const input = make('input', { label: nameOf(field) });
      input.type = field.input === 'datetime' ? 'datetime-local' : field.input;
      return drawInput(input, field, drawing);
    }
    case 'select':
    case 'menu':
      return drawSelect(field, drawing);
    case 'selects':
      return drawSelects(field, drawing);
    case 'check':
      return drawCheck(field, drawing);
  }
}

/** In a form the value waits for the button; elsewhere the app hears of it at once. */
function took(field: FieldBlock, drawing: Drawing, value: FieldValue): void {
  drawing.values.set(field.name, value);
  if (!field.isInForm) drawing.choose(field, value);
}

function drawInput<T extends HTMLInputElement | HTMLTextAreaElement>(
  input: T,
  field: FieldBlock,
  drawing: Drawing,
): T {
  const value = valueOf(field, drawing);
  input.value = typeof value === 'string' ? value.slice(0, 100_000).replace(/ [+-]\d{4}$/, '') : '';
  input.placeholder = field.placeholder;
  input.disabled = field.isDisabled;
  input.dataset['focus'] = `field ${field.name}`;
  input.addEventListener('input', () => drawing.values.set(field.name, input.value));
  input.addEventListener('change', () => took(field, drawing, input.value));
  return input;
}

function drawSelect(field: FieldBlock, drawing: Drawing): HTMLElement {
  const select = make('select', { label: nameOf(field), data: { focus: `field ${field.name}` } });
  select.disabled = field.isDisabled;
  const first = field.input === 'menu' ? '⋯' : field.placeholder || 'Select';
  select.append(new Option(first, ''));
  for (const { value, label } of field.options) select.append(new Option(label, value));
  const value = valueOf(field, drawing);
  select.value = typeof value === 'string' ? value : '';
  select.addEventListener('change', () => {
    if (select.value !== '') took(field, drawing, select.value);
    if (field.input === 'menu') select.value = '';
  });
  return select;
}

function drawSelects(field: FieldBlock, drawing: Drawing): HTMLElement {
  const value = valueOf(field, drawing);
  const chosen = new Set<string>(Array.isArray(value) ? (value as readonly string[]) : []);
  const boxes = field.options.map((option) => {
    const box = make('input', { data: { focus: `option ${field.name} ${option.value}` } });
    box.type = 'checkbox';
    box.checked = chosen.has(option.value);
    box.disabled = field.isDisabled;
    box.addEventListener('change', () => {
      if (box.checked) chosen.add(option.value);
      else chosen.delete(option.value);
      drawing.values.set(field.name, [...chosen]);
    });
    return make('label', { class: 'check' }, box, option.label);
  });
  const confirm = button('Confirm', {
    class: 'card-button',
    onClick: () => took(field, drawing, [...chosen]),
  });
  const hint = field.placeholder === '' ? undefined : field.placeholder;
  return make(
    'div',
    { class: 'selects', role: 'group', label: nameOf(field) },
    hint === undefined ? undefined : make('span', { class: 'hint' }, hint),
    ...boxes,
    field.isInForm ? undefined : confirm,
  );
}

function drawCheck(field: FieldBlock, drawing: Drawing): HTMLElement {
  const box = make('input', { data: { focus: `field ${field.name}` } });
  box.type = 'checkbox';
  box.checked = valueOf(field, drawing) === true;
  box.disabled = field.isDisabled;
  box.addEventListener('change', () => took(field, drawing, box.checked));
  return make('label', { class: 'check' }, box, field.label);
}
