/** Agents put this before what went wrong (MOL-RES-02). */
const AGENT_ERROR = 'Agent error:';

/** What an agent's text says: an answer, or what went wrong. */
export function saidBy(
  text: string,
):
  | { readonly kind: 'answered'; readonly text: string }
  | { readonly kind: 'failed'; readonly detail: string } {
  return text.startsWith(AGENT_ERROR)
    ? { kind: 'failed', detail: text.slice(AGENT_ERROR.length).trim() }
    : { kind: 'answered', text };
}
