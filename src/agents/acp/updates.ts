/** What an agent tells during a turn, in the words of the bridge. */
import { asObject, isObject, type Json } from '../../core/json-object.ts';
import type { PlanEntry, TurnUpdate, TurnUsage } from '../../core/turn-update.ts';
import { byteLength, headOf, shortened } from '../../text/cut.ts';
import { cutAnswer } from '../cut-answer.ts';
import { bounded, copyOf, stepOf, type ToolCall, ToolCalls } from './tool-calls.ts';

/** More of a plan is no plan that people read. */
const PLAN_ENTRIES_MAX = 50;
const PLAN_CHARS_MAX = 300;
const REMARK_CHARS_MAX = 1_000;
/** Thoughts are shown on the way only. Agents think without end. */
const THOUGHT_CHARS_MAX = 100_000;

/** Reads the updates of one turn, in their order, and keeps the answer. */
export class UpdateReader {
  readonly #calls: ToolCalls;
  readonly #bytesMax: number;
  readonly #atWork = new Set<string>();
  #text = '';
  /** The last two characters of it: to look at all of it for each chunk would take minutes for a long answer. */
  #tail = '';
  #textBytes = 0;
  #isTooLong = false;
  #thoughtChars = 0;
  #usage: TurnUsage = {};
  /** The message that is being written. Undefined: nothing was said yet, or its agent names none. */
  #messageId: unknown;
  #hadTool = false;

  constructor({ folder, bytesMax }: { readonly folder: string; readonly bytesMax: number }) {
    this.#calls = new ToolCalls(folder);
    this.#bytesMax = bytesMax;
  }

  /** Of its answer, what fits. */
  get answer(): string {
    return this.#isTooLong ? cutAnswer(this.#text, this.#bytesMax) : this.#text;
  }

  /** A tool is at work, so silence is no trouble. */
  get hasToolAtWork(): boolean {
    return this.#atWork.size > 0;
  }

  /** Empty for what people are not shown, and for kinds that this version does not know. */
  take(update: Json): readonly TurnUpdate[] {
    switch (update['sessionUpdate']) {
      case 'agent_message_chunk':
        return this.#takeText(update);
      case 'agent_thought_chunk':
        return this.#takeThought(blockText(update['content']));
      case 'tool_call':
      case 'tool_call_update':
        return this.#takeCall(update);
      case 'plan':
        return [{ kind: 'plan', entries: planOf(update['entries']) }];
      case 'notice':
        return remarkOf(update);
      case 'usage_update':
        return this.#addUsage(contextUsage(update));
      default:
        return [];
    }
  }

  /** The use of a tool that the agent asks about, with all that was told of it. */
  asked(toolCall: Json): ToolCall | undefined {
    return this.#calls.take(toolCall);
  }

  /** What the answer to the prompt says about the tokens of the turn. */
  takeUsage(usage: unknown): readonly TurnUpdate[] {
    const { inputTokens, outputTokens } = asObject(usage) ?? {};
    const told = {
      ...(typeof inputTokens === 'number' && { inputTokens }),
      ...(typeof outputTokens === 'number' && { outputTokens }),
    };
    return Object.keys(told).length === 0 ? [] : this.#addUsage(told);
  }

  #takeText({ content, messageId }: Json): readonly TurnUpdate[] {
    const said = blockText(content);
    if (said === '' || this.#isTooLong) return [];
    const all = this.#beginsMessage(messageId) ? `\n\n${said}` : said;
    const fits = headOf(all, { bytes: this.#bytesMax - this.#textBytes });
    const text = fits === all ? all : copyOf(fits);
    this.#messageId = messageId;
    this.#hadTool = false;
    this.#text += text;
    this.#tail = (this.#tail + text).slice(-2);
    this.#textBytes += byteLength(text);
    this.#isTooLong = text.length < all.length;
    return [{ kind: 'text_added', text }];
  }

  /** Messages of one turn are parts of one answer, with an empty line between them. */
  #beginsMessage(messageId: unknown): boolean {
    if (this.#tail === '' || this.#tail === '\n\n') return false;
    const areNamed = typeof messageId === 'string' && typeof this.#messageId === 'string';
    return areNamed ? messageId !== this.#messageId : this.#hadTool;
  }

  #takeThought(text: string): readonly TurnUpdate[] {
    this.#thoughtChars += text.length;
    if (text === '' || this.#thoughtChars > THOUGHT_CHARS_MAX) return [];
    return [{ kind: 'thought_added', text }];
  }

  #takeCall(update: Json): readonly TurnUpdate[] {
    const call = this.#calls.take(update);
    if (call === undefined) return [];
    this.#hadTool = true;
    if (call.status === 'running') this.#atWork.add(call.id);
    else this.#atWork.delete(call.id);
    return [{ kind: 'step', step: stepOf(call) }];
  }

  #addUsage(usage: TurnUsage): readonly TurnUpdate[] {
    this.#usage = { ...this.#usage, ...usage };
    return [{ kind: 'usage', usage: this.#usage }];
  }
}

/** What a person reads of a block of content. */
export function blockText(content: unknown): string {
  const { type, text, name, uri, resource } = asObject(content) ?? {};
  switch (type) {
    case 'text':
      return typeof text === 'string' ? text : '';
    case 'resource_link':
      return `${String(name)} (${String(uri)})`;
    case 'resource':
      return stringOf(asObject(resource)?.['text']);
    case 'image':
    case 'audio':
      return `[${type}]`;
    default:
      return '';
  }
}

function planOf(entries: unknown): PlanEntry[] {
  const given = Array.isArray(entries) ? entries.filter(isObject) : [];
  return given.slice(0, PLAN_ENTRIES_MAX).map(({ content, status }) => ({
    text: shortened(stringOf(content), PLAN_CHARS_MAX),
    status: status === 'in_progress' ? 'running' : status === 'completed' ? 'done' : 'pending',
  }));
}

function remarkOf({ severity, title, description }: Json): readonly TurnUpdate[] {
  const text = [title, description].map(stringOf).filter(Boolean).join('\n');
  if (text === '') return [];
  const level = severity === 'warning' || severity === 'error' ? severity : 'info';
  return [{ kind: 'remark', level, text: bounded(text, REMARK_CHARS_MAX) }];
}

function contextUsage({ used, size, cost }: Json): TurnUsage {
  const { amount, currency } = asObject(cost) ?? {};
  return {
    ...(typeof used === 'number' && { contextTokens: used }),
    ...(typeof size === 'number' && { contextSize: size }),
    ...(typeof amount === 'number' &&
      typeof currency === 'string' && { cost: { amount, currency } }),
  };
}

function stringOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
