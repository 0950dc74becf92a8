/** What belongs to the words of a person, for an agent that reads a prompt. */
import type { Said } from '../core/turn-details.ts';
import type { AgentTurn } from './runtime.ts';

interface SaidAround {
  /** Who wrote it, where several people write. */
  readonly writer: string | undefined;
  /** What was said before and around, each with what it is. */
  readonly texts: readonly { readonly what: string; readonly said: string }[];
}

/** `saidBefore`: what was said in the conversation, for an agent that does not remember it. */
export function saidAround({ lark, details = {} }: AgentTurn, saidBefore: string): SaidAround {
  const { senderName, quoted, thread = [] } = details;
  const isShared = lark !== undefined && lark.chatType !== 'p2p';
  const texts = [
    { what: 'conversation before, which you do not remember', said: saidBefore },
    { what: 'messages of the thread before', said: thread.map(saidLine).join('\n') },
    {
      what: 'message that this one replies to',
      said: quoted === undefined ? '' : saidLine(quoted),
    },
  ];
  return {
    writer: isShared ? senderName : undefined,
    texts: texts.filter(({ said }) => said !== ''),
  };
}

function saidLine({ senderName, text }: Said): string {
  return `${senderName}: ${text}`;
}
