/** What a person sees at once who has pressed a button. */
import type { Text } from './text.ts';

/** What was done. */
export const pressDone = {
  run: { en: 'It runs.', zh: '已开始运行。' },
  retry: { en: 'It runs again.', zh: '已重新运行。' },
  skip: { en: 'Skipped.', zh: '已跳过。' },
  stop: { en: 'I stop it.', zh: '正在停止。' },
  allow: { en: 'Allowed.', zh: '已允许。' },
  block: { en: 'Blocked.', zh: '已屏蔽。' },
} as const satisfies Record<string, Text>;

/** For buttons whose decision can also be typed. */
export const TYPE_INSTEAD: Text = {
  en: ' Send /run, /skip or /retry.',
  zh: '请发送 /run、/skip 或 /retry。',
};

export const pressTexts = {
  /** For a command: its answer comes as a message. */
  answered: { en: 'My answer comes here.', zh: '回复会显示在这里。' },
  notValid: {
    en: 'This button does not belong here, so it does nothing.',
    zh: '这个按钮不属于这里，点击无效。',
  },
  tooOld: {
    en: 'This button is too old, so it does nothing.',
    zh: '这个按钮已失效，点击无效。',
  },
  notLetIn: {
    en: 'You may not talk to this bot here, so the button does nothing.',
    zh: '你不能在这里与这个机器人对话，点击无效。',
  },
  notYours: {
    en: 'Only the person who asked can decide about this message.',
    zh: '只有提问的人可以决定这条消息。',
  },
  notYoursToRetry: {
    en: 'Only the person who asked can decide about this message. Send /retry to run it as yourself.',
    zh: '只有提问的人可以决定这条消息。发送 /retry 可以以你自己的身份运行。',
  },
  notOwner: {
    en: 'Only the owner of this bot can decide this.',
    zh: '只有这个机器人的所有者可以决定。',
  },
  used: { en: 'You have decided this already.', zh: '你已经决定过了。' },
  nothingLeft: {
    en: 'Nothing waits for this decision any more.',
    zh: '已没有等待这个决定的消息。',
  },
  over: { en: 'It is over already.', zh: '它已经结束了。' },
} as const satisfies Record<string, Text>;
