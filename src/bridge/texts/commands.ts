/** What the bridge answers to commands. */
import type { CommandName } from '../../core/content.ts';
import type { Language } from '../../core/language.ts';
import type { ShownMenuButton } from '../outbox/show.ts';
import type { ChosenLanguage } from '../ports/languages.ts';
import type { Diagnosis } from '../ports/commands.ts';
import { type CommandRow, COMMANDS } from '../commands/table.ts';
import { durationIn } from './durations.ts';
import { shortId } from './sessions.ts';
import { inEach, menu, menuButton, notice, type Text } from './text.ts';

const BUTTONS = {
  help: menuButton('help', { en: 'Help', zh: '帮助' }),
  status: menuButton('status', { en: 'Status', zh: '状态' }),
  new: menuButton('new', { en: 'New conversation', zh: '新对话' }),
  stop: menuButton('stop', { en: 'Stop', zh: '停止' }),
} as const satisfies Readonly<Record<string, ShownMenuButton>>;

export const commandNotices = {
  stopped: ({ isOwn }: { isOwn: boolean }) =>
    notice(
      'stopped',
      isOwn
        ? { en: 'Stopped.', zh: '已停止。' }
        : { en: 'The owner of this bot has stopped this.', zh: '机器人的所有者已停止这项工作。' },
    ),
  nothingAtWork: () =>
    notice('nothing_at_work', {
      en: 'Nothing of yours is at work here.',
      zh: '这里没有正在处理的你的消息。',
    }),
  notYoursToStop: () =>
    notice('not_yours_to_stop', {
      en: 'I am at work on a message of another person. Only that person and the owner of this bot can stop it.',
      zh: '我正在处理另一个人的消息。只有那个人和机器人的所有者可以停止。',
    }),
  newSession: () =>
    notice('new_session', {
      en: 'A new conversation begins here. Messages that wait already belong to the one before.',
      zh: '新的对话从这里开始。已在排队的消息仍属于之前的对话。',
    }),
  ownerOnly: () =>
    notice('owner_only', {
      en: 'Only the owner of this bot can use this command.',
      zh: '只有机器人的所有者可以使用这个命令。',
    }),
  notHere: () =>
    notice('not_here', {
      en: 'This command does not exist here.',
      zh: '这里没有这个命令。',
    }),
  mistyped: ({ word, nearest }: { word: string; nearest: string }) =>
    notice('mistyped', {
      en: `I don't know ${word}. Did you mean ${nearest}? Nothing was done.`,
      zh: `我不认识 ${word}。你是想输入 ${nearest} 吗？没有执行任何操作。`,
    }),
  usage: (name: CommandName, prefix: string) =>
    notice('usage', {
      en: `Please write it like this: ${usageOf(name, prefix).en}`,
      zh: `请这样输入：${usageOf(name, prefix).zh}`,
    }),
  /** In a direct chat there is no group that could be meant. */
  usageAlone: (name: CommandName, prefix: string) =>
    notice('usage_alone', {
      en: `In a direct chat this command needs more: ${usageOf(name, prefix).en}`,
      zh: `在单聊中，这个命令需要更多内容：${usageOf(name, prefix).zh}`,
    }),
  language: (language: ChosenLanguage) => notice('language', LANGUAGE[language]),
  reconnecting: () =>
    notice('reconnecting', {
      en: 'I drop the connection to Lark and connect again. Messages that come meanwhile are not lost.',
      zh: '正在断开并重新连接 Lark。这期间的消息不会丢失。',
    }),
  accessDone: (name: 'allow' | 'block' | 'revoke') => notice(`access_${name}`, ACCESS[name]),
  accessUnchanged: () =>
    notice('access_unchanged', { en: 'That is so already.', zh: '已经是这样了。' }),
  accessUnknown: () =>
    notice('access_unknown', {
      en: 'I know no such person or code. A code is valid for an hour.',
      zh: '我不认识这个人或这个配对码。配对码一小时内有效。',
    }),
  accessRefused: () =>
    notice('access_refused', { en: 'That is not possible here.', zh: '这里无法这样做。' }),
} as const;

const LANGUAGE: Readonly<Record<ChosenLanguage, Text>> = {
  en: { en: 'From now on I write to you in English.', zh: '从现在起我用英文回复你。' },
  zh: { en: 'From now on I write to you in Chinese.', zh: '从现在起我用中文回复你。' },
  auto: {
    en: 'From now on I write to you in the language of this bot.',
    zh: '从现在起我用机器人的默认语言回复你。',
  },
};

const ACCESS: Readonly<Record<'allow' | 'block' | 'revoke', Text>> = {
  allow: { en: 'Done: I answer there from now on.', zh: '好的，从现在起我会回答。' },
  block: { en: 'Done: I do not answer there any more.', zh: '好的，从现在起我不再回答。' },
  revoke: { en: 'Done: the permission is taken back.', zh: '好的，已撤销许可。' },
};

function usageOf(name: CommandName, prefix: string): Text {
  const { argument }: CommandRow = COMMANDS[name];
  return inEach((lang) => `${prefix}${name} ${argument?.[lang] ?? ''}`.trim());
}

export function help(names: readonly CommandName[], prefix: string) {
  const lines = (language: Language) =>
    names.map((name) => helpLineOf(name, { language, prefix })).join('\n');
  const text: Text = {
    en: `Write to me, and the agent answers. These words are for me:\n${lines('en')}`,
    zh: `给我发消息，智能体会回答。以下命令由我处理：\n${lines('zh')}`,
  };
  return menu('help', text, [BUTTONS.status, BUTTONS.new, BUTTONS.stop]);
}

function helpLineOf(
  name: CommandName,
  { language, prefix }: { readonly language: Language; readonly prefix: string },
): string {
  const { also = [], help: words }: CommandRow = COMMANDS[name];
  const others = also.map((word) => `${prefix}${word}`).join(' ');
  const line = [usageOf(name, prefix)[language], words[language]];
  if (language === 'en') return line.join(': ') + (others && ` (${others})`);
  return line.join('：') + (others && `（${others}）`);
}

/** A turn in a list: the beginning of its text, and how long it has waited or run. */
export interface TurnLine {
  readonly words: Text;
  readonly sinceMs: number;
}

interface StatusView {
  readonly version: string;
  /** How long the connection is up. Undefined: it is down. Null: nobody knows. */
  readonly connectedMs: number | undefined | null;
  readonly agent: string | undefined;
  /** Undefined: the agent's own. */
  readonly folder?: string | undefined;
  readonly session?: { readonly id: string; readonly title: string } | undefined;
  /** How freely the agent acts, in its own word. */
  readonly mode?: string | undefined;
  readonly atWork: readonly TurnLine[];
  readonly waiting: number;
}

export function status(view: StatusView) {
  const { version, connectedMs, agent, atWork, waiting } = view;
  const en = [
    ...(connectedMs === null
      ? []
      : [
          connectedMs === undefined
            ? 'Connection to Lark: down'
            : `Connection to Lark: up for ${durationIn('en', connectedMs)}`,
        ]),
    `Agent: ${agent ?? 'not known at the moment'}`,
    ...memoryLines('en', view),
    `At work here: ${linesIn('en', atWork)}`,
    `Waiting here: ${waiting}`,
    `Version: ${version}`,
  ];
  const zh = [
    ...(connectedMs === null
      ? []
      : [
          connectedMs === undefined
            ? '与 Lark 的连接：已断开'
            : `与 Lark 的连接：已保持 ${durationIn('zh', connectedMs)}`,
        ]),
    `智能体：${agent ?? '目前未知'}`,
    ...memoryLines('zh', view),
    `这里正在处理：${linesIn('zh', atWork)}`,
    `这里排队：${waiting}`,
    `版本：${version}`,
  ];
  const buttons = [BUTTONS.stop, BUTTONS.new, BUTTONS.help];
  return menu('status', { en: en.join('\n'), zh: zh.join('\n') }, buttons);
}

const MEMORY = {
  en: { folder: 'Folder: ', mode: 'Mode: ', session: 'Conversation: ' },
  zh: { folder: '文件夹：', mode: '模式：', session: '对话：' },
} as const;

function memoryLines(lang: Language, { folder, mode, session }: StatusView): string[] {
  const words = MEMORY[lang];
  return [
    ...(folder === undefined ? [] : [`${words.folder}${folder}`]),
    ...(mode === undefined ? [] : [`${words.mode}${mode}`]),
    ...(session === undefined
      ? []
      : [`${words.session}${shortId(session.id)} ${session.title}`.trimEnd()]),
  ];
}

export interface QueueView {
  readonly atWork: readonly TurnLine[];
  readonly waiting: readonly TurnLine[];
  readonly held: number;
  /** How many are not in the lists. */
  readonly more: number;
}

export function queue({ atWork, waiting, held, more }: QueueView) {
  const textIn = (
    language: Language,
    words: Readonly<Record<'at' | 'wait' | 'held' | 'more', string>>,
  ) =>
    [
      `${words.at}${linesIn(language, atWork)}`,
      `${words.wait}${linesIn(language, waiting)}`,
      ...(held === 0 ? [] : [`${words.held}${held}`]),
      ...(more === 0 ? [] : [`${words.more}${more}`]),
    ].join('\n');
  return notice('queue', {
    en: textIn('en', {
      at: 'At work here: ',
      wait: 'Waiting here: ',
      held: 'Waiting for a decision (/run, /skip, /retry): ',
      more: 'Not listed: ',
    }),
    zh: textIn('zh', {
      at: '正在处理：',
      wait: '排队：',
      held: '等待决定（/run、/skip、/retry）：',
      more: '未列出：',
    }),
  });
}

interface PersonView {
  readonly name: string | undefined;
  readonly openId: string;
  readonly isOwner: boolean;
  readonly session: string | undefined;
}

export function whoami({ name, openId, isOwner, session }: PersonView) {
  return notice('whoami', {
    en: [
      ...(name === undefined ? [] : [`Name: ${name}`]),
      `Open id: ${openId}`,
      `Rights: ${isOwner ? 'owner of this bot' : 'may talk to this bot'}`,
      'Language: English',
      `Conversation: ${session ?? 'none yet'}`,
    ].join('\n'),
    zh: [
      ...(name === undefined ? [] : [`姓名：${name}`]),
      `Open id：${openId}`,
      `权限：${isOwner ? '机器人的所有者' : '可以与机器人对话'}`,
      '语言：中文',
      `对话：${session ?? '尚无'}`,
    ].join('\n'),
  });
}

/** Problems come first. What is in order is only counted. */
export function diagnosis(found: readonly Diagnosis[]) {
  const all = found.filter(isTrouble);
  const troubles = LEVELS.flatMap((level) => all.filter((one) => one.level === level));
  const fine = found.length - troubles.length;
  return notice('diagnosis', {
    en: [
      ...troubles.map(({ level, finding, next }) => {
        return `${LEVEL_NAMES[level].en}: ${finding.en} ${next.en}`;
      }),
      `In order: ${fine} of ${found.length} checks.`,
    ].join('\n'),
    zh: [
      ...troubles.map(({ level, finding, next }) => {
        return `${LEVEL_NAMES[level].zh}：${finding.zh}${next.zh}`;
      }),
      `${found.length} 项检查中有 ${fine} 项正常。`,
    ].join('\n'),
  });
}

type Trouble = Extract<Diagnosis, { readonly finding: Text }>;

const LEVELS = ['problem', 'warning'] as const;
const LEVEL_NAMES: Readonly<Record<Trouble['level'], Text>> = {
  problem: { en: 'Problem', zh: '问题' },
  warning: { en: 'Warning', zh: '警告' },
};

function isTrouble(one: Diagnosis): one is Trouble {
  return one.level === 'problem' || one.level === 'warning';
}

export const diagnosisFailed = () =>
  notice('diagnosis_failed', {
    en: 'The checks could not be made. The log says why.',
    zh: '无法进行检查。原因见日志。',
  });

function linesIn(language: Language, turns: readonly TurnLine[]): string {
  if (turns.length === 0) return language === 'en' ? 'nothing' : '无';
  return turns
    .map(({ words, sinceMs }) => {
      const since = durationIn(language, sinceMs);
      return `\n- ${words[language]}${language === 'zh' ? `（${since}）` : ` (${since})`}`;
    })
    .join('');
}
