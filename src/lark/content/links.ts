/** Which addresses of an agent's text become links. */
import { LIMITS } from './limits.ts';

const SCHEME = /^(?:https?:\/\/[^/\s]|mailto:[^\s])/i;
/** What would end the address in Markdown, or is no part of any address. The rest stays readable. */
const UNSAFE = /[\s()<>"'`\\|{}^\p{Cc}\u200B-\u200F\u202A-\u202E\u2066-\u2069\uFEFF]/gu;

/** The address in the form in which Markdown takes it. Undefined for everything but http, https and mailto. */
export function linkAddress(address: string): string | undefined {
  const trimmed = address.trim();
  if (trimmed.length > LIMITS.linkCharsMax || !SCHEME.test(trimmed)) return undefined;
  return trimmed.replaceAll(UNSAFE, (sign) => encoded(sign)).replaceAll(/&(?=#?\w{1,32};)/g, '%26');
}

function encoded(sign: string): string {
  // These are not encoded by the function for addresses, but they have a meaning in Markdown.
  if ("()'".includes(sign)) return `%${sign.codePointAt(0)?.toString(16).toUpperCase() ?? ''}`;
  return encodeURIComponent(sign);
}
