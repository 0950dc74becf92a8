/** What was asked, and what was answered to it: nothing lost, nothing twice, in order. */

export class Book {
  /** By message id: questions without an answer. */
  #open = new Map();
  /** By chat: the same, in the order in which they were asked. */
  #chats = new Map();
  #counts = { asked: 0, answered: 0, repeated: 0, misordered: 0, wrong: 0, notices: 0 };
  #waiter;

  /** Notes a question. `answered` resolves when its answer is shown. */
  ask({ messageId, chatId, text }, onTurn) {
    let resolve;
    const answered = new Promise((settle) => {
      resolve = settle;
    });
    this.#open.set(messageId, { chatId, text, resolve, onTurn });
    const queue = this.#chats.get(chatId) ?? [];
    queue.push(messageId);
    this.#chats.set(chatId, queue);
    this.#counts.asked += 1;
    return { answered };
  }

  /** A turn has come to the agent. */
  turnArrived(messageId) {
    this.#open.get(messageId)?.onTurn?.(performance.now());
  }

  /** A bot has shown something. Of a card, what stands on it is told with `shownOnCard`. */
  shown({ msgType, content, replyTo }) {
    if (msgType === 'interactive') return;
    const { text } = JSON.parse(content);
    const entry = this.#open.get(replyTo?.messageId);
    if (isAnswer(text)) this.#answered(replyTo?.messageId, text);
    else if (entry !== undefined) this.#counts.notices += 1;
  }

  /** What stands now on a card under a question; true if that question is over. */
  shownOnCard({ questionId, text }) {
    const isOpen = this.#open.has(questionId);
    if (isOpen && isAnswer(text)) this.#answered(questionId, text);
    return !isOpen || isAnswer(text);
  }

  #answered(questionId, text) {
    const entry = this.#open.get(questionId);
    if (entry === undefined) {
      this.#counts.repeated += 1;
      return;
    }
    if (entry.text !== text) this.#counts.wrong += 1;
    const queue = this.#chats.get(entry.chatId);
    const at = queue?.indexOf(questionId) ?? -1;
    if (at !== 0) this.#counts.misordered += 1;
    queue?.splice(at, 1);
    this.#open.delete(questionId);
    this.#counts.answered += 1;
    entry.resolve();
    if (this.#open.size === 0) this.#waiter?.();
  }

  /** Resolves when every question has its answer, or after `timeoutMs`. */
  async empty(timeoutMs) {
    if (this.#open.size === 0) return;
    await new Promise((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#waiter = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }

  totals() {
    return { ...this.#counts, lost: this.#open.size };
  }
}

/** Every question and echo begins so; everything else is the bot's own word. */
function isAnswer(text) {
  return String(text).startsWith('question ');
}
