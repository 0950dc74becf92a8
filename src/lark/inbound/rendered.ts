/** A rendered piece in the form that Lark's message API takes. */
import { LARK_TEXT_BYTES_MAX } from '../../core/limits.ts';
import type { Rendered } from '../../bridge/ports.ts';

export interface LarkContent {
  readonly msg_type: 'text' | 'interactive';
  readonly content: string;
}

/** Undefined if it is longer than Lark takes. */
export function toLarkContent(rendered: Rendered): LarkContent | undefined {
  if (rendered.kind === 'card') return { msg_type: 'interactive', content: rendered.card };
  if (Buffer.byteLength(rendered.text) > LARK_TEXT_BYTES_MAX) return undefined;
  return { msg_type: 'text', content: JSON.stringify({ text: rendered.text }) };
}
