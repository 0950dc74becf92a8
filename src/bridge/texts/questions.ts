/** What the bridge says about questions of agents. */
import type { QuestionEndReason, QuestionState } from '../ports/questions.ts';
import { notice, numberIn, type Text } from './text.ts';

const MINUTE_MS = 60_000;

/** How long something takes, in whole minutes, or in seconds if it is short. */
export function duration(ms: number): Text {
  const isLong = ms >= 2 * MINUTE_MS;
  const count = Math.max(1, Math.round(ms / (isLong ? MINUTE_MS : 1_000)));
  const unit = isLong ? 'minutes' : count === 1 ? 'second' : 'seconds';
  return {
    en: `${numberIn('en', count)} ${unit}`,
    zh: `${numberIn('zh', count)} ${isLong ? '分钟' : '秒'}`,
  };
}

interface HintFacts {
  readonly waitMs: number;
  readonly isForOwner: boolean;
  readonly hasButtons: boolean;
  /** There only messages that mention the bot reach it. */
  readonly isInGroup: boolean;
  /** What is an answer: one of the options, words of one's own, or either. */
  readonly takes: 'options' | 'words' | 'both';
}

const HOW = {
  direct: {
    pressed: {
      en: 'Press a button, or send the answer or its number.',
      zh: '请点击按钮，或发送答案或其编号。',
    },
    typed: { en: 'Send the answer or its number.', zh: '请发送答案或其编号。' },
    words: {
      en: 'Your next message here is the answer, unless it is a command.',
      zh: '你在这里的下一条消息就是回答（命令除外）。',
    },
  },
  group: {
    pressed: {
      en: 'Press a button, or mention me with the answer or its number.',
      zh: '请点击按钮，或@我并发送答案或其编号。',
    },
    typed: { en: 'Mention me with the answer or its number.', zh: '请@我并发送答案或其编号。' },
    words: {
      en: 'The next message with which you mention me here is the answer, unless it is a command.',
      zh: '你在这里@我的下一条消息就是回答（命令除外）。',
    },
  },
} as const satisfies Record<string, Record<string, Text>>;

/** How to answer. */
export function answerHint({ waitMs, isForOwner, hasButtons, isInGroup, takes }: HintFacts): Text {
  const wait = duration(waitMs);
  const who: Text = isForOwner
    ? { en: 'Only the owner of this bot can answer. ', zh: '只有这个机器人的所有者可以回答。' }
    : { en: '', zh: '' };
  const { words, ...chosen } = HOW[isInGroup ? 'group' : 'direct'];
  const choice = chosen[hasButtons ? 'pressed' : 'typed'];
  const how: Text =
    takes === 'options'
      ? choice
      : takes === 'words'
        ? words
        : {
            en: `${choice.en} Or in your own words: ${words.en}`,
            zh: `${choice.zh}也可以用自己的话回答：${words.zh}`,
          };
  return {
    en: `${who.en}${how.en} I wait ${wait.en}.`,
    zh: `${who.zh}${how.zh}等待时间：${wait.zh}。`,
  };
}

export function heading(number: number): Text {
  return { en: `Question ${number}`, zh: `问题 ${number}` };
}

export const WITHDRAWN: Text = {
  en: 'This question is over, because the message was recalled.',
  zh: '这个问题已失效：消息已被撤回。',
};

const WHY_OVER: Readonly<Record<QuestionEndReason, Text>> = {
  restarted: {
    en: 'This question is over, because the agent was interrupted. If it runs again, it asks again.',
    zh: '这个问题已失效：智能体被中断了。如果它再次运行，会重新提问。',
  },
  not_needed: {
    en: 'This question is over, because the agent has finished without an answer to it.',
    zh: '这个问题已失效：智能体没有等待回答就已结束。',
  },
  turn_ended: {
    en: 'This question is over, because the agent has ended.',
    zh: '这个问题已失效：智能体已结束。',
  },
  stopped: {
    en: 'This question is over, because the agent was stopped.',
    zh: '这个问题已失效：智能体已被停止。',
  },
  recalled: WITHDRAWN,
  no_owner: {
    en: 'Only the owner of this bot could answer this, and I do not know who that is. Please tell the operator.',
    zh: '只有这个机器人的所有者可以回答，但我不知道所有者是谁。请告诉管理员。',
  },
  not_shown: {
    en: 'This question is over, because it could not be shown.',
    zh: '这个问题已失效：无法显示。',
  },
  not_heard: {
    en: 'This question is over: the answer came, but the agent did not wait for it any more.',
    zh: '这个问题已失效：已有人回答，但智能体已不再等待。',
  },
};

const EXPIRED: Text = {
  en: 'This question is over, because nobody answered in time.',
  zh: '这个问题已失效：没有人及时回答。',
};

/** How a question ended. */
export function outcomeText(state: Exclude<QuestionState, { phase: 'open' }>): Text {
  switch (state.phase) {
    case 'answered':
      return answered(state);
    case 'expired':
      return EXPIRED;
    case 'over':
      return WHY_OVER[state.why];
  }
}

type Answered = Extract<QuestionState, { phase: 'answered' }>;

const IN_WORDS: Text = { en: 'Answered in words.', zh: '已用文字回答。' };

function answered({ option, always }: Answered): Text {
  if (option === undefined) return IN_WORDS;
  const more = always === true ? ALWAYS : NOTHING;
  return { en: `Answer: ${option.label}${more.en}`, zh: `回答：${option.label}${more.zh}` };
}

const ALWAYS: Text = {
  en: ', and always here from now on (/approvals)',
  zh: '，今后在此始终允许（/approvals）',
};
const NOTHING: Text = { en: '', zh: '' };

/** Once a question is answered the next one who answers is told so. */
export function lateText(state: Exclude<QuestionState, { phase: 'open' }>): Text {
  if (state.phase !== 'answered') return outcomeText(state);
  const label = state.option?.label;
  if (label === undefined) return { en: 'This is answered already.', zh: '已有人回答。' };
  return { en: `This is answered already: ${label}`, zh: `已有人回答：${label}` };
}

export const answerTexts = {
  ownerOnly: {
    en: 'Only the owner of this bot can answer this.',
    zh: '只有这个机器人的所有者可以回答。',
  },
  gone: {
    en: 'This question is over.',
    zh: '这个问题已失效。',
  },
} as const satisfies Record<string, Text>;

export const questionNotices = {
  late: (state: Exclude<QuestionState, { phase: 'open' }>) =>
    notice('question_late', lateText(state)),
  /** For words that were taken for an answer and came too late for it. */
  wordsLate: (state: Exclude<QuestionState, { phase: 'open' }>) => {
    const late = lateText(state);
    return notice('question_late', {
      en: `${late.en} Your message was not given to the agent. Please send it again if it is to have it.`,
      zh: `${late.zh}你的消息没有交给智能体。如仍需要，请重新发送。`,
    });
  },
} as const;
