/** Reads from an HTTP answer whether the hub itself gave it, and describes it in words. Pure. */
import type { HttpAnswer, HttpResult } from '../net/http.ts';

/** The answer does not come from the hub but from something in front of it. Nothing was delivered. */
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
