import { asObject } from '../../../core/json-object.ts';
import { namesInText } from './mentions.ts';
import { parseJson } from './parse-json.ts';
import { type ReadContent, textPart } from './read-content.ts';

/** Byte for byte as it was written, with names in the place of mentions. */
export const readText: ReadContent = ({ text }, naming) =>
  typeof text === 'string' ? [textPart(namesInText(text, naming))] : undefined;

/** The text inside `{"text":"…"}`, unchanged. */
export function writtenText(json: unknown): string | undefined {
  const text = asObject(parseJson(json))?.['text'];
  return typeof text === 'string' ? text : undefined;
}
