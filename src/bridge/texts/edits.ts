/** What the bridge says about messages that were changed. */
import { notice } from './text.ts';

export const editNotices = {
  atWork: () =>
    notice('edited', {
      en: 'The agent is already working on your message as it was before the change. If the change matters, please send it as a new message.',
      zh: '智能体已经在处理修改前的消息。如果这个修改很重要，请把它作为新消息发送。',
    }),
} as const;
