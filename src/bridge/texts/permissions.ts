/** What the bridge says about tools that agents may use or not. */
import type { ToolKind } from '../../core/turn-update.ts';
import type { Approval, ApprovalScope } from '../ports/approvals.ts';
import { shortened } from '../../text/cut.ts';
import { inEach, notice, numberIn, type Text } from './text.ts';

/** A button shows less than this. */
const FOLDER_CHARS_MAX = 40;

const TOOLS: Readonly<Record<ToolKind, Text>> = {
  read: { en: 'read files', zh: '读取文件' },
  edit: { en: 'change files', zh: '修改文件' },
  delete: { en: 'delete files', zh: '删除文件' },
  move: { en: 'move files', zh: '移动文件' },
  search: { en: 'search', zh: '搜索' },
  execute: { en: 'run commands', zh: '运行命令' },
  think: { en: 'think', zh: '思考' },
  fetch: { en: 'fetch from the network', zh: '访问网络' },
  switch_mode: { en: 'change its mode', zh: '切换模式' },
  other: { en: 'use other tools', zh: '使用其他工具' },
};

const OWN_FOLDER: Text = { en: 'its own folder', zh: '它自己的文件夹' };
const AN_AGENT: Text = { en: 'the agent', zh: '智能体' };

/** Such as "run commands by claude in ~/app". */
function scopeText({ agentName, folder, tool }: ApprovalScope): Text {
  const where = (own: string) => (folder === undefined ? own : endOf(folder));
  return {
    en: `${TOOLS[tool].en} by ${agentName ?? AN_AGENT.en} in ${where(OWN_FOLDER.en)}`,
    zh: `${agentName ?? AN_AGENT.zh} 在 ${where(OWN_FOLDER.zh)} 中${TOOLS[tool].zh}`,
  };
}

/** People know a folder by the end of its path. */
function endOf(folder: string): string {
  if (folder.length <= FOLDER_CHARS_MAX) return folder;
  return `…${folder.slice(1 - FOLDER_CHARS_MAX)}`;
}

export const permissionTexts = {
  titles: {
    command: { en: 'Command', zh: '命令' },
    paths: { en: 'Where', zh: '位置' },
    input: { en: 'With', zh: '参数' },
  },
  cut: {
    en: '… cut here. The whole is in the file below.',
    zh: '……此处已截断，完整内容见下方文件。',
  },
  cutEnd: (chars: number): Text => ({
    en: `… ${numberIn('en', chars)} more characters were cut.`,
    zh: `……还有 ${numberIn('zh', chars)} 个字符被截断。`,
  }),
  always: (scope: ApprovalScope): Text => ({
    en: `Always here: ${scopeText(scope).en}`,
    zh: `在此始终允许：${scopeText(scope).zh}`,
  }),
  /** Beside a question in a group. */
  alwaysHint: {
    en: ' Only the owner of this bot can allow it always.',
    zh: '只有机器人的所有者可以始终允许。',
  },
  alwaysOwnerOnly: {
    en: 'Here only the owner of this bot can allow this always. You can allow it this once.',
    zh: '在这里只有机器人的所有者可以始终允许。你可以允许这一次。',
  },
  /** A line among the steps of a live card. */
  approved: (number: number, scope: ApprovalScope): Text => ({
    en: `Allowed by /approvals ${number}: ${scopeText(scope).en}`,
    zh: `已按 /approvals ${number} 允许：${scopeText(scope).zh}`,
  }),
} as const;

interface Listed {
  readonly approval: Approval;
  readonly isOwn: boolean;
}

export const permissionNotices = {
  nothingAsked: () =>
    notice('nothing_to_approve', {
      en: 'No agent asks here whether it may do something.',
      zh: '这里没有智能体在请求许可。',
    }),
  noSuchNumber: (number: number) =>
    notice('no_such_question', {
      en: `No open question for a permission here has the number ${number}.`,
      zh: `这里没有编号为 ${number} 的许可请求。`,
    }),
  ownerOnly: () =>
    notice('approve_owner_only', {
      en: 'Only the owner of this bot can answer this.',
      zh: '只有这个机器人的所有者可以回答。',
    }),
  noSuchOption: () =>
    notice('no_such_option', {
      en: 'This agent offers no such answer. Please press one of its buttons, or send the number of an answer.',
      zh: '这个智能体没有提供这种回答。请点击它的按钮，或发送答案的编号。',
    }),
  alwaysOwnerOnly: () => notice('always_owner_only', permissionTexts.alwaysOwnerOnly),
  alwaysNotOffered: () =>
    notice('always_not_offered', {
      en: 'This can be allowed only this once: /approve',
      zh: '这个请求只能允许一次：/approve',
    }),
  decided: (text: Text) => notice('approve_decided', text),
  list: (listed: readonly Listed[]) => {
    if (listed.length === 0) {
      return notice('approvals', {
        en: 'Nothing is allowed always. Agents ask each time.',
        zh: '没有始终允许的操作。智能体每次都会询问。',
      });
    }
    const lines = inEach((lang) => listed.map((one) => lineOf(one)[lang]).join('\n'));
    return notice('approvals', {
      en: `Allowed always:\n${lines.en}\n/approvals remove N takes one back.`,
      zh: `始终允许：\n${lines.zh}\n发送 /approvals remove 编号 可撤销。`,
    });
  },
  removed: (number: number) =>
    notice('approval_removed', {
      en: `Done: number ${number} is taken back. The agent asks again.`,
      zh: `已撤销第 ${number} 项，智能体会重新询问。`,
    }),
  unknown: (number: number) =>
    notice('approval_unknown', {
      en: `There is no number ${number} that you can take back. /approvals shows those that there are.`,
      zh: `没有你可以撤销的第 ${number} 项。发送 /approvals 可查看现有的。`,
    }),
} as const;

function lineOf({ approval, isOwn }: Listed): Text {
  const { number, chat, atMs } = approval;
  const day = new Date(atMs).toISOString().slice(0, 10);
  const scope = inEach((lang) => shortened(scopeText(approval)[lang], 150));
  const where: Text =
    chat === undefined
      ? { en: 'by the owner', zh: '由所有者允许' }
      : isOwn
        ? { en: 'by you, in this chat', zh: '由你允许，仅限此会话' }
        : { en: 'by another person, in their chat', zh: '由他人允许，仅限其会话' };
  return {
    en: `${number}. ${scope.en} (${where.en}, ${day})`,
    zh: `${number}. ${scope.zh}（${where.zh}，${day}）`,
  };
}
