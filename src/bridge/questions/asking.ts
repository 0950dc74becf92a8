/** Stores what agents ask. */
import type { OpenId, WorkspaceId } from '../../core/ids.ts';
import type { Turn } from '../../core/turn.ts';
import type { QuestionUpdate } from '../../core/turn-update.ts';
import type { Clock } from '../../time/clock.ts';
import type { News } from '../news/news.ts';
import type { Delivery } from '../outbox/delivery.ts';
import type { Approval, ApprovalScope, ApprovalStore } from '../ports/approvals.ts';
import type { Journal } from '../ports/journal.ts';
import type { Question, QuestionStore } from '../ports/questions.ts';
import type { StoreRetry } from '../store-retry.ts';
import type { Languages } from '../texts/languages.ts';
import { permissionOf, questionOf } from './asked-question.ts';
import { wouldDo } from './permission.ts';
import { questionDraft, wholeDraft } from './question-content.ts';
import { allowOption, freeNumber } from './question.ts';

export interface AskingParts {
  readonly journal: Journal;
  readonly questions: QuestionStore;
  readonly approvals: ApprovalStore;
  readonly news: News;
  readonly delivery: Delivery;
  readonly storeRetry: StoreRetry;
  readonly languages: Languages;
  readonly clock: Clock;
  /** How long a question waits for an answer. */
  readonly questionTimeoutMs: number;
  /** Who may answer what is for the owner only. */
  readonly owner: () => OpenId | undefined;
  /** The name of an agent. Undefined: it has none here. */
  readonly agentNamed: (agent: WorkspaceId) => Promise<string | undefined>;
}

interface Asked {
  readonly now: Turn;
  readonly question: Question;
  /** It has answered the question. */
  readonly approval: Approval | undefined;
}

export class Asking {
  readonly #parts: AskingParts;

  constructor(parts: AskingParts) {
    this.#parts = parts;
  }

  /** Stores a question with the rows that show it, or with the approval that answers it. Undefined if its run is over. */
  async store(turn: Turn, asked: QuestionUpdate, key: string): Promise<Asked | undefined> {
    const { journal, questions, approvals, news, storeRetry, delivery, languages, owner, clock } =
      this.#parts;
    const askedAtMs = clock.nowMs();
    const times = { askedAtMs, expiresAtMs: askedAtMs + this.#parts.questionTimeoutMs };
    const always = await this.#scopeOf(turn, asked);
    const lang = languages.ofTurn(turn);
    const would = asked.permission && wouldDo(asked.permission, lang);
    const permission = asked.permission && permissionOf(asked.permission, would?.shown, always);
    let question: Question | undefined;
    let approval: Approval | undefined;
    const {
      out,
      changed,
      turn: now,
    } = await storeRetry.untilStored(() =>
      journal.changeTurn(
        turn.id,
        (fresh) => {
          const { state, message } = fresh;
          // Only a turn that was given to an agent has a target.
          if (fresh.run !== turn.run || !('target' in state)) return undefined;
          if (questions.question(key) !== undefined) return undefined;
          const inChat = freeNumber(questions.openIn(message.chatId));
          const given = { key, target: state.target, number: inChat, permission, ...times };
          const open = questionOf(fresh, asked, { ...given, owner: owner() });
          approval = always && approvals.inForce(always, message.chatId);
          const option = allowOption(open);
          if (approval !== undefined && option !== undefined) {
            const { by, number } = approval;
            const answered = { option, by, approval: number, atMs: askedAtMs };
            question = { ...open, state: { phase: 'answered', ...answered } };
            return { state, out: [] };
          }
          approval = undefined;
          question = open;
          const whole = would?.whole;
          const below = whole === undefined ? [] : [wholeDraft(fresh, open, whole, askedAtMs)];
          return { state, out: [questionDraft(fresh, open, { nowMs: askedAtMs, lang }), ...below] };
        },
        {
          join: (stored, isAsked) => {
            if (!isAsked || question === undefined) return;
            questions.insert(question);
            // What an approval answers nobody is asked.
            if (approval === undefined) news.questionAsked(stored, question);
          },
        },
      ),
    );
    delivery.offer(out);
    return changed && question !== undefined ? { now, question, approval } : undefined;
  }

  /** What can be allowed from now on with the answer to a question. Undefined: nothing. */
  async #scopeOf(
    { state, details }: Turn,
    { permission, options, only }: QuestionUpdate,
  ): Promise<ApprovalScope | undefined> {
    if (permission === undefined || only === 'owner' || !('target' in state)) return undefined;
    const { tool, allow } = permission;
    // A change of the mode is no use of a tool, and each time another decision. Tools without a kind have nothing in common.
    if (tool === 'switch_mode' || tool === 'other' || !options.some(({ id }) => id === allow))
      return undefined;
    const folder = details?.session?.folder;
    const agentName = await this.#parts.agentNamed(state.target);
    return {
      agent: state.target,
      ...(agentName !== undefined && { agentName }),
      ...(folder !== undefined && { folder }),
      tool,
    };
  }
}
