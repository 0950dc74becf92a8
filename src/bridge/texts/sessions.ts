/** What the bridge says about memories, agents and folders. */
import type { Chosen } from '../ports/sessions.ts';
import { notice } from './text.ts';

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
} as const;
