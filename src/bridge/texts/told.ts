/** What the chat is told in the name of a runtime: about a turn at work, or about its agent. */
import type { RuntimeNotice } from '../../core/turn-update.ts';
import type { OwnShow } from '../outbox/drafts.ts';
import { liveTexts } from './live.ts';
import { duration } from './questions.ts';
import { button, choice, notice, type Text } from './text.ts';
import { AGAIN } from './texts.ts';

const STOP = button('stop', 'default', liveTexts.stop);

const TOLD = {
  waits_for_program: {
    en: 'Other agents are at work, and no more may run at once. Yours waits in line and goes on by itself.',
    zh: '其他智能体正在工作，同时运行的数量已达上限。你的智能体正在排队，会自动继续。',
  },
  memory_lost: {
    en: 'The agent could not go on with its memory of this chat. I have told it what was said here before, as far as I know.',
    zh: '智能体无法继续使用它对这个会话的记忆。我已把我所知道的之前的对话告诉它。',
  },
  tries_again: {
    en: 'The agent did not get ready in time. Your message is kept, and I try once more with a new memory.',
    zh: '智能体没有及时准备好。你的消息已保留，我会用新的记忆再试一次。',
  },
  still_running: {
    en: 'The agent was stopped, but something that it started still runs. I am ending it.',
    zh: '智能体已停止，但它启动的程序仍在运行。我正在结束它。',
  },
  program_ended: {
    en: 'The program of the agent had to be ended. The conversation is kept, and your next message goes on with it. The button or /retry runs this message again, if it was not finished.',
    zh: '智能体的程序不得不被结束。对话已保留，你的下一条消息会继续。如果这条消息没有处理完，点击按钮或发送 /retry 可重新运行。',
  },
} as const satisfies Readonly<Record<Exclude<RuntimeNotice['kind'], 'silent'>, Text>>;

/** Each kind once a turn. */
export function toldShow(what: RuntimeNotice): OwnShow {
  const name = `told_${what.kind}`;
  switch (what.kind) {
    case 'silent':
      return choice(name, silent(what.silentMs), [STOP]);
    case 'program_ended':
      return choice(name, TOLD.program_ended, [AGAIN]);
    case 'waits_for_program':
    case 'memory_lost':
    case 'tries_again':
    case 'still_running':
      return notice(name, TOLD[what.kind]);
  }
}

function silent(silentMs: number): Text {
  const time = duration(silentMs);
  return {
    en: `I have heard nothing of the agent for ${time.en}. It may still be at work. The button or /stop ends it.`,
    zh: `我已有 ${time.zh}没有收到智能体的任何动静，它可能仍在工作。点击按钮或发送 /stop 可结束它。`,
  };
}
