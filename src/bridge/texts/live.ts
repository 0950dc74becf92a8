/** What a live card says, and what is said when a turn is stopped. */
import { notice, type Text } from './text.ts';

export const liveTexts = {
  working: { en: 'Working', zh: '正在处理' },
  stop: { en: 'Stop', zh: '停止' },
  steps: (done: number, all: number): Text => ({
    en: `Steps: ${done} of ${all} done`,
    zh: `步骤：已完成 ${done}/${all}`,
  }),
  goesOn: { en: 'Continued below', zh: '内容见下文' },
} as const;

export const liveNotices = {
  /** In place of a card of which nothing is left to show. */
  below: () => notice('live_below', { en: 'See below.', zh: '见下文。' }),
  over: () => notice('live_over', { en: 'This work is over.', zh: '处理已结束。' }),
} as const;
