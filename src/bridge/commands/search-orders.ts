/** What was said in conversations, for somebody who looks back. */
import { shortened } from '../../text/cut.ts';
import { visibleOf } from '../../text/visible.ts';
import { messageText } from '../../wire/message-text.ts';
import type { OwnShow } from '../outbox/drafts.ts';
import type { KnownSession, SaidInSessions, SessionBook, TurnThen } from '../ports/sessions.ts';
import type { Clock } from '../../time/clock.ts';
import { commandNotices } from '../texts/commands.ts';
import { type FoundLine, searchResults, sessionNotices, today } from '../texts/sessions.ts';
import { viewerOf } from './session-orders.ts';
import type { CommandOrder } from './turns-meant.ts';

const RESULTS_MAX = 10;
const TITLES_MAX = 5;
/** A longer text is not searched for. */
const WORDS_CHARS_MAX = 100;
/** What is shown around the words that were found. */
const AROUND_CHARS = 30;

interface SearchOrdersParts {
  readonly said: SaidInSessions;
  readonly sessions: SessionBook;
  readonly clock: Clock;
  readonly prefix: string;
}

export class SearchOrders {
  readonly #parts: SearchOrdersParts;

  constructor(parts: SearchOrdersParts) {
    this.#parts = parts;
  }

  /** In messages and answers, and then in titles, which are kept for longer. */
  async search(order: CommandOrder): Promise<OwnShow> {
    const words = order.argument.slice(0, WORDS_CHARS_MAX);
    if (words === '') return commandNotices.usage('search', this.#parts.prefix);
    const { said, sessions } = this.#parts;
    const viewer = viewerOf(order);
    const turns = await said.search(words, viewer, RESULTS_MAX);
    const titled = await sessions.titled(words, viewer, RESULTS_MAX);
    const known = new Set(turns.map(({ session }) => session.id));
    const found = [
      ...turns.map((turn) => lineOfTurn(turn, words)),
      ...titled.filter(({ id }) => !known.has(id)).map(lineOfSession),
    ];
    return found.length === 0
      ? sessionNotices.nothingFound(words)
      : searchResults(words, found.slice(0, RESULTS_MAX));
  }

  async today(order: CommandOrder): Promise<OwnShow> {
    const { said, sessions, clock } = this.#parts;
    const midnight = new Date(clock.nowMs()).setHours(0, 0, 0, 0);
    const turns = await said.since(midnight, viewerOf(order));
    if (turns.length === 0) return sessionNotices.nothingToday();
    const ids = [...new Set(turns.map(({ session }) => session.id))];
    const titles = await Promise.all(ids.slice(0, TITLES_MAX).map((id) => sessions.titleOf(id)));
    return today({
      turns: turns.length,
      sessions: ids.length,
      byAgent: byAgent(turns),
      titles,
    });
  }
}

function byAgent(turns: readonly TurnThen[]) {
  const counts = new Map<string | undefined, number>();
  for (const { session } of turns) counts.set(session.agent, (counts.get(session.agent) ?? 0) + 1);
  return [...counts].map(([agent, count]) => ({ agent, turns: count }));
}

function lineOfTurn({ message, answers, session, receivedAtMs }: TurnThen, words: string) {
  const texts = [messageText(message.parts), ...answers.map(({ text }) => text)];
  const wanted = words.toLowerCase();
  const text = texts.find((one) => one.toLowerCase().includes(wanted)) ?? texts[0] ?? '';
  return {
    atMs: receivedAtMs,
    session: session.id,
    agent: session.agent,
    words: around(visibleOf(text).replaceAll(/\s+/g, ' '), wanted),
  };
}

function lineOfSession({ id, agent, title, usedAtMs }: KnownSession): FoundLine {
  return { atMs: usedAtMs, session: id, agent, words: title };
}

/** The place where the words stand. */
function around(text: string, wanted: string): string {
  const at = Math.max(0, text.toLowerCase().indexOf(wanted));
  const from = Math.max(0, at - AROUND_CHARS);
  const piece = shortened(text.slice(from), wanted.length + 2 * AROUND_CHARS);
  return from > 0 ? `…${piece}` : piece;
}
