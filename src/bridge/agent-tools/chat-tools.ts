/** What an agent at work does in the chat of its turn, besides its answer: files, reactions, a look at the history. */
import { randomUUID } from 'node:crypto';
import type { AnswerFile } from '../../core/content.ts';
import { isStoreTrouble } from '../../core/errors.ts';
import { type MessageId, messageId, turnId } from '../../core/ids.ts';
import type { LarkContext } from '../../core/message.ts';
import type { Turn } from '../../core/turn.ts';
import type { Clock } from '../../time/clock.ts';
import { messageText } from '../../wire/message-text.ts';
import { findNames } from '../known-names.ts';
import type { Delivery } from '../outbox/delivery.ts';
import { reactionDraft, toDrafts } from '../outbox/drafts.ts';
import { turnKey } from '../outbox/keys.ts';
import type { AnswerFileStore } from '../ports/answer-files.ts';
import type { Journal } from '../ports/journal.ts';
import type { LarkGateway } from '../ports/lark.ts';
import type { OutboxDraft } from '../ports/outbox.ts';
import type { DatedMessage } from '../ports/said-before.ts';
import type { Languages } from '../texts/languages.ts';
import { isAtWork } from '../turns/phases.ts';
import { goneAmong } from '../turns/said-before.ts';

interface ChatToolsParts {
  readonly journal: Journal;
  readonly lark: LarkGateway;
  readonly delivery: Pick<Delivery, 'offer'>;
  readonly languages: Languages;
  readonly answerFiles?: AnswerFileStore | undefined;
  readonly clock: Clock;
}

/** A message of the history, for an agent. */
interface ShownMessage {
  readonly id: string;
  readonly sender: string;
  readonly text: string;
  readonly atMs: number;
}

/** `refused`: why it was not done, in words for the agent. */
interface Outcome {
  readonly refused?: string;
}

const TURN_OVER = 'the work on this message is over';

/** For the turns that an agent works on now. Each call looks again whether it still does. */
export class AgentChatTools {
  readonly #parts: ChatToolsParts;

  constructor(parts: ChatToolsParts) {
    this.#parts = parts;
  }

  /** The file is shown under the message of the turn, once, also if the process ends now. */
  async sendFile(
    of: LarkContext,
    given: { readonly name: string; readonly bytes: Uint8Array },
    caption = '',
  ): Promise<Outcome> {
    const { answerFiles, lark, clock } = this.#parts;
    if (answerFiles === undefined) return { refused: 'files can not be sent here' };
    if (!isOpen(await this.#turn(of))) return { refused: TURN_OVER };
    let file: AnswerFile | undefined;
    let isStored = false;
    try {
      const kept = answerFiles.keep(given);
      file = kept;
      const id = randomUUID();
      isStored = await this.#store(of, (turn, lang) =>
        toDrafts(turn, [{ what: 'answer', name: `tool:${id}`, text: caption, files: [kept] }], {
          nowMs: clock.nowMs(),
          form: lark.form,
          lang,
        }),
      );
      return isStored ? {} : { refused: TURN_OVER };
    } catch (error) {
      if (!isStoreTrouble(error)) throw error;
      return { refused: error.message };
    } finally {
      if (!isStored && file !== undefined) answerFiles.remove(file.path);
    }
  }

  /** On the message of the turn. The same emoji again changes nothing. */
  async react(of: LarkContext, name: string): Promise<Outcome> {
    const { lark, clock } = this.#parts;
    const emoji = lark.emojiNamed === undefined ? name : lark.emojiNamed(name);
    if (emoji === undefined) return { refused: 'Lark has no emoji of that name' };
    try {
      const isStored = await this.#store(of, (turn) => [
        {
          ...reactionDraft(turn, clock.nowMs()),
          key: turnKey(turn, `reaction:${emoji}`),
          body: { kind: 'react', emoji },
        },
      ]);
      return isStored ? {} : { refused: TURN_OVER };
    } catch (error) {
      if (!isStoreTrouble(error)) throw error;
      return { refused: error.message };
    }
  }

  /** Oldest first. What Lark does not show is taken from the journal. */
  async readHistory(
    of: LarkContext,
    { limit, before }: { readonly limit: number; readonly before?: string },
  ): Promise<readonly ShownMessage[]> {
    const turn = await this.#turn(of);
    if (!isOpen(turn)) return [];
    const query = { count: limit, ...(before !== undefined && { before }) };
    const read = await this.#parts.lark.surroundings?.latest(turn.message, query);
    const messages = read?.ok === true ? read.value : await this.#known(turn, { limit, before });
    return this.#shown(turn, messages);
  }

  async #known(
    turn: Turn,
    { limit, before }: { readonly limit: number; readonly before: string | undefined },
  ): Promise<readonly DatedMessage[]> {
    const { journal } = this.#parts;
    const from = before === undefined ? turn : await journal.turn(turnId(before));
    if (from === undefined || from.message.chatId !== turn.message.chatId) return [];
    const known = await journal.turnsBefore({ ...from, message: turn.message }, limit);
    const all = known.flatMap(({ message, answers }) => {
      const { messageId: id, senderOpenId: sender, sentAtMs, edited, parts } = message;
      const text = messageText(edited?.parts ?? parts);
      const own = answers.map((one) => ({ ...one, sender: message.appId, isBot: true, sentAtMs }));
      return [{ messageId: id, sender, isBot: false, text, sentAtMs }, ...own];
    });
    return all.slice(-limit);
  }

  /** With names, without what was recalled, and with what an agent wrote in place of what its card shows. */
  async #shown(
    { message }: Turn,
    messages: readonly DatedMessage[],
  ): Promise<readonly ShownMessage[]> {
    const { journal, lark } = this.#parts;
    const gone = await goneAmong(journal, messages);
    const bots = messages.flatMap((one) => (one.isBot ? one.messageId : []));
    const answers: ReadonlyMap<MessageId, string> = await journal.answersAmong(bots);
    const people = messages.flatMap((one) => (one.isBot ? [] : one.sender));
    await findNames(this.#parts, message, people);
    return messages.flatMap(({ messageId: id, sender, isBot, text, sentAtMs }) => {
      if (gone.has(id)) return [];
      const name = lark.surroundings?.nameOf(sender) ?? (isBot ? 'Bot' : sender);
      return { id, sender: name, text: answers.get(id) ?? text, atMs: sentAtMs };
    });
  }

  async #turn({ messageId: id, chatId }: LarkContext): Promise<Turn | undefined> {
    const turn = await this.#parts.journal.turn(turnId(messageId(id)));
    return turn?.message.chatId === chatId ? turn : undefined;
  }

  /** Stores the rows if the agent is still at work on the turn. */
  async #store(
    of: LarkContext,
    draft: (turn: Turn, lang: ReturnType<Languages['ofTurn']>) => readonly OutboxDraft[],
  ): Promise<boolean> {
    const { journal, delivery, languages } = this.#parts;
    const turn = await this.#turn(of);
    if (turn === undefined) return false;
    const { changed, out } = await journal.changeTurn(turn.id, (now) => {
      if (!isOpen(now)) return undefined;
      return { state: now.state, out: draft(now, languages.ofTurn(now)) };
    });
    delivery.offer(out);
    return changed;
  }
}

function isOpen(turn: Turn | undefined): turn is Turn {
  return turn !== undefined && isAtWork(turn.state);
}
