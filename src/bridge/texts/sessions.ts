/** What the bridge says about memories, and about what was said in them. */
import type { Language } from '../../core/language.ts';
import { shortened } from '../../text/cut.ts';
import type { Chosen } from '../ports/sessions.ts';
import { durationIn } from './durations.ts';
import { choosingButton, inEach, menu, notice, type Text } from './text.ts';

/** As much of an id as people need to type it. */
const SHORT_ID_CHARS = 8;
/** As much as fits on a button. */
const LABEL_CHARS_MAX = 40;

export function shortId(id: string): string {
  return id.slice(0, SHORT_ID_CHARS);
}

export const sessionNotices = {
  choiceGone: ({ agent, folder }: Chosen) =>
    agent === undefined
      ? notice('folder_gone', {
          en: `The folder ${folder} is not there any more, or agents may not work in it any more. From now on the agent's own folder counts here. /retry runs this message there, /folder chooses another one.`,
          zh: `文件夹 ${folder} 已不存在，或已不允许智能体在其中工作。从现在起这里使用智能体自己的文件夹。发送 /retry 可在那里运行这条消息，发送 /folder 可选择其他文件夹。`,
        })
      : notice('agent_gone', {
          en: `The agent ${agent} that was chosen here does not exist any more. From now on messages go to the usual agent. /retry runs this message with it, /agent chooses another one.`,
          zh: `这里选择的智能体 ${agent} 已不存在。从现在起消息会发给默认的智能体。发送 /retry 可让它运行这条消息，发送 /agent 可选择其他智能体。`,
        }),
  taskBegins: ({ agent, folder }: Chosen) =>
    notice('task_begins', {
      en: `A new conversation${agent === undefined ? '' : ` with ${agent}`} begins${folder === undefined ? '' : ` in ${folder}`}.`,
      zh: `${folder === undefined ? '' : `在 ${folder} 中`}${agent === undefined ? '' : `与 ${agent} 的`}新对话开始了。`,
    }),
  noSessions: () =>
    notice('no_sessions', {
      en: 'There is no conversation here yet. Write to me, and one begins.',
      zh: '这里还没有对话。给我发消息就会开始一个。',
    }),
  resumed: (session: SessionLine) =>
    notice('resumed', {
      en: `We go on with ${lineIn('en', session)}`,
      zh: `继续这个对话：${lineIn('zh', session)}`,
    }),
  sessionUnknown: () =>
    notice('session_unknown', {
      en: 'I find no such conversation that you can go back to here. /sessions lists them.',
      zh: '没有找到你可以在这里回到的对话。发送 /sessions 可查看列表。',
    }),
  sessionAmbiguous: () =>
    notice('session_ambiguous', {
      en: 'Several conversations begin like this. Please write more of the id.',
      zh: '有多个对话的编号以此开头。请输入更多字符。',
    }),
  sessionBusy: () =>
    notice('session_busy', {
      en: 'The agent is at work in that conversation, in another chat. Wait for its answer or stop it there, and then try again.',
      zh: '智能体正在另一个会话中处理那个对话。请等待回答或在那里停止，然后重试。',
    }),
  noSuchNumber: (count: number) =>
    notice('no_such_number', {
      en: `There is no such number. The list goes from 1 to ${count}.`,
      zh: `没有这个序号。列表的序号从 1 到 ${count}。`,
    }),
  nothingFound: (words: string) =>
    notice('nothing_found', {
      en: `Nothing that was said lately has these words: ${words}`,
      zh: `最近的对话中没有找到：${words}`,
    }),
  nothingToday: () =>
    notice('nothing_today', {
      en: 'Nothing happened here today.',
      zh: '今天这里没有任何活动。',
    }),
} as const;

export interface SessionLine {
  readonly id: string;
  readonly agent: string | undefined;
  readonly folder: string | undefined;
  readonly title: string;
  readonly usedMs: number;
  readonly isCurrent: boolean;
}

/** Each with a button, but the one that is current. */
export function sessionList(sessions: readonly SessionLine[]) {
  const listed = (lang: Language) =>
    sessions
      .map((one, at) => `${one.isCurrent ? '[*]' : '[ ]'} ${at + 1}. ${lineIn(lang, one)}`)
      .join('\n');
  const others = sessions.filter(({ isCurrent }) => !isCurrent);
  return menu(
    'sessions',
    {
      en: `Conversations, the latest first. Write /resume with a number or the beginning of an id to go back to one.\n${listed('en')}`,
      zh: `对话列表，最新的在前。发送 /resume 加序号或编号的开头可以回到一个对话。\n${listed('zh')}`,
    },
    others.map(({ id, title }) =>
      choosingButton(
        'resume',
        id,
        inEach(() => label(`${shortId(id)} ${title}`)),
      ),
    ),
  );
}

function lineIn(lang: Language, { id, agent, folder, title, usedMs }: SessionLine): string {
  const where = [shortId(id), agent, folder].filter((one) => one !== undefined);
  const words = title === '' ? UNTITLED[lang] : title;
  return lang === 'en'
    ? `${where.join(', ')}: ${words} (${durationIn('en', usedMs)} ago)`
    : `${where.join('，')}：${words}（${durationIn('zh', usedMs)}前）`;
}

const UNTITLED: Text = { en: 'without a title', zh: '无标题' };

/** A text that is as long as a button can be. */
export function label(text: string): string {
  return shortened(text.trim(), LABEL_CHARS_MAX);
}

export interface FoundLine {
  readonly atMs: number;
  readonly session: string;
  readonly agent: string | undefined;
  readonly words: string;
}

export function searchResults(words: string, found: readonly FoundLine[]) {
  return notice('found', {
    en: [
      `${words}: ${found.length} found, the latest first. /resume with the id goes back to the conversation.`,
      ...found.map((one) => foundIn('en', one)),
    ].join('\n'),
    zh: [
      `${words}：找到 ${found.length} 条，最新的在前。发送 /resume 加编号可以回到那个对话。`,
      ...found.map((one) => foundIn('zh', one)),
    ].join('\n'),
  });
}

function foundIn(lang: Language, { atMs, session, agent, words }: FoundLine): string {
  const about = [timeOf(atMs), shortId(session), ...(agent === undefined ? [] : [agent])];
  return lang === 'en' ? `- ${about.join(', ')}: ${words}` : `- ${about.join('，')}：${words}`;
}

/** In the time zone of the machine, as `01-31 18:05`. */
function timeOf(atMs: number): string {
  const at = new Date(atMs);
  const [month, day, hours, minutes] = [
    at.getMonth() + 1,
    at.getDate(),
    at.getHours(),
    at.getMinutes(),
  ].map((value) => String(value).padStart(2, '0'));
  return `${month}-${day} ${hours}:${minutes}`;
}

interface TodayView {
  readonly turns: number;
  readonly sessions: number;
  /** Undefined: whoever gets the turns. */
  readonly byAgent: readonly { readonly agent: string | undefined; readonly turns: number }[];
  readonly titles: readonly string[];
}

export function today({ turns, sessions, byAgent, titles }: TodayView) {
  const agents = (lang: Language) =>
    byAgent.map(({ agent, turns: count }) => `${agent ?? USUAL[lang]} ${count}`);
  const lines = (lang: Language) => titles.map((title) => `- ${title || UNTITLED[lang]}`);
  return notice('today', {
    en: [
      `Today: ${turns} messages in ${sessions} conversations`,
      `By agent: ${agents('en').join(', ')}`,
      ...lines('en'),
    ].join('\n'),
    zh: [
      `今天：${sessions} 个对话中的 ${turns} 条消息`,
      `按智能体：${agents('zh').join('，')}`,
      ...lines('zh'),
    ].join('\n'),
  });
}

const USUAL: Text = { en: 'the usual agent', zh: '默认智能体' };
