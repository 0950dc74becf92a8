import { asObject, isObject, type Json } from '../../../core/json-object.ts';
import { textOf } from '../fields.ts';
import { nameOf, namesInText, type Naming } from './mentions.ts';
import { type ReadContent, textPart } from './read-content.ts';
import { link } from './markup.ts';
import { bracketed, oneLine } from './words.ts';

/** Cards of bots are flatter and shorter. */
const DEPTH_MAX = 8;
const ELEMENTS_MAX = 500;

/** A card, in the reduced form in which Lark gives it: its title and the texts in it. */
export const readInteractive: ReadContent = ({ title, elements }, naming) => {
  const reader = new CardReader(naming);
  const lines = reader.lines(elements, 1).filter((line) => line.trim() !== '');
  const head = bracketed('card', labelOf(title));
  return [textPart([head, ...lines].join('\n'))];
};

class CardReader {
  readonly #naming: Naming;
  #left = ELEMENTS_MAX;

  constructor(naming: Naming) {
    this.#naming = naming;
  }

  /** A list of lines; each is an element or a list of elements. */
  lines(value: unknown, depth: number): string[] {
    if (!Array.isArray(value) || depth > DEPTH_MAX) return [];
    return value.map((one: unknown) =>
      (Array.isArray(one) ? (one as unknown[]) : [one])
        .filter(isObject)
        .map((element) => this.#element(element, depth))
        .join(''),
    );
  }

  #element(element: Json, depth: number): string {
    this.#left -= 1;
    if (this.#left < 0) return '';
    const text = namesInText(labelOf(element['text'] ?? element['content']), this.#naming);
    switch (element['tag']) {
      case 'a':
        return link(text, textOf(element['href']));
      case 'at':
        return nameOf(textOf(element['user_id']), this.#naming, textOf(element['user_name']));
      case 'img':
        return '[image]';
      case 'hr':
        return '---';
      case 'button':
        return bracketed('button', text);
      default:
        return text === '' ? this.lines(element['elements'], depth + 1).join('\n') : text;
    }
  }
}

/** A label is a text, or an object with a text. */
function labelOf(value: unknown): string {
  if (typeof value === 'string') return value;
  const { content, text } = asObject(value) ?? {};
  return oneLine(textOf(content ?? text));
}
