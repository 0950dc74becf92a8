/** What an answer over HTTP tells of who gave it, and how it is told in words. Pure. */
import type { HttpAnswer, HttpResult } from '../net/http.ts';

/** The hub did not say this, but something in front of it or in its place: nothing was delivered. */
export function isFromElsewhere({ status, form }: HttpAnswer): boolean {
  if (status >= 300 && status < 400) return true;
  return status === 404 ? form === 'empty' || form === 'html' : status < 300 && form === 'html';
}

const FORMS = {
  html: 'a web page',
  empty: 'no body',
  other: 'something that is not JSON',
} as const;

/** In words, for logs and operators. */
export function describe(result: HttpResult): string {
  if (result.kind !== 'answer') return result.detail;
  const { status, form, body } = result;
  const isRedirect = status >= 300 && status < 400;
  const said = (body as { error?: unknown } | null | undefined)?.error;
  if (typeof said === 'string' && said !== '') return `HTTP ${status}: ${said}`;
  if (isRedirect) return `HTTP ${status}, a redirect, which is not followed`;
  return form === 'json' ? `HTTP ${status}` : `HTTP ${status} with ${FORMS[form]}`;
}
