/** What a chat is told of what happens elsewhere. */
import type { NewsContent, NewsField, NewsLevel } from '../../core/content.ts';
import type { Language, Text } from '../../core/language.ts';
import { oneLine } from '../../text/cut.ts';
import { type FollowKind, NEWS_LEVELS, type NewsEvent } from '../ports/news.ts';
import { durationIn } from './durations.ts';
import { inEach, notice, numberIn } from './text.ts';

/** A longer list helps nobody. */
const LINES_MAX = 10;
/** As much as people need to know what it is about. A card of the longest lines fits into the limits of Lark. */
const WORDS_CHARS_MAX = 200;

/** One thing that happened, in words. */
export interface ToldNews {
  readonly event: NewsEvent;
  readonly chat: string;
  readonly agent?: string | undefined;
  readonly tookMs?: number | undefined;
  /** What the person wrote. */
  readonly words?: Text | undefined;
  readonly answer?: string | undefined;
  readonly question?: string | undefined;
  /** Why it went wrong, or how it ended. */
  readonly outcome?: Text | undefined;
  readonly step?: string | undefined;
}

const TITLES: Readonly<Record<NewsEvent, Text>> = {
  'turn.answered': { en: 'Answered', zh: '已回答' },
  'turn.failed': { en: 'No answer', zh: '未能回答' },
  'turn.overdue': { en: 'No answer in time', zh: '未及时回答' },
  'turn.held': { en: 'A decision is needed', zh: '等待决定' },
  'question.asked': { en: 'An agent asks', zh: '智能体提问' },
  'question.ended': { en: 'A question is over', zh: '问题已结束' },
  'tool.done': { en: 'Step done', zh: '步骤完成' },
  'tool.failed': { en: 'Step failed', zh: '步骤失败' },
};

const LABELS = {
  chat: { en: 'Chat', zh: '会话' },
  agent: { en: 'Agent', zh: '智能体' },
  took: { en: 'Took', zh: '用时' },
  words: { en: 'Message', zh: '消息' },
  answer: { en: 'Answer', zh: '回答' },
  question: { en: 'Question', zh: '问题' },
  outcome: { en: 'Outcome', zh: '结果' },
  step: { en: 'Step', zh: '步骤' },
  more: { en: 'More', zh: '更多' },
} as const satisfies Record<string, Text>;

const HEADLINES: Readonly<Record<FollowKind, (count: string) => Text>> = {
  turns: (count) => ({ en: `Answered elsewhere: ${count}`, zh: `其他会话已回答：${count}` }),
  errors: (count) => ({ en: `Trouble elsewhere: ${count}`, zh: `其他会话出现问题：${count}` }),
  questions: (count) => ({ en: `Questions elsewhere: ${count}`, zh: `其他会话的提问：${count}` }),
  tools: (count) => ({ en: `Steps elsewhere: ${count}`, zh: `其他会话的步骤：${count}` }),
};

/** One thing alone, with all that is known of it. */
export function newsOf(news: ToldNews, lang: Language): NewsContent {
  const { event, chat, agent, tookMs, words, answer, question, outcome, step } = news;
  const fields = [
    fieldOf('chat', chat, lang),
    fieldOf('agent', agent, lang),
    fieldOf('took', tookMs === undefined ? undefined : durationIn(lang, tookMs), lang),
    fieldOf('words', words?.[lang], lang),
    fieldOf('step', step, lang),
    fieldOf('question', question, lang),
    fieldOf('answer', answer, lang),
    fieldOf('outcome', outcome?.[lang], lang),
  ].flat();
  return newsContent({ level: NEWS_LEVELS[event], title: TITLES[event][lang], fields }, lang);
}

/** Several things, one line each. `leftOut`: more of them that are not kept. */
export function summaryOf(
  kind: FollowKind,
  { news, leftOut }: { readonly news: readonly ToldNews[]; readonly leftOut: number },
  lang: Language,
): NewsContent {
  const count = news.length + leftOut;
  const shown = news.slice(0, LINES_MAX);
  const more = count - shown.length;
  const fields = [
    ...shown.map(({ event, chat, words, step, question, outcome }) => {
      const about = step ?? question ?? words?.[lang] ?? '';
      const how = event === 'turn.answered' ? undefined : outcome?.[lang];
      const value = [about, how].filter((one) => one !== undefined && one !== '').join(' · ');
      return { label: `${TITLES[event][lang]} · ${short(chat)}`, value: short(value) };
    }),
    ...(more === 0 ? [] : fieldOf('more', numberIn(lang, more), lang)),
  ];
  const level = worstOf(news.map(({ event }) => NEWS_LEVELS[event]));
  const title = HEADLINES[kind](numberIn(lang, count))[lang];
  return newsContent({ level, title, fields }, lang);
}

export function newsContent(
  { fields, ...card }: Pick<NewsContent, 'level' | 'title' | 'fields'>,
  lang: Language,
): NewsContent {
  const lines = fields.map((field) => lineOf(field, lang));
  return { kind: 'news', ...card, fields, text: [card.title, ...lines].join('\n') };
}

export function lineOf({ label, value }: NewsField, lang: Language): string {
  return value === '' ? label : `${label}${lang === 'en' ? ': ' : '：'}${value}`;
}

function fieldOf(name: keyof typeof LABELS, value: string | undefined, lang: Language) {
  return value === undefined || value === ''
    ? []
    : [{ label: LABELS[name][lang], value: short(value) }];
}

function short(text: string): string {
  return oneLine(text, WORDS_CHARS_MAX);
}

function worstOf(levels: readonly NewsLevel[]): NewsLevel {
  return (['error', 'warning'] as const).find((level) => levels.includes(level)) ?? 'info';
}

const KIND_NAMES: Readonly<Record<FollowKind, Text>> = {
  turns: { en: 'answers', zh: '回答' },
  errors: { en: 'what went wrong', zh: '出现的问题' },
  questions: { en: 'questions of agents, and how they end', zh: '智能体的提问及其结果' },
  tools: { en: 'steps that agents have finished', zh: '智能体完成的步骤' },
};

export const followNotices = {
  list: (kinds: readonly FollowKind[]) =>
    notice(
      'follows',
      kinds.length === 0
        ? {
            en: 'This chat follows nothing of other chats. Choose:\n/follow turns\n/follow errors\n/follow questions\n/follow tools',
            zh: '这个会话没有关注其他会话。可选择：\n/follow turns\n/follow errors\n/follow questions\n/follow tools',
          }
        : inEach((lang) => {
            const names = kinds
              .map((kind) =>
                lineOf({ label: `/follow ${kind}`, value: KIND_NAMES[kind][lang] }, lang),
              )
              .join('\n');
            return lang === 'en'
              ? `This chat is told what happens in other chats:\n${names}\nEnd it with /follow off.`
              : `这个会话会收到其他会话的消息：\n${names}\n用 /follow off 停止。`;
          }),
    ),
  /** For the owner, who hears why it is silent there. */
  ended: (chat: string) =>
    notice('follow_ended', {
      en: `I can't write to the chat ${chat} any more, so it follows nothing now. Let me in there again and use /follow there to begin anew.`,
      zh: `我无法再向会话 ${chat} 发送消息，因此它不再关注其他会话。请重新让我加入，然后在那里使用 /follow 命令。`,
    }),
} as const;
