/** Reads single fields of what Lark delivers. */
import { isObject, type Json } from '../../core/json-object.ts';
import { LARK_ID_PATTERN } from '../../core/ids.ts';

/** The objects in a list. Empty for anything that is no list. */
export function listOf(value: unknown): Json[] {
  if (!Array.isArray(value)) return [];
  return value.filter(isObject);
}

export function isText(value: unknown): value is string {
  return typeof value === 'string' && value !== '';
}

export function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

export function idOf(value: unknown): string | undefined {
  return typeof value === 'string' && LARK_ID_PATTERN.test(value) ? value : undefined;
}

/** Lark leaves out an id or sends it empty. Null: there is one, but it is not valid. */
export function optionalId(value: unknown): string | null | undefined {
  if (value === undefined || value === null || value === '') return undefined;
  return idOf(value) ?? null;
}

/** Lark promises milliseconds. Ten digits are seconds, because as milliseconds they would be in 1970. */
export function millis(value: unknown): number | undefined {
  const digits = typeof value === 'number' ? String(value) : textOf(value);
  if (/^\d{12,14}$/.test(digits)) return Number(digits);
  return /^\d{10}$/.test(digits) ? Number(digits) * 1000 : undefined;
}
