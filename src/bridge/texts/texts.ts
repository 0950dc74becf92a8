/** What the bridge says in a chat about turns and their answers. */
import type { Language } from '../../core/language.ts';
import type { HoldReason } from '../../core/turn.ts';
import type { Show } from '../outbox/show.ts';
import type { TurnQuestion } from '../ports/target.ts';
import { HAS_TO_LOG_IN, logIn } from './owner-notices.ts';
import { reasonText } from './reasons.ts';
import { button, choice, inEach, inLanguage, listIn, notice, numberIn, type Text } from './text.ts';

const RETRY: Text = {
  en: 'Send /retry to run it again.',
  zh: '发送 /retry 可以重新运行。',
};

export const notices = {
  unsupported: (messageType: string) =>
    notice('unsupported', {
      en: `I can't read messages of this kind (${messageType}). Please send it as text.`,
      zh: `我无法读取这种类型的消息（${messageType}）。请以文本形式发送。`,
    }),
  unreadable: () =>
    notice('unreadable', {
      en: 'Your message reached me damaged, and I could not read it. Please send it again.',
      zh: '你的消息到达时已损坏，我无法读取，请重新发送。',
    }),
  empty: () =>
    notice('empty', {
      en: 'I see no question in your message. What can I do for you?',
      zh: '我在你的消息中没有看到问题。需要我做什么？',
    }),
  emptyAnswer: () =>
    notice('empty_answer', {
      en: 'The agent finished without an answer.',
      zh: '智能体已结束，但没有给出回答。',
    }),
  refused: (detail: string) => {
    const reason = reasonText(detail);
    return notice('refused', {
      en: `I could not pass your message to the agent: ${reason.en} ${RETRY.en}`,
      zh: `我无法把你的消息交给智能体：${reason.zh}${RETRY.zh}`,
    });
  },
  unanswerable: () =>
    notice('unanswerable', {
      en: "The agent has your message, but its answer can't come back to this chat. Whoever runs this bot finds in its log what to do.",
      zh: '智能体已收到你的消息，但它的回答无法回到这个会话。机器人的管理员可以在日志中看到处理方法。',
    }),
  agentFailed: (detail: string, lastWords?: string) => {
    const reason = reasonText(detail);
    const [en, zh] =
      lastWords === undefined
        ? ['', '']
        : [`\n\nIts last words:\n${lastWords}`, `\n\n它最后的输出：\n${lastWords}`];
    return notice('agent_failed', {
      en: `The agent could not answer: ${reason.en} ${RETRY.en}${en}`,
      zh: `智能体未能回答：${reason.zh}${RETRY.zh}${zh}`,
    });
  },
  /** Below an answer. */
  warning: (detail: string) => {
    const reason = reasonText(detail);
    return notice('answer_warning', {
      en: `⚠️ This may not be all: ${reason.en}`,
      zh: `⚠️ 回答可能不完整：${reason.zh}`,
    });
  },
  timedOut: () =>
    notice('timed_out', {
      en: `The agent took too long, so I stopped waiting for it. ${RETRY.en}`,
      zh: `智能体用时过长，我已不再等待。${RETRY.zh}`,
    }),
  overdue: () =>
    notice('overdue', {
      en: 'The agent is taking unusually long. If its answer still comes, I will show it here; the next messages go on meanwhile.',
      zh: '智能体用时比平常长。如果之后收到回答，我会显示在这里；后面的消息会继续处理。',
    }),
  queued: (ahead: number) =>
    notice(
      'queued',
      ahead === 0
        ? {
            en: 'Your message is next in this chat. The agent is at work on others.',
            zh: '你的消息是这个会话的下一条。智能体正在处理其他消息。',
          }
        : {
            en: `Your message is in the queue, with ${numberIn('en', ahead)} before it.`,
            zh: `你的消息正在排队，前面还有 ${numberIn('zh', ahead)} 条。`,
          },
    ),
  inDoubt: () =>
    notice('in_doubt', {
      en: 'The connection to the agent broke during the message before yours. I wait up to a minute to see whether that one is answered, and then send yours.',
      zh: '处理上一条消息时，与智能体的连接中断了。我最多等待一分钟，看那条消息是否得到回答，然后发送你的消息。',
    }),
  offline: () =>
    notice('offline', {
      en: 'The agent is not reachable at the moment. I keep your message and try again.',
      zh: '目前无法连接智能体。我会保留你的消息并再次尝试。',
    }),
  nothingMeant: () =>
    notice('nothing_meant', {
      en: 'Nothing of yours waits for a decision here.',
      zh: '这里没有需要你决定的消息。',
    }),
  skipped: () => notice('skipped', { en: 'Skipped.', zh: '已跳过。' }),
  undeliverable: () =>
    notice('undeliverable', {
      en: 'The agent answered, but Lark refused to show the answer (its content or size). The operator can see it in the dead letters.',
      zh: '智能体已回答，但 Lark 拒绝显示这个回答（内容或长度）。管理员可以在死信列表中查看。',
    }),
} as const;

/** This many files are named. A longer list helps nobody. */
const FILES_NAMED_MAX = 20;

/** The agent's text, and below it the names of the files, which can't be shown yet. */
export function withFiles(text: string | Text, files: readonly string[] = []): string | Text {
  if (files.length === 0) return text;
  const names = files.slice(0, FILES_NAMED_MAX);
  const more = files.length - names.length;
  const line: Text = {
    en: `Files came with this answer. I can't show them here yet: ${listIn('en', more > 0 ? [...names, `${numberIn('en', more)} more`] : names)}`,
    zh: `这个回答附带了文件，目前无法在这里显示：${listIn('zh', more > 0 ? [...names, `另外 ${numberIn('zh', more)} 个`] : names)}`,
  };
  return inEach((lang) => {
    const words = inLanguage(text, lang);
    return words.trim() === '' ? line[lang] : `${words}\n\n${line[lang]}`;
  });
}

const QUESTIONS_WITHOUT_TEXT: Readonly<Record<TurnQuestion['wants'], Text>> = {
  input: {
    en: 'The agent needs more from you before it can go on, but did not say what. Please write it some more.',
    zh: '智能体需要你提供更多信息才能继续，但没有说明需要什么。请再补充一些内容。',
  },
  sign_in: {
    en: 'The agent needs you to sign in before it can go on, but did not say where.',
    zh: '智能体需要你登录后才能继续，但没有说明在哪里登录。',
  },
};

const SIGN_IN: Text = {
  en: 'The agent needs you to sign in before it can go on:',
  zh: '智能体需要你登录后才能继续：',
};

/** What the agent wants from the person, with the agent's text. */
export function question(wants: TurnQuestion['wants'], words: string): string | Text {
  if (words === '') return QUESTIONS_WITHOUT_TEXT[wants];
  return wants === 'input' ? words : inEach((lang) => `${SIGN_IN[lang]}\n${words}`);
}

const RUN = button('run', 'primary', { en: 'Run', zh: '运行' });
const SKIP = button('skip', 'default', { en: 'Skip', zh: '跳过' });
export const AGAIN = button('retry', 'primary', { en: 'Run again', zh: '重新运行' });

type ShownChoice = Extract<Show, { what: 'choice' }>;

export const choices: Record<HoldReason, () => ShownChoice> & {
  /** Without a command for people who can't run it. */
  readonly login: (command?: string) => ShownChoice;
} = {
  login: (command) => {
    const how = command === undefined ? HAS_TO_LOG_IN : logIn(command);
    const text = inEach((lang) => `${how[lang]}${lang === 'en' ? ' ' : ''}${RETRY[lang]}`);
    return choice('agent_login', text, [AGAIN]);
  },
  stale: () =>
    choice(
      'stale',
      {
        en: 'I was away when this was sent. Shall I still run what came in meanwhile? Press a button, or answer /run or /skip.',
        zh: '这条消息发送时我不在线。还需要运行这段时间收到的消息吗？请点击按钮，或回复 /run 或 /skip。',
      },
      [RUN, SKIP],
    ),
  restored: () =>
    choice(
      'restored',
      {
        en: 'I was restored from a backup, and I do not remember what was sent here after it was made. If you still wait for an answer, press Run or answer /run: I then run all of your messages that I do not remember. If you have your answers, press Skip or answer /skip.',
        zh: '我刚从备份恢复，不记得备份之后在这里收到的消息。如果你还在等待回答，请点击“运行”或回复 /run，我会运行你的所有我不记得的消息。如果已经得到回答，请点击“跳过”或回复 /skip。',
      },
      [RUN, SKIP],
    ),
  unknown: () =>
    choice(
      'unknown',
      {
        en: 'The connection to the agent broke, and I cannot tell whether it got your message. Press the button or answer /retry to run it again, or /skip to leave it.',
        zh: '与智能体的连接中断了，我无法确定它是否收到了你的消息。点击按钮或回复 /retry 可重新运行，回复 /skip 可跳过。',
      },
      [AGAIN, SKIP],
    ),
  interrupted: () =>
    choice(
      'interrupted',
      {
        en: 'The agent was interrupted in the middle of this. Press the button or answer /retry to run it again, or /skip to leave it.',
        zh: '智能体在处理过程中被中断了。点击按钮或回复 /retry 可重新运行，回复 /skip 可跳过。',
      },
      [AGAIN, SKIP],
    ),
};

const PROOF = {
  title: { en: 'lark-bridge: connection check', zh: 'lark-bridge：连接检查' },
  hello: {
    en: 'Hello! I am your new bot, and this is a short check that we understand each other.',
    zh: '你好！我是你的新机器人。这是一次简短的检查，确认我们能互相收到消息。',
  },
  reply: { en: '1. Reply here with any word.', zh: '1. 请在这里回复任意内容。' },
  pressBelow: { en: '2. Press the button below.', zh: '2. 请点击下面的按钮。' },
  secondStep: {
    en: 'Your message has arrived. One more step: press the button below.',
    zh: '已收到你的消息。还有一步：请点击下面的按钮。',
  },
  press: { en: 'Press me', zh: '点击这里' },
  farewell: {
    en: 'Everything works: your message and your press have both arrived. From now on your agent answers here, as long as lark-bridge runs.',
    zh: '一切正常：你的消息和点击都已收到。从现在起，只要 lark-bridge 在运行，你的智能体就会在这里回答。',
  },
} as const satisfies Record<string, Text>;

/** What the bot says while `connect` proves that messages arrive. */
export function proofTexts(lang: Language) {
  return {
    title: PROOF.title[lang],
    /** For the owner, who has not written yet. */
    invitation: [PROOF.hello[lang], PROOF.reply[lang], PROOF.pressBelow[lang]],
    /** For a person who has written already. */
    secondStep: PROOF.secondStep[lang],
    press: PROOF.press[lang],
    farewell: PROOF.farewell[lang],
  };
}
