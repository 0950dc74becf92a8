/** Every command that people can type, one row each. Parsing, the help and docs/commands.md come from here. */
import type { CommandName } from '../../core/content.ts';
import { inEveryLanguage, type Text } from '../../core/language.ts';

export interface CommandRow {
  /** Other words for the same. */
  readonly also?: readonly string[];
  /** What may follow the word, as the help shows it. Without it what follows is not used. */
  readonly argument?: Text;
  readonly who: 'everybody' | 'owner';
  readonly help: Text;
}

export const COMMANDS = {
  help: {
    also: ['start'],
    who: 'everybody',
    help: { en: 'shows these commands', zh: '显示这些命令' },
  },
  status: {
    who: 'everybody',
    help: { en: 'shows whether I am connected and at work', zh: '显示连接和工作状态' },
  },
  whoami: {
    who: 'everybody',
    help: { en: 'shows how I know you', zh: '显示我所知道的你的信息' },
  },
  new: {
    who: 'everybody',
    help: {
      en: 'begins a new conversation in this chat or thread',
      zh: '在这个会话或话题中开始新的对话',
    },
  },
  task: {
    also: ['do'],
    argument: { en: 'TEXT', zh: '内容' },
    who: 'everybody',
    help: {
      en: 'begins a new conversation with this message',
      zh: '用这条消息开始新的对话',
    },
  },
  sessions: {
    who: 'everybody',
    help: {
      en: 'lists conversations that you can go back to',
      zh: '列出你可以回到的对话',
    },
  },
  resume: {
    argument: { en: '[NUMBER | ID]', zh: '[序号 | 编号]' },
    who: 'everybody',
    help: { en: 'goes back to a conversation', zh: '回到一个对话' },
  },
  search: {
    argument: { en: 'WORD', zh: '关键词' },
    who: 'everybody',
    help: {
      en: 'finds what was said in your conversations lately',
      zh: '查找你最近的对话中说过的内容',
    },
  },
  today: {
    who: 'everybody',
    help: { en: 'shows what happened here today', zh: '显示今天这里发生的事情' },
  },
  agent: {
    argument: { en: '[NUMBER | NAME | reset]', zh: '[序号 | 名称 | reset]' },
    who: 'everybody',
    help: {
      en: 'shows the agents, or chooses the one that answers here',
      zh: '列出智能体，或选择在这里回答的智能体',
    },
  },
  folder: {
    argument: { en: '[NUMBER | PATH | reset]', zh: '[序号 | 路径 | reset]' },
    who: 'everybody',
    help: {
      en: 'shows the folders, or chooses where the agent works for this chat',
      zh: '列出文件夹，或选择智能体为这个会话工作的文件夹',
    },
  },
  mode: {
    argument: { en: '[NUMBER | NAME]', zh: '[序号 | 名称]' },
    who: 'everybody',
    help: {
      en: 'shows how freely the agent acts in this conversation; the owner can change it',
      zh: '显示智能体在这个对话中的自主程度；所有者可以更改',
    },
  },
  model: {
    argument: { en: '[NUMBER | NAME]', zh: '[序号 | 名称]' },
    who: 'everybody',
    help: {
      en: 'shows or chooses the model of this conversation',
      zh: '显示或选择这个对话使用的模型',
    },
  },
  stop: {
    also: ['cancel'],
    who: 'everybody',
    help: { en: 'stops the work on your message here', zh: '停止处理你在这里的消息' },
  },
  retry: {
    who: 'everybody',
    help: { en: 'runs the latest failed message again', zh: '重新运行最近失败的消息' },
  },
  run: {
    who: 'everybody',
    help: { en: 'runs your messages that wait for your decision', zh: '运行等待你决定的消息' },
  },
  skip: {
    who: 'everybody',
    help: { en: 'leaves your messages that wait for your decision', zh: '跳过等待你决定的消息' },
  },
  queue: {
    who: 'everybody',
    help: { en: 'shows which messages wait in this chat', zh: '显示这个会话中排队的消息' },
  },
  approve: {
    argument: { en: '[always] [N]', zh: '[always] [编号]' },
    who: 'everybody',
    help: {
      en: 'allows what an agent asks here: the newest question, or number N',
      zh: '允许智能体在这里请求的操作：最新的请求，或指定编号的请求',
    },
  },
  deny: {
    argument: { en: '[N]', zh: '[编号]' },
    who: 'everybody',
    help: {
      en: 'refuses what an agent asks here: the newest question, or number N',
      zh: '拒绝智能体在这里请求的操作：最新的请求，或指定编号的请求',
    },
  },
  approvals: {
    argument: { en: '[remove N]', zh: '[remove 编号]' },
    who: 'everybody',
    help: {
      en: 'shows what is allowed always, or takes one of it back',
      zh: '显示始终允许的操作，或撤销其中一项',
    },
  },
  lang: {
    argument: inEveryLanguage('en | zh | auto'),
    who: 'everybody',
    help: { en: 'chooses the language that I use with you', zh: '选择我对你使用的语言' },
  },
  allow: {
    argument: { en: '[@name | CODE]', zh: '[@姓名 | 配对码]' },
    who: 'owner',
    help: {
      en: 'lets everybody in this group talk to me, or the person whom you name',
      zh: '允许这个群的所有人或你指定的人与我对话',
    },
  },
  block: {
    argument: { en: '[@name]', zh: '[@姓名]' },
    who: 'owner',
    help: {
      en: 'stops me from answering in this group, or to the person whom you name',
      zh: '让我不再回答这个群或你指定的人',
    },
  },
  revoke: {
    argument: { en: '@name', zh: '@姓名' },
    who: 'owner',
    help: { en: 'takes back what you allowed a person', zh: '撤销你给某人的许可' },
  },
  follow: {
    argument: inEveryLanguage('[turns | errors | questions | tools] [off]'),
    who: 'owner',
    help: {
      en: 'tells this chat what happens in other chats, or says what it follows',
      zh: '让这个会话收到其他会话的动态，或查看已关注的内容',
    },
  },
  report: {
    argument: { en: '[HH:MM | off]', zh: '[时间 | off]' },
    who: 'owner',
    help: {
      en: 'shows what was done since the last report, or sends a report here each day at this time',
      zh: '显示上次报告以来的工作，或每天在这个时间发送报告',
    },
  },
  reconnect: {
    who: 'owner',
    help: {
      en: 'drops the connection to Lark and makes a new one',
      zh: '断开与 Lark 的连接并重新连接',
    },
  },
  doctor: {
    who: 'owner',
    help: { en: 'checks this machine and the app in Lark', zh: '检查这台机器和 Lark 应用' },
  },
} as const satisfies Readonly<Record<CommandName, CommandRow>>;

export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];

export function isCommandName(word: string): word is CommandName {
  return Object.hasOwn(COMMANDS, word);
}

/** The words by which people call the bridge itself. */
export interface CommandWords {
  /** Stands before each word. */
  readonly prefix: string;
  /** Those that this bridge can carry out. Every other word goes to the agent. */
  readonly names: ReadonlySet<CommandName>;
}

/** Every word that a command is called by, with the command. */
export function wordsOf(names: Iterable<CommandName>): ReadonlyMap<string, CommandName> {
  const words = new Map<string, CommandName>();
  for (const name of names) {
    const { also = [] }: CommandRow = COMMANDS[name];
    for (const word of [name, ...also]) words.set(word, name);
  }
  return words;
}

/** With all commands. Whoever carries them out may know fewer. */
export function allWords(prefix: string): CommandWords {
  return { prefix, names: new Set(COMMAND_NAMES) };
}
