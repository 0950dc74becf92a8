/** What the owner is told about an agent, in their direct chat. */
import { notice, type Text } from './text.ts';

/** For people who see no command: they can't run it, or nobody knows which one it is. */
export const HAS_TO_LOG_IN: Text = {
  en: 'The agent has to be logged in first. The owner of this bot can do that, on the machine where it runs.',
  zh: '智能体需要先登录。请由机器人的所有者在运行它的机器上操作。',
};

/** For the owner. What they run is shown alone on its line. */
export function logIn(command: string): Text {
  return {
    en: `The agent has to be logged in first. Please run this on the machine where it runs, as the same user:\n${command}\nIt works after that without a restart.`,
    zh: `智能体需要先登录。请用同一个用户在运行它的机器上执行：\n${command}\n登录后无需重启即可使用。`,
  };
}

export const ownerNotices = {
  login: (agent: string, command: string | undefined) => {
    const how = command === undefined ? HAS_TO_LOG_IN : logIn(command);
    return notice('owner_login', {
      en: `About ${agent}: ${how.en}`,
      zh: `关于 ${agent}：${how.zh}`,
    });
  },
  mode_unknown: (agent: string, mode: string) =>
    notice('owner_mode_unknown', {
      en: `About ${agent}: I do not know in which mode it asks before it acts, so it works in its mode "${mode}". Please check that this is what you want.`,
      zh: `关于 ${agent}：我不知道它在哪种模式下会先询问再操作，因此它以“${mode}”模式工作。请确认这是你想要的。`,
    }),
  tools_ignored: (agent: string) =>
    notice('owner_tools_ignored', {
      en: `About ${agent}: it never asked which tools I have for it, so it can't send files or read the history of a chat.`,
      zh: `关于 ${agent}：它从未查询我提供的工具，因此无法发送文件或读取会话历史。`,
    }),
} as const;
