/** What the bot shows during the proof, and the button that a person presses. */
import type { InboundEvent } from '../../core/message.ts';
import type { Rendered } from '../content/rendered.ts';

/** The button's value. It tells a press on this card from a press on another card. */
const MARK = 'lark_bridge_check';

type Button = Extract<InboundEvent, { kind: 'button' }>;

export interface ProofTexts {
  readonly title: string;
  /** For the owner, who has not written yet. */
  readonly invitation: readonly string[];
  /** For a person who has written already. */
  readonly secondStep: string;
  readonly press: string;
  readonly farewell: string;
}

export function isProofPress(event: InboundEvent): event is Button {
  return event.kind === 'button' && event.value[MARK] === 'press';
}

/** A card with these lines and the button. */
export function proofCard(
  { title, press }: Pick<ProofTexts, 'title' | 'press'>,
  lines: readonly string[],
): Rendered {
  const card = {
    schema: '2.0',
    config: { update_multi: true, summary: { content: lines[0] } },
    header: { title: { tag: 'plain_text', content: title } },
    body: {
      elements: [
        ...lines.map((content) => ({ tag: 'div', text: { tag: 'plain_text', content } })),
        {
          tag: 'button',
          text: { tag: 'plain_text', content: press },
          type: 'primary',
          behaviors: [{ type: 'callback', value: { [MARK]: 'press' } }],
        },
      ],
    },
  };
  return { kind: 'card', card: JSON.stringify(card) };
}
