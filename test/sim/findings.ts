import type { MessageId } from '../../src/core/ids.ts';
import type { InboundMessage } from '../../src/core/message.ts';
import type { Turn } from '../../src/core/turn.ts';
import type { Shown } from './faulty-lark.ts';
import type { BridgeWorld } from './world.ts';
import { isAgentsQuestion } from './people.ts';
import { STALE_AFTER_MS } from '../../src/bridge/intake/admission.ts';

/** What the people in the chats would complain about, by the texts of their messages. */
export interface Findings {
  /** Not answered, and nobody was asked. */
  readonly lost: string[];
  readonly repeated: string[];
  readonly misplaced: string[];
  readonly outOfOrder: string[];
  /** More often than somebody wanted. */
  readonly ranTwice: string[];
  /** Though it was taken back, skipped, or waits for somebody's word. */
  readonly ranUnasked: string[];
  /** Run in the name of a person who neither wrote it nor asked for it, or skipped by somebody else. */
  readonly wrongPerson: string[];
  /** Shown after it was taken back, in whatever words and place. */
  readonly withdrawn: string[];
  /** The agent worked on for a while although the bridge knew that the message was taken back. */
  readonly ranOn: string[];
  /** Waits for a word of somebody who was not asked for it. */
  readonly silent: string[];
  /** Signs of receipt that nobody took away. */
  readonly leftOver: string[];
  /** Questions of agents that did not end, or whose cards say that they did not. */
  readonly unended: string[];
  /** Questions whose agents heard something else than what was decided, or heard it twice. */
  readonly misheard: string[];
  /** Of people who were not let in, or not yet, and run or answered all the same. */
  readonly strangers: string[];
}

/** A crash right after the recall, and a hub that does not answer at once, take their time. */
const RAN_ON_MS = 30_000;

export const CLEAN: Findings = {
  lost: [],
  repeated: [],
  misplaced: [],
  outOfOrder: [],
  ranTwice: [],
  ranUnasked: [],
  wrongPerson: [],
  withdrawn: [],
  ranOn: [],
  silent: [],
  leftOver: [],
  unended: [],
  misheard: [],
  strangers: [],
};

export async function findings(world: BridgeWorld): Promise<Findings> {
  const found = structuredClone(CLEAN);
  found.silent.push(...world.silent);
  found.leftOver.push(...world.lark.reactions.values());
  const turns = new Map((await world.turns()).map((turn) => [turn.message.messageId, turn]));
  const asked = new Map(world.people.said.map((message) => [message.messageId, message]));
  for (const message of asked.values()) {
    parseMessage(world, { message, turn: turns.get(message.messageId) }, found);
  }
  for (const shown of world.lark.shown) {
    const under = shown.replyTo === undefined ? undefined : asked.get(shown.replyTo);
    const about = subjectOf(shown);
    if (about === undefined) continue;
    const place = under?.chatId === shown.chatId && textOf(under) === about;
    if (!place) found.misplaced.push(shown.text);
  }
  parseQuestions(world, [...turns.values()], found);
  found.outOfOrder.push(...disorder(world, [...turns.values()]));
  return found;
}

function parseMessage(
  world: BridgeWorld,
  { message, turn }: { message: InboundMessage; turn: Turn | undefined },
  found: Findings,
): void {
  const text = textOf(message);
  const outcomes = world.lark.shown.filter(
    (shown) => isOutcome(shown.text) && shown.replyTo === message.messageId,
  );
  const runs = world.hub.runs.get(text) ?? 0;
  const phase = turn?.state.phase;
  const settled = phase === 'answered' || phase === 'failed';
  const author = message.senderOpenId;
  const ranAtMs = world.hub.firstRunAtMs.get(text);
  const isAnswered = world.lark.shown.some((shown) => subjectOf(shown) === text);
  if (ranAtMs !== undefined && world.people.isOutside(author, ranAtMs)) found.strangers.push(text);
  if (isAnswered && world.people.isOutside(author)) found.strangers.push(text);
  const isShutOut = turn?.state.phase === 'dropped' && turn.state.why === 'not_allowed';
  if (isShutOut && !world.people.isOutside(author)) found.lost.push(`${text}: shut out`);
  if (phase === 'kept' && world.people.isOutside(author)) return;
  if (!settled && phase !== 'dropped') found.lost.push(`${text}: ${phase ?? 'not admitted'}`);
  else if (settled && outcomes.length === 0 && !world.lark.recalled.has(message.messageId)) {
    found.lost.push(text);
  }
  // A turn that somebody wanted again has an outcome for each time.
  if (outcomes.length > (turn?.run ?? 0)) found.repeated.push(text);
  if (runs > (turn?.run ?? 0)) found.ranTwice.push(text);
  if (runs > 0 && world.people.takenBack.has(message.messageId)) found.ranUnasked.push(text);
  if (isWithdrawn(world, message)) found.withdrawn.push(text);
  const heardAtMs = world.people.heardAtMs.get(message.messageId);
  if (heardAtMs !== undefined && world.hub.workedOn(text, heardAtMs, RAN_ON_MS)) {
    found.ranOn.push(text);
  }
  for (const sender of world.hub.senders.get(text) ?? []) {
    const isAsker = sender === author || world.people.hasWanted('retry', message, sender);
    if (!isAsker) found.wrongPerson.push(text);
  }
  const skipped = turn?.state.phase === 'dropped' && turn.state.why === 'skipped';
  if (skipped && turn.state.by !== author) found.wrongPerson.push(text);
  const wanted = world.people.hasWanted('run', message, author);
  // What was kept of a guest runs without a question, however old it is.
  const wasAsked = turn !== undefined && wasStale(turn) && !world.people.isOutside(author, 0);
  if (skipped && wasAsked && !wanted && runs > 0) {
    found.ranUnasked.push(text);
  }
}

/** Every question ends once, its card says how, and its agent hears that and nothing else. */
function parseQuestions(world: BridgeWorld, turns: readonly Turn[], found: Findings): void {
  const stored = new Map(
    turns.flatMap((turn) => world.questionsOf(turn).map((one) => [one.id, one])),
  );
  for (const { text, state, id } of stored.values()) {
    const isOver = state.phase !== 'open' && (state.phase !== 'answered' || state.isHeard === true);
    if (!isOver) found.unended.push(`${id}: ${text} is ${state.phase}`);
  }
  for (const shown of world.lark.shown) {
    if (isAgentsQuestion(shown)) found.unended.push(`card: ${shown.text}`);
    const { id } =
      [...stored.values()].find((one) => one.key === world.lark.questionOf(shown.id)) ?? {};
    const state = id === undefined ? undefined : stored.get(id)?.state;
    const isAnswer = state?.phase === 'answered';
    const wanted = isAnswer ? `Answer: ${state.option.label}` : 'This question is over';
    if (state !== undefined && !shown.words.includes(wanted)) {
      found.unended.push(`card does not say "${wanted}": ${shown.words}`);
    }
  }
  for (const { id, told, heard } of world.hub.agents.asked) {
    const state = stored.get(id)?.state;
    const chosen = heard.flatMap((one) => (one.kind === 'chosen' ? [one.option] : []));
    // A process that died after it had told the agent does not know that it had, and the agent died with it.
    const isForgotten = state?.phase === 'over' && state.why === 'restarted';
    const decided = state?.phase === 'answered' ? [state.option.id] : [];
    const isSame = isForgotten || String(chosen) === String(decided);
    const toldAfter = heard.length > 0 && told.length > 1;
    if (!isSame || toldAfter) {
      found.misheard.push(`${id}: ${JSON.stringify({ told, heard, state })}`);
    }
  }
}

/** The message that something shown tells the outcome of, if it tells so. */
function subjectOf({ text }: Shown): string | undefined {
  return /answer to ((?:question|fail) \d+)$/.exec(text)?.[1];
}

/** Shown after Lark had taken the message back; a word of it is enough. */
function isWithdrawn(world: BridgeWorld, message: InboundMessage): boolean {
  const atMs = world.lark.recalled.get(message.messageId);
  const words = new RegExp(String.raw`\b${textOf(message)}\b`);
  return (
    atMs !== undefined && world.lark.shown.some((one) => one.atMs > atMs && words.test(one.text))
  );
}

/** Outcomes that came before that of an earlier message of the same chat, which waited for nobody's word. */
function disorder(world: BridgeWorld, turns: readonly Turn[]): string[] {
  const { shown, recalled } = world.lark;
  const aside = new Set<MessageId | undefined>(recalled.keys());
  for (const { text, replyTo } of shown) if (text.includes('unusually long')) aside.add(replyTo);
  for (const one of shown) {
    if (one.buttons.length > 0 && !isAgentsQuestion(one)) aside.add(one.replyTo);
  }
  for (const turn of turns) {
    if (turn.run > 1 || wasStale(turn)) aside.add(turn.message.messageId);
  }
  const places = new Map(turns.map((turn) => [turn.message.messageId, turn.seq]));
  const authors = new Map(world.people.said.map((one) => [one.messageId, one.senderOpenId]));
  // What is kept of a person runs later than what others said meanwhile, but in order.
  const line = (chat: string, asked: MessageId) => {
    const author = authors.get(asked);
    const wasGuest = author !== undefined && world.people.isOutside(author, 0);
    return wasGuest ? `${chat} ${author}` : chat;
  };
  const latest = new Map<string, number>();
  const wrong: string[] = [];
  for (const { replyTo, chatId: chat, text } of shown) {
    if (replyTo === undefined || aside.has(replyTo) || !isOutcome(text)) continue;
    const place = places.get(replyTo) ?? -1;
    if (place < (latest.get(line(chat, replyTo)) ?? -1)) wrong.push(text);
    latest.set(line(chat, replyTo), place);
  }
  return wrong;
}

function wasStale({ receivedAtMs, message }: Turn): boolean {
  return receivedAtMs - message.sentAtMs > STALE_AFTER_MS;
}

function isOutcome(text: string): boolean {
  return /answer to |could not answer|took too long/.test(text);
}

export function textOf(message: InboundMessage): string {
  return message.parts.map((part) => (part.kind === 'text' ? part.text : '')).join('');
}
