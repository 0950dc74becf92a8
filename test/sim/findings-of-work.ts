/** What people would complain about what they see while an agent works, and about what they change and stop. */
import type { InboundMessage } from '../../src/core/message.ts';
import type { Turn } from '../../src/core/turn.ts';
import { nameOf, versionIn } from './subjects.ts';
import type { Shown } from './shown.ts';
import type { BridgeWorld } from './world.ts';

const STOPPED = /^Stopped\.|has stopped this/;
const AT_WORK = 'The agent is already working on your message';
/** A call that a process had made when it died. */
const UNDER_WAY_MS = 1_000;
/** The latest part of what an agent said. */
const LATEST_PART = /.*(part \d+;)/s;

/** Cards on which nothing says that the work is over. */
export function cardsAtWork({ lark }: BridgeWorld): string[] {
  return lark.shown.flatMap(({ live, replyTo, text }) =>
    live?.isEnded === false ? [`the card under ${replyTo}: ${text}`] : [],
  );
}

/** Turns that began with an older text than the one that the bridge knew, though nobody was told. */
export function oldTexts(world: BridgeWorld, { message }: Turn): string[] {
  const { lark, hub, people } = world;
  const name = nameOf(message);
  const under = lark.shown.filter(({ replyTo }) => replyTo === message.messageId);
  if (name === '' || lark.recalled.has(message.messageId)) return [];
  if (under.some(({ text }) => text.startsWith(AT_WORK))) return [];
  const changes = people.changes.filter(({ messageId }) => messageId === message.messageId);
  return hub.given.flatMap(({ name: given, text, atMs }) => {
    if (given !== name) return [];
    const known = changes.filter(({ heardAtMs }) => heardAtMs < atMs);
    const newest = Math.max(1, ...known.map(({ version }) => version));
    return versionIn(text) < newest ? [`version ${newest} was known: ${text}`] : [];
  });
}

/** A chat, or a thread of it, has one memory as long as nobody begins anew, and no other place has it. */
export function memoriesWrong({ hub, people }: BridgeWorld): string[] {
  const places = new Map(people.said.map((one) => [nameOf(one), placeOf(one)]));
  const pairs = new Map<string, string>();
  return hub.given.flatMap(({ name, session }) => {
    // Without a name it was taken back while it was on its way.
    const place = places.get(name);
    if (place === undefined) return [];
    if (session === undefined) return [`${name}: no memory`];
    const isOther =
      (pairs.get(place) ?? session) !== session || (pairs.get(session) ?? place) !== place;
    pairs.set(place, session).set(session, place);
    return isOther ? [`${name}: in ${place} with ${session}`] : [];
  });
}

function placeOf({ chatId, threadId }: InboundMessage): string {
  return [chatId, threadId ?? ''].join('/');
}

/** A turn that was stopped says so once. */
export function stopsNotTold({ lark }: BridgeWorld, { message, state }: Turn): string[] {
  const told = lark.shown.filter(
    ({ replyTo, text }) => replyTo === message.messageId && STOPPED.test(text),
  );
  const isStopped = state.phase === 'dropped' && state.why === 'stopped';
  if (!isStopped) return told.map(() => `${nameOf(message)}: not stopped, and told so`);
  if (lark.recalled.has(message.messageId) || told.length === 1) return [];
  return [`${nameOf(message)}: stopped, and told ${told.length} times`];
}

/** When a turn was stopped by somebody while its agent had it. */
export function stoppedAtMs({ ended }: BridgeWorld, { id, state }: Turn): number | undefined {
  if (state.phase !== 'dropped' || state.why !== 'stopped') return undefined;
  return ended.find(({ turn, phase }) => turn === id && phase === 'dropped')?.atMs;
}

/** What a card showed when its turn was stopped or failed has to stay, if the same process had shown it. */
export function wordsLost(world: BridgeWorld, turn: Turn): string[] {
  const { lark, crashedAtMs, ended } = world;
  const { messageId } = turn.message;
  if (lark.recalled.has(messageId)) return [];
  const under = lark.shown.filter(({ replyTo }) => replyTo === messageId);
  const words = under.map(({ words: all }) => all).join('\n');
  return ended.flatMap(({ turn: id, phase, atMs }) => {
    const isKept = phase === 'failed' || stoppedAtMs(world, turn) === atMs;
    if (id !== turn.id || !isKept) return [];
    // Neither what another process has shown, nor what an earlier run did.
    const ends = ended.filter((one) => one.turn === id && one.atMs < atMs);
    const others = [
      ...crashedAtMs.flatMap((crash) => (crash <= atMs ? crash + UNDER_WAY_MS : [])),
      ...ends.map((one) => one.atMs),
    ];
    const part = latestPart(under, { fromMs: Math.max(0, ...others), untilMs: atMs });
    return part === undefined || words.includes(part) ? [] : [`${nameOf(turn.message)}: ${part}`];
  });
}

function latestPart(
  under: readonly Shown[],
  { fromMs, untilMs }: { readonly fromMs: number; readonly untilMs: number },
): string | undefined {
  const cards = under.flatMap(({ live }) => live ?? []);
  const shown = cards.filter(({ saidAtMs }) => saidAtMs > fromMs && saidAtMs <= untilMs);
  return LATEST_PART.exec(shown.at(-1)?.said ?? '')?.[1];
}
