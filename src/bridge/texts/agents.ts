/** What the bridge says about agents, folders and what can be chosen for a memory. */
import { durationIn } from './durations.ts';
import { label } from './sessions.ts';
import { choosingButton, inEach, menu, notice, type Text } from './text.ts';

type ChosenThing = 'agent' | 'folder' | 'mode' | 'model';

/** An entry of a list from which people choose. */
export interface Entry {
  readonly name: string;
  /** What is typed to choose it. */
  readonly argument: string;
  readonly isCurrent: boolean;
}

export const agentNotices = {
  elsewhere: () =>
    notice('agents_elsewhere', {
      en: 'The agents of this bot run on another machine, so nothing can be chosen here.',
      zh: '这个机器人的智能体在另一台机器上运行，因此这里无法选择。',
    }),
  ownerOnly: (why: 'mode' | 'group') => notice(`owner_only_${why}`, OWNER_ONLY[why]),
  chosen: (what: ChosenThing, name: string) => notice(`${what}_chosen`, CHOSEN[what](name)),
  reset: (what: 'agent' | 'folder') => notice(`${what}_reset`, RESET[what]),
  unknown: (what: ChosenThing, word: string) =>
    notice(`${what}_unknown`, {
      en: `I don't know ${NAMES[what].en} ${word}. /${what} lists what there is.`,
      zh: `我不认识${NAMES[what].zh} ${word}。发送 /${what} 可查看列表。`,
    }),
  noFolders: () =>
    notice('no_folders', {
      en: 'No folders can be chosen. The owner of this bot adds one with: lark-bridge folders add PATH',
      zh: '没有可以选择的文件夹。机器人的所有者可以在机器上用命令 lark-bridge folders add 添加。',
    }),
  folderRefused: (path: string, why: 'missing' | 'relative' | 'not_a_folder' | 'outside') =>
    notice('folder_refused', REFUSED[why](path)),
  nothingSaid: () =>
    notice('nothing_said', {
      en: 'The agent says what can be chosen when it is at work. Write to it, and then try again.',
      zh: '智能体工作时才会说明可以选择什么。请先给它发消息，然后再试。',
    }),
  /** `forMs`: how long nobody has asked for its turns. Undefined: nobody has asked yet. */
  unserved: (agent: string, forMs: number | undefined) => {
    const [en, zh] =
      forMs === undefined
        ? ['nobody has asked for its work yet', '还没有程序来领取它的任务']
        : [
            `nobody has asked for its work for ${durationIn('en', forMs)}`,
            `已有 ${durationIn('zh', forMs)}没有程序来领取它的任务`,
          ];
    return notice('agent_unserved', {
      en: `Your message waits, because the agent ${agent} is not running: ${en}. Whoever looks after this bot has to start it.`,
      zh: `你的消息正在等待，因为智能体 ${agent} 没有运行：${zh}。请让管理这个机器人的人启动它。`,
    });
  },
  refused: (detail: string) =>
    notice('choice_refused', {
      en: `The agent did not take this choice: ${detail}`,
      zh: `智能体没有接受这个选择：${detail}`,
    }),
} as const;

const OWNER_ONLY: Readonly<Record<'mode' | 'group', Text>> = {
  mode: {
    en: 'Only the owner of this bot can change how freely an agent acts.',
    zh: '只有机器人的所有者可以更改智能体的自主程度。',
  },
  group: {
    en: 'In a group only the owner of this bot can change this. In a direct chat with me you can choose for yourself.',
    zh: '在群里只有机器人的所有者可以更改。在与我的单聊中你可以自己选择。',
  },
};

const NAMES: Readonly<Record<ChosenThing, Text>> = {
  agent: { en: 'an agent', zh: '智能体' },
  folder: { en: 'a folder', zh: '文件夹' },
  mode: { en: 'a mode', zh: '模式' },
  model: { en: 'a model', zh: '模型' },
};

const CHOSEN: Readonly<Record<ChosenThing, (name: string) => Text>> = {
  agent: (name) => ({
    en: `From now on ${name} answers here. It has a memory of its own for this chat. Messages that wait already go to the agent before.`,
    zh: `从现在起由 ${name} 在这里回答。它对这个会话有自己的记忆。已在排队的消息仍由之前的智能体处理。`,
  }),
  folder: (name) => ({
    en: `From now on the agent works in ${name} here. Conversations in other folders stay; /sessions lists them.`,
    zh: `从现在起智能体在 ${name} 中为这里工作。其他文件夹中的对话会保留，发送 /sessions 可查看。`,
  }),
  mode: (name) => ({
    en: `The mode of this conversation is now: ${name}`,
    zh: `这个对话的模式现在是：${name}`,
  }),
  model: (name) => ({
    en: `The model of this conversation is now: ${name}`,
    zh: `这个对话的模型现在是：${name}`,
  }),
};

const RESET: Readonly<Record<'agent' | 'folder', Text>> = {
  agent: {
    en: 'From now on the usual agent answers here.',
    zh: '从现在起由默认的智能体在这里回答。',
  },
  folder: {
    en: "From now on the agent's own folder counts here.",
    zh: '从现在起这里使用智能体自己的文件夹。',
  },
};

const REFUSED: Readonly<
  Record<'missing' | 'relative' | 'not_a_folder' | 'outside', (path: string) => Text>
> = {
  missing: (path) => ({
    en: `There is no folder ${path}. /folder lists what can be chosen.`,
    zh: `没有文件夹 ${path}。发送 /folder 可查看可以选择的文件夹。`,
  }),
  relative: (path) => REFUSED.missing(path),
  not_a_folder: (path) => ({
    en: `${path} is not a folder. /folder lists what can be chosen.`,
    zh: `${path} 不是文件夹。发送 /folder 可查看可以选择的文件夹。`,
  }),
  outside: (path) => ({
    en: `Agents may not work in ${path}. The owner of this bot can allow it with: lark-bridge folders add PATH`,
    zh: `智能体不可以在 ${path} 中工作。机器人的所有者可以在机器上用命令 lark-bridge folders add 允许。`,
  }),
};

const TITLES: Readonly<Record<ChosenThing, Text>> = {
  agent: {
    en: 'Agents. Write /agent with a number or a name to choose the one that answers here.',
    zh: '智能体列表。发送 /agent 加序号或名称可选择在这里回答的智能体。',
  },
  folder: {
    en: 'Folders. Write /folder with a number or a path to choose where the agent works for this chat.',
    zh: '文件夹列表。发送 /folder 加序号或路径可选择智能体为这个会话工作的位置。',
  },
  mode: {
    en: 'How freely the agent acts in this conversation. The owner chooses with /mode and a number or a name.',
    zh: '智能体在这个对话中的自主程度。所有者可发送 /mode 加序号或名称来选择。',
  },
  model: {
    en: 'Models of this conversation. Write /model with a number or a name to choose one.',
    zh: '这个对话的模型列表。发送 /model 加序号或名称可选择。',
  },
};

/** `more`: how many are not in the list. */
export function choices(what: ChosenThing, entries: readonly Entry[], more: number) {
  const listed = entries.map(
    ({ name, isCurrent }, at) => `${isCurrent ? '[*]' : '[ ]'} ${at + 1}. ${name}`,
  );
  const lines = listed.join('\n');
  return menu(
    what,
    {
      en: [TITLES[what].en, lines, ...(more > 0 ? [`And ${more} more.`] : [])].join('\n'),
      zh: [TITLES[what].zh, lines, ...(more > 0 ? [`另外还有 ${more} 个。`] : [])].join('\n'),
    },
    entries
      .filter(({ isCurrent }) => !isCurrent)
      .map(({ name, argument }) =>
        choosingButton(
          what,
          argument,
          inEach(() => label(name)),
        ),
      ),
  );
}
