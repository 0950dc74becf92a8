import type { AgentTurn } from '../../../src/agents/runtime.ts';

export const SESSION = { id: 'session-1' } as const;

/** A message of a group, in a thread, that replies to another one. */
export const THREAD: Partial<AgentTurn> = {
  session: SESSION,
  lark: {
    brand: 'lark',
    chatId: 'oc_1',
    chatType: 'group',
    senderOpenId: 'ou_1',
    messageId: 'om_1',
  },
  details: {
    senderName: 'Ann',
    quoted: { senderName: 'Bob', text: 'one' },
    thread: [
      { senderName: 'Bob', text: 'one' },
      { senderName: 'Ann', text: 'two' },
    ],
  },
};
