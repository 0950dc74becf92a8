/** The report of each day. */
import type { NewsContent } from '../../core/content.ts';
import type { Language, Text } from '../../core/language.ts';
import { shortened } from '../../text/cut.ts';
import type { Counted, DayReport, ReportTimes, ShownReport, Spent } from '../ports/reports.ts';
import { lineOf, newsContent } from './news.ts';
import { inEach, notice, numberIn } from './text.ts';

const NAME_CHARS_MAX = 80;

const LABELS = {
  turns: { en: 'Messages', zh: '消息' },
  sessions: { en: 'Conversations', zh: '对话' },
  agents: { en: 'By agent', zh: '按智能体' },
  folders: { en: 'By folder', zh: '按文件夹' },
  spent: { en: 'Cost, as the agents compute it', zh: '费用（由智能体计算）' },
  time: { en: 'Up to', zh: '截至' },
} as const satisfies Record<string, Text>;

interface ReportFacts {
  readonly report: DayReport;
  readonly day: string;
  readonly times: ReportTimes;
}

export function dailyReport({ report, day, times }: ReportFacts, lang: Language): NewsContent {
  const { time, zone } = times;
  const title = { en: `Report of ${day}`, zh: `${day} 的日报` }[lang];
  const fields = [
    ...fieldsOf(report, lang),
    { label: LABELS.time[lang], value: `${time} ${zone}` },
  ];
  const level = report.failed > 0 ? 'warning' : 'info';
  return newsContent({ level, title, fields }, lang);
}

function fieldsOf(report: DayReport, lang: Language) {
  const { sessions, byAgent, byFolder, spent } = report;
  return [
    { label: LABELS.turns[lang], value: turnsIn(lang, report) },
    { label: LABELS.sessions[lang], value: numberIn(lang, sessions) },
    { label: LABELS.agents[lang], value: linesOf(byAgent, lang) },
    { label: LABELS.folders[lang], value: linesOf(byFolder, lang) },
    { label: LABELS.spent[lang], value: spent.map((one) => amountIn(lang, one)).join('\n') },
  ].filter(({ value }) => value !== '');
}

function turnsIn(lang: Language, { turns, answered, failed, open, isCut }: DayReport): string {
  const all = `${numberIn(lang, turns)}${isCut ? '+' : ''}`;
  const counts = [answered, failed, open].map((count) => numberIn(lang, count));
  const [ok, bad, rest] = counts;
  return lang === 'en'
    ? `${all} (answered: ${ok}, without an answer: ${bad}, open: ${rest})`
    : `${all}（已回答：${ok}，未回答：${bad}，进行中：${rest}）`;
}

function linesOf(counted: readonly Counted[], lang: Language): string {
  return counted
    .map(({ name, turns }) => {
      const label = shortened(name, NAME_CHARS_MAX);
      return lineOf({ label, value: numberIn(lang, turns) }, lang);
    })
    .join('\n');
}

function amountIn(lang: Language, { amount, currency }: Spent): string {
  return `${numberIn(lang, Math.round(amount * 100) / 100)} ${shortened(currency, 10)}`;
}

export const reportNotices = {
  begun: ({ time, zone }: ReportTimes) =>
    notice('report_begun', {
      en: `From now on I send a report here each day at ${time} (${zone}). End it with /report off.`,
      zh: `从现在起我每天 ${time}（${zone}）在这里发送报告。用 /report off 停止。`,
    }),
  ended: () =>
    notice('report_ended', {
      en: 'I send no report here any more.',
      zh: '我不再在这里发送报告。',
    }),
  now: ({ report, times }: ShownReport) =>
    notice(
      'report',
      inEach((lang) => {
        const head =
          times === undefined
            ? {
                en: 'The last 24 hours. No report comes here by itself: choose a time, as in /report 18:00.',
                zh: '最近 24 小时。这里不会自动发送报告，可用 /report 命令选择时间。',
              }
            : {
                en: `Since the last report. It comes here each day at ${times.time} (${times.zone}).`,
                zh: `上次报告以来。每天 ${times.time}（${times.zone}）在这里发送。`,
              };
        const lines = fieldsOf(report, lang).map((field) => lineOf(field, lang));
        return [head[lang], ...lines].join('\n');
      }),
    ),
} as const;
