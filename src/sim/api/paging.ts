import type { Call } from './http.ts';

const PAGE_SIZE = 20;
const PAGE_SIZE_MAX = 100;

interface Page<T> {
  readonly items: readonly T[];
  readonly has_more: boolean;
  readonly page_token?: string;
}

/** One page of a list; undefined if the page parameters are invalid. */
export function pageOf<T>(
  call: Call,
  all: readonly T[],
  sizeMax: number = PAGE_SIZE_MAX,
): Page<T> | undefined {
  const size = Number(call.query.get('page_size') ?? PAGE_SIZE);
  const token = call.query.get('page_token') ?? '';
  const from = token === '' ? 0 : Number(Buffer.from(token, 'base64url').toString());
  if (!Number.isInteger(size) || size < 1 || size > sizeMax) return undefined;
  if (!Number.isInteger(from) || from < 0) return undefined;
  const to = from + size;
  const items = all.slice(from, to);
  if (to >= all.length) return { items, has_more: false };
  return { items, has_more: true, page_token: Buffer.from(String(to)).toString('base64url') };
}
