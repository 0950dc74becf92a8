/** What a live card says, and what is said when a turn is stopped. */
import type { Language } from '../../core/language.ts';
import type { DoneSoFar } from '../ports/live.ts';
import type { TurnUsage } from '../../core/turn-update.ts';
import { inEach, moneyIn, notice, numberIn, type Text } from './text.ts';

export const liveTexts = {
  working: { en: 'Working', zh: '正在处理' },
  stop: { en: 'Stop', zh: '停止' },
  steps: (done: number, all: number): Text => ({
    en: `Steps: ${done} of ${all} done`,
    zh: `步骤：已完成 ${done}/${all}`,
  }),
  thinks: { en: 'Thoughts', zh: '思考过程' },
  cutBefore: (chars: number): Text => ({
    en: `… ${numberIn('en', chars)} characters before this are not shown`,
    zh: `……前面还有 ${numberIn('zh', chars)} 个字符未显示`,
  }),
  cutAfter: (lines: number): Text => ({
    en: `… ${numberIn('en', lines)} more lines`,
    zh: `……还有 ${numberIn('zh', lines)} 行`,
  }),
  planMore: (count: number): Text => ({
    en: `… and ${numberIn('en', count)} more`,
    zh: `……另外还有 ${numberIn('zh', count)} 项`,
  }),
  goesOn: { en: 'Continued below', zh: '内容见下文' },
} as const;

export const liveNotices = {
  /** In place of a card of which nothing is left to show. */
  below: () => notice('live_below', { en: 'See below.', zh: '见下文。' }),
  over: () => notice('live_over', { en: 'This work is over.', zh: '处理已结束。' }),
} as const;

const SIGNS = { running: '⏳', done: '✅', failed: '❌' } as const;

/** What an agent had done before it was interrupted. Undefined: nobody knows of anything. */
export function doneSoFar({ steps, lastWords }: DoneSoFar): Text | undefined {
  const lines = steps.map(({ title, status }) => `${SIGNS[status]} ${title}`);
  const words = lastWords.trim();
  if (lines.length === 0 && words === '') return undefined;
  const done = (head: string) => (lines.length === 0 ? [] : [head, ...lines]);
  const said = (head: string) => (words === '' ? [] : [head, words]);
  return {
    en: [...done('What it did before that, as far as I know:'), ...said('Its last words:')].join(
      '\n',
    ),
    zh: [...done('据我所知，它之前做了：'), ...said('它最后说的话：')].join('\n'),
  };
}

/** One line for what a turn has used. Undefined: its agent told nothing. */
export function usageLine(usage: TurnUsage): Text | undefined {
  const { inputTokens, outputTokens, contextTokens, contextSize = 0, cost } = usage;
  const share =
    contextTokens === undefined || contextSize <= 0 ? undefined : contextTokens / contextSize;
  const parts = (lang: Language) => {
    const say = (value: number | undefined, words: (number: string) => Text) =>
      value === undefined || !Number.isFinite(value) ? [] : [words(numberIn(lang, value))[lang]];
    return [
      ...say(inputTokens, (number) => ({ en: `${number} tokens in`, zh: `输入 ${number} 词元` })),
      ...say(outputTokens, (number) => ({ en: `${number} tokens out`, zh: `输出 ${number} 词元` })),
      ...say(share && Math.round(share * 100), (number) => ({
        en: `memory ${number} % full`,
        zh: `记忆已用 ${number}%`,
      })),
      ...(cost === undefined ? [] : [costOf(lang, moneyIn(lang, cost))]),
    ];
  };
  const line = inEach((lang) => parts(lang).join(' · '));
  return line.en === '' ? undefined : line;
}

function costOf(lang: Language, money: string): string {
  return lang === 'en' ? `${money} for the conversation` : `对话费用 ${money}`;
}
