/** Why a turn elsewhere went wrong, in words. */
import type { Text } from '../../core/language.ts';
import { reasonText } from './reasons.ts';

const REASONS: Readonly<Record<string, Text>> = {
  unknown: {
    en: 'It is not known whether the agent ran it.',
    zh: '无法确定智能体是否处理过。',
  },
  interrupted: { en: 'The agent was interrupted.', zh: '智能体被中断了。' },
  timed_out: { en: 'The agent took too long.', zh: '智能体用时过长。' },
  unanswerable: { en: 'Its answer can not come here.', zh: '它的回答无法送达这里。' },
  refused: { en: 'The hub refused it.', zh: '平台拒绝了它。' },
  lost: { en: 'The hub does not know it any more.', zh: '平台已不再记得它。' },
};

/** `detail`: what the agent or its program said about it. */
export function newsReason(why: string, detail: string | undefined): Text {
  if (detail !== undefined) return reasonText(detail);
  return REASONS[why] ?? { en: 'It gave no answer.', zh: '没有给出回答。' };
}
