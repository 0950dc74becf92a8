/** What the bot says during the proof, and the button that a person presses. */
import type { InboundEvent } from '../../core/message.ts';
import type { Rendered } from '../content/rendered.ts';

/** The button's value. It tells a press on this card from a press on another card. */
const MARK = 'lark_bridge_check';

type Button = Extract<InboundEvent, { kind: 'button' }>;

export function isProofPress(event: InboundEvent): event is Button {
  return event.kind === 'button' && event.value[MARK] === 'press';
}

/** For the owner, who has not written yet. */
export function invitation(): Rendered {
  return cardOf([
    'Hello! I am your new bot, and this is a short check that we understand each other.',
    '1. Reply here with any word.',
    '2. Press the button below.',
  ]);
}

/** For a person who has written already. */
export function secondStep(): Rendered {
  return cardOf(['Your message has arrived. One more step: press the button below.']);
}

export function farewell(): Rendered {
  const text =
    'Everything works: your message and your press have both arrived. From now on your agent answers here, as long as lark-bridge runs.';
  return { kind: 'text', text };
}

function cardOf(lines: readonly string[]): Rendered {
  const card = {
    schema: '2.0',
    config: { update_multi: true, summary: { content: lines[0] } },
    header: { title: { tag: 'plain_text', content: 'lark-bridge: connection check' } },
    body: {
      elements: [
        ...lines.map((content) => ({ tag: 'div', text: { tag: 'plain_text', content } })),
        {
          tag: 'button',
          text: { tag: 'plain_text', content: 'Press me' },
          type: 'primary',
          behaviors: [{ type: 'callback', value: { [MARK]: 'press' } }],
        },
      ],
    },
  };
  return { kind: 'card', card: JSON.stringify(card) };
}
