/** What an agent asks people during one turn. Each question ends exactly once. */
import type { Json } from '../../core/json-object.ts';
import type { QuestionAnswer, QuestionUpdate, TurnUpdate } from '../../core/turn-update.ts';
import { CALLED_OFF, DECLINED, fieldsOf } from './elicitation.ts';
import {
  allowedOutcome,
  optionsOf,
  permissionOutcome,
  permissionQuestion,
  toolUseOf,
} from './permission.ts';
import type { ToolCall } from './tool-calls.ts';
import type { SessionTools } from './tools-port.ts';

const NOBODY: QuestionAnswer = { kind: 'cancelled' };

interface QuestionsParts {
  readonly onUpdate: (update: TurnUpdate) => void;
  /** Silence is no trouble until the returned function is called. */
  readonly expectSilence: () => () => void;
  readonly tools: Pick<SessionTools, 'isOwnTool'> | undefined;
  /** The use of a tool that the agent asks about, with all that it has told of it. */
  readonly callOf: (toolCall: Json) => ToolCall | undefined;
}

export class Questions {
  readonly #parts: QuestionsParts;
  readonly #open = new Map<string, (answer: QuestionAnswer) => void>();
  #count = 0;
  #isOver = false;

  constructor(parts: QuestionsParts) {
    this.#parts = parts;
  }

  /** Resolves with the answer of a person, or with `cancelled`. */
  ask(question: QuestionUpdate, signal?: AbortSignal): Promise<QuestionAnswer> {
    const { id } = question;
    if (this.#isOver || signal?.aborted === true || this.#open.has(id)) {
      return Promise.resolve(NOBODY);
    }
    const goOn = this.#parts.expectSilence();
    return new Promise((resolve) => {
      const end = (answer: QuestionAnswer) => {
        this.#open.delete(id);
        goOn();
        resolve(answer);
      };
      this.#open.set(id, end);
      signal?.addEventListener('abort', () => {
        if (this.#open.get(id) === end) end(NOBODY);
      });
      this.#parts.onUpdate(question);
    });
  }

  /** False if nothing waits for it. */
  answer(id: string, answer: QuestionAnswer): boolean {
    const end = this.#open.get(id);
    end?.(answer);
    return end !== undefined;
  }

  /** Nobody is asked any more. */
  end(): void {
    this.#isOver = true;
    for (const end of this.#open.values()) end(NOBODY);
  }

  /** Whether a tool may be used. The bridge's own tools need no permission. */
  async permission(request: Json, toolCall: Json, signal: AbortSignal): Promise<Json> {
    const options = optionsOf(request);
    const call = this.#parts.callOf(toolCall);
    const own = this.#parts.tools?.isOwnTool(toolUseOf(toolCall, call)) === true;
    const allowed = own ? allowedOutcome(options) : undefined;
    if (allowed !== undefined) return allowed;
    if (call === undefined || options.length === 0) return permissionOutcome([], NOBODY);
    const question = permissionQuestion(this.#nextId(), { call, options });
    return permissionOutcome(options, await this.ask(question, signal));
  }

  /** The fields of a form, one after the other. */
  async elicitation(request: Json, signal: AbortSignal): Promise<Json> {
    const fields = fieldsOf(request);
    if (fields === undefined) return DECLINED;
    const content: Record<string, unknown> = {};
    for (const { text, options, takesWords, valueOf } of fields) {
      const words = takesWords && ({ takesWords: true } as const);
      const question = { kind: 'question', id: this.#nextId(), text, options, ...words } as const;
      const answer = await this.ask(question, signal);
      if (answer.kind === 'cancelled') return CALLED_OFF;
      const value = valueOf(answer);
      if (value === undefined) return DECLINED;
      Object.assign(content, value);
    }
    return { action: 'accept', content };
  }

  #nextId(): string {
    this.#count += 1;
    return `acp-${this.#count}`;
  }
}
