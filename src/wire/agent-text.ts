/** With this prefix an agent's text tells what went wrong (MOL-RES-02). */
const AGENT_ERROR = 'Agent error:';

/** Whether an agent's text is an answer or tells what went wrong. */
export function saidBy(
  text: string,
):
  | { readonly kind: 'answered'; readonly text: string }
  | { readonly kind: 'failed'; readonly detail: string } {
  return text.startsWith(AGENT_ERROR)
    ? { kind: 'failed', detail: text.slice(AGENT_ERROR.length).trim() }
    : { kind: 'answered', text };
}
