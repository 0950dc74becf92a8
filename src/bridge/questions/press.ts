/** What a press on a button of a question does, and what the person who pressed sees at once. */
import type { OpenId } from '../../core/ids.ts';
import type { Language, Text } from '../../core/language.ts';
import { ALWAYS_OPTION, type Choice } from '../../wire/choice-value.ts';
import type { QuestionOption } from '../../core/turn-update.ts';
import type { EventReply } from '../ports/intake.ts';
import { pressTexts } from '../texts/presses.ts';
import { answerTexts, lateText, outcomeText, WITHDRAWN } from '../texts/questions.ts';
import { permissionTexts } from '../texts/permissions.ts';
import { allowOption, allowsMore, isWithdrawn } from './question.ts';
import type { Question } from '../ports/questions.ts';
import type { Questions } from './questions.ts';

interface AnswerPress {
  readonly by: OpenId;
  /** Undefined: the value is not one that the bridge made for this chat, or it is too old. */
  readonly choice: Choice | undefined;
  /** Why the press does not count. */
  readonly why: string | undefined;
  readonly lang: Language;
}

type Toast = EventReply['toast']['kind'];

export async function replyToPress(
  { by, choice, why, lang }: AnswerPress,
  questions: Pick<Questions, 'question' | 'mayAnswer' | 'mayAllowAlways' | 'answer'>,
): Promise<EventReply> {
  const say = (kind: Toast, text: Text): EventReply => ({ toast: { kind, text: text[lang] } });
  if (why === 'too_old') return say('warning', answerTexts.gone);
  if (choice === undefined || why !== undefined) return say('error', pressTexts.notValid);
  const question = questions.question(choice.question ?? '');
  const given = question && givenBy(choice, question);
  if (question === undefined || given === undefined) return say('warning', answerTexts.gone);
  if (isWithdrawn(question)) return say('info', WITHDRAWN);
  if (!questions.mayAnswer(question, by)) return say('warning', answerTexts.ownerOnly);
  if (allowsMore(question, given) && !(await questions.mayAllowAlways(question, by))) {
    return say('warning', permissionTexts.alwaysOwnerOnly);
  }
  const { isNew, state } = await questions.answer(question.key, { ...given, by });
  if (state === undefined) return say('warning', answerTexts.gone);
  return isNew ? say('success', outcomeText(state)) : say('info', lateText(state));
}

/** What a button of a question stands for. */
function givenBy(
  { option: pressed }: Choice,
  question: Question,
): { readonly option: QuestionOption; readonly always?: true } | undefined {
  if (pressed === ALWAYS_OPTION) {
    const allowed = allowOption(question);
    const isOffered = question.permission?.always !== undefined;
    return isOffered && allowed !== undefined ? { option: allowed, always: true } : undefined;
  }
  const option = question.options[Number(pressed)];
  return option && { option };
}
