/** What the bridge says about messages that a person replies to. */
import { notice } from './text.ts';

export const contextNotices = {
  notRead: () =>
    notice('quoted_not_read', {
      en: 'I could not read the message that you replied to. Please write your question as text.',
      zh: '我无法读取你回复的那条消息。请直接用文字写出你的问题。',
    }),
} as const;
