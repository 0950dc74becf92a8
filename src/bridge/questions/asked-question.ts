/** What is kept of what an agent asks. It is pure. */
import type { ShownCode } from '../../core/content.ts';
import type { OpenId } from '../../core/ids.ts';
import { personOf, type Turn } from '../../core/turn.ts';
import type { PermissionAsked, QuestionUpdate } from '../../core/turn-update.ts';
import { shortened } from '../../text/cut.ts';
import { withMarksShown } from '../../text/visible.ts';
import type { ApprovalScope } from '../ports/approvals.ts';
import type { Permission, Question } from '../ports/questions.ts';

/** A card has at most 30 KB, and has to show the options too. */
const TEXT_CHARS_MAX = 4_000;
/** A button shows less than this. */
const LABEL_CHARS_MAX = 100;

interface AskedAs extends Pick<
  Question,
  'key' | 'target' | 'number' | 'askedAtMs' | 'expiresAtMs'
> {
  readonly permission: Permission | undefined;
  readonly owner: OpenId | undefined;
}

/** An open question of a turn that is at work. */
export function questionOf(
  turn: Turn,
  { id, text, options, only, takesWords }: QuestionUpdate,
  { permission, owner, ...as }: AskedAs,
): Question {
  const { chatId, threadId } = turn.message;
  const takes = takesWords === true || options.length === 0;
  const wordsOf = only === 'owner' ? owner : personOf(turn);
  return {
    ...as,
    turn: turn.id,
    run: turn.run,
    id,
    chatId,
    threadId,
    // What would be done must not look like something else. Other questions may have emoji that consist of such marks.
    text: shortened(permission === undefined ? text : withMarksShown(text), TEXT_CHARS_MAX),
    options: options.map((option) => ({
      ...option,
      label: shortened(option.label.replaceAll(/\s+/g, ' '), LABEL_CHARS_MAX),
    })),
    ...(only !== undefined && { only }),
    ...(takes && wordsOf !== undefined && { wordsOf }),
    ...(permission !== undefined && { permission }),
    state: { phase: 'open' },
  };
}

/** `always`: what can be allowed with it from now on. */
export function permissionOf(
  { tool, allow, reject, lasting }: PermissionAsked,
  would: readonly ShownCode[] = [],
  always: ApprovalScope | undefined,
): Permission {
  return {
    tool,
    ...(allow !== undefined && { allow }),
    ...(reject !== undefined && { reject }),
    ...(lasting !== undefined && { lasting }),
    would,
    ...(always !== undefined && { always }),
  };
}
