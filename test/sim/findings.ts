import type { MessageId } from '../../src/core/ids.ts';
import type { InboundMessage } from '../../src/core/message.ts';
import type { Turn } from '../../src/core/turn.ts';
import type { Shown } from './shown.ts';
import type { BridgeWorld } from './world.ts';
import { filesLost, gotWithdrawn } from './findings-of-files.ts';
import {
  cardsAtWork,
  memoriesWrong,
  oldTexts,
  stoppedAtMs,
  stopsNotTold,
  wordsLost,
} from './findings-of-work.ts';
import { isAgentsQuestion } from './people.ts';
import { nameOf } from './subjects.ts';
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
  /** Files that were neither given whole to the agent nor said to be missing. */
  readonly filesLost: string[];
  /** Cards that say for ever that an agent works. */
  readonly atWork: string[];
  /** What an agent had said when its turn was stopped or failed, and what is not shown any more. */
  readonly wordsLost: string[];
  /** Stopped without a word, or by somebody who did not want it. */
  readonly stopped: string[];
  /** Run with a text that had been changed, without a word about it. */
  readonly oldText: string[];
  /** Memories that two places share, and places with two memories though nobody began anew. */
  readonly memories: string[];
}

/** What is on its way to Lark when the bridge hears of a recall. */
const UNDER_WAY_MS = 1_000;

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
  filesLost: [],
  atWork: [],
  wordsLost: [],
  stopped: [],
  oldText: [],
  memories: [],
};

export async function findings(world: BridgeWorld): Promise<Findings> {
  const found = structuredClone(CLEAN);
  found.silent.push(...world.silent);
  found.leftOver.push(...world.lark.reactions.values());
  found.atWork.push(...cardsAtWork(world));
  const turns = new Map((await world.turns()).map((turn) => [turn.message.messageId, turn]));
  const asked = new Map(world.people.said.map((message) => [message.messageId, message]));
  for (const message of asked.values()) {
    const own = turns.get(message.messageId);
    const turn = own && wholeOf(own, turns);
    if (turn === own) parseMessage(world, { message, turn }, found);
    else if (turn !== undefined) parseJoined(world, { message, turn }, found);
    if (turn === undefined) continue;
    found.filesLost.push(...filesLost(world, { message, turn }));
    if (gotWithdrawn(world, { message, turn })) found.withdrawn.push(nameOf(message));
  }
  for (const shown of world.lark.shown) {
    const under = shown.replyTo && (asked.get(shown.replyTo) ?? turns.get(shown.replyTo)?.message);
    const about = subjectOf(shown);
    if (about === undefined) continue;
    const isInPlace = under?.chatId === shown.chatId && nameOf(under) === about;
    if (!isInPlace) found.misplaced.push(shown.text);
  }
  parseQuestions(world, [...turns.values()], found);
  found.outOfOrder.push(...disorder(world, [...turns.values()]));
  found.memories.push(...memoriesWrong(world));
  return found;
}

/** The turn that a message is a part of: its own, or the one that took it in. */
function wholeOf(turn: Turn, turns: ReadonlyMap<MessageId, Turn>): Turn {
  const { state } = turn;
  const into = state.phase === 'answered' ? state.joined : undefined;
  const whole = into && turns.get(into as string as MessageId);
  return whole === undefined ? turn : wholeOf(whole, turns);
}

/** A message that became a part of another turn is answered with that one, unless that one was taken back. */
function parseJoined(
  world: BridgeWorld,
  { message, turn }: { message: InboundMessage; turn: Turn },
  found: Findings,
): void {
  const name = nameOf(message);
  const { chatId: chat, senderOpenId: by } = turn.message;
  if (chat !== message.chatId || by !== message.senderOpenId) found.misplaced.push(name);
  if (isWithdrawn(world, message)) found.withdrawn.push(name);
  const isRun = world.hub.given.some(({ text }) => text.includes(`${name}]`));
  const isGone = turn.state.phase === 'dropped' && turn.state.why === 'recalled';
  if (isGone && !isRun && !world.lark.recalled.has(message.messageId)) {
    found.lost.push(`${name}: taken back with ${nameOf(turn.message)}`);
  }
}

function parseMessage(
  world: BridgeWorld,
  { message, turn }: { message: InboundMessage; turn: Turn | undefined },
  found: Findings,
): void {
  const text = nameOf(message);
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
  const stopAtMs = turn && stoppedAtMs(world, turn);
  for (const atMs of [heardAtMs, stopAtMs]) {
    if (atMs !== undefined && world.hub.workedOn(text, atMs, RAN_ON_MS)) found.ranOn.push(text);
  }
  if (turn !== undefined) parseWork(world, turn, found);
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

function parseWork(world: BridgeWorld, turn: Turn, found: Findings): void {
  const { message, state, askedBy = message.senderOpenId } = turn;
  found.stopped.push(...stopsNotTold(world, turn));
  found.wordsLost.push(...wordsLost(world, turn));
  found.oldText.push(...oldTexts(world, turn));
  if (state.phase !== 'dropped' || state.why !== 'stopped') return;
  const isWanted = state.by === askedBy && world.people.hasWanted('stop', message, askedBy);
  if (!isWanted) found.stopped.push(`${nameOf(message)}: by ${state.by}`);
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
    const key = world.lark.questionOf(shown.id);
    const { state, text } = [...stored.values()].find((one) => one.key === key) ?? {};
    const isAnswer = state?.phase === 'answered';
    const wanted = isAnswer ? `Answer: ${state.option?.label}` : 'This question is over';
    // A card that had not changed yet when the message was recalled says only that.
    const isTakenBack = text === '' && shown.words.includes('This question is over');
    if (state !== undefined && !isTakenBack && !shown.words.includes(wanted)) {
      found.unended.push(`card does not say "${wanted}": ${shown.words}`);
    }
  }
  for (const { id, told, heard } of world.hub.agents.asked) {
    const state = stored.get(id)?.state;
    const chosen = heard.flatMap((one) => (one.kind === 'chosen' ? [one.option] : []));
    // A process that died after it had told the agent does not know that it had, and the agent died with it.
    const isForgotten = state?.phase === 'over' && state.why === 'restarted';
    const decided = state?.phase === 'answered' ? [state.option?.id] : [];
    const isSame = isForgotten || String(chosen) === String(decided);
    const toldAfter = heard.length > 0 && told.length > 1;
    if (!isSame || toldAfter) {
      found.misheard.push(`${id}: ${JSON.stringify({ told, heard, state })}`);
    }
  }
}

/** The message that something shown tells the outcome of, if it tells so. */
function subjectOf({ text }: Shown): string | undefined {
  return /(?:answer to|so far) ((?:question|fail|picture) \d+)/.exec(text)?.[1];
}

/**
 * Shown after Lark had taken the message back; a word of it is enough. Lark goes on to change a card that stands
 * already: there it counts when the bridge hears of the recall. A notice names files that are missing, and may have
 * been on its way.
 */
function isWithdrawn({ lark, people }: BridgeWorld, message: InboundMessage): boolean {
  const { messageId: id } = message;
  const atMs = lark.recalled.get(id);
  if (atMs === undefined) return false;
  const words = new RegExp(String.raw`\b${nameOf(message)}\b`);
  const heardAtMs = (people.heardAtMs.get(id) ?? Infinity) + UNDER_WAY_MS;
  return lark.shown.some(({ atMs: shownAtMs, live, text }) => {
    const isLate = shownAtMs > (live === undefined ? atMs : heardAtMs);
    return isLate && words.test(text) && !text.startsWith('I could not read: ');
  });
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
    // Files without words stand in no line while they wait for words.
    const isAside = turn.run > 1 || wasStale(turn) || nameOf(turn.message).startsWith('picture');
    if (isAside) aside.add(turn.message.messageId);
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
