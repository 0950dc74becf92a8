/**
 * Who may talk to the bot: a pure judgement on what is stored. It is made in the same write as the admission of a
 * message, and again when its turn would start. What can't be judged is closed.
 */
import type { ChatType, InboundMessage, SenderFacts } from '../../core/message.ts';
import type { OpenId } from '../../core/ids.ts';
import type { Turn, TurnState } from '../../core/turn.ts';
import type { Show } from '../outbox/show.ts';
import { ownDraft } from '../outbox/drafts.ts';
import type { Languages } from '../texts/languages.ts';
import type {
  AccessChange,
  AccessJudgement,
  AccessRecords,
  PersonAccess,
} from '../ports/access.ts';
import type { Admission, TurnChange } from '../ports/changes.ts';
import { guestTexts } from '../texts/access.ts';
import { createPairingCode } from '../../wire/pairing-code.ts';

export type AccessMode = 'pairing' | 'allowlist' | 'owner' | 'open';

/** A person who is not let in gets no more than one reply in this time. */
const TELL_EVERY_MS = 10 * 60_000;
/** A code is read out or copied within this time, and a lost one is soon worth nothing. */
const CODE_VALID_MS = 60 * 60_000;
/** So many messages of one person are kept: enough for a question in several parts, and a bound for the disk. */
const KEPT_MAX = 20;
/** Two bots can talk without end. After so many turns in a row a person has to speak. */
const BOT_TURNS_MAX = 10;

type Closed =
  | 'blocked'
  | 'guest'
  | 'external'
  | 'not_owner'
  | 'group_denied'
  | 'external_group'
  | 'group_unclear'
  | 'group_unknown'
  | 'bot'
  | 'bot_budget';

interface Who {
  readonly openId: OpenId;
  readonly facts: SenderFacts;
  readonly chatType: ChatType;
}

/** Undefined: let in. */
export function whyClosed(
  mode: AccessMode,
  { openId, facts, chatType }: Who,
  { app, person, group }: AccessRecords,
): Closed | undefined {
  const isOwner = openId === app.owner;
  const isNamed = isOwner || person?.state === 'allowed';
  if (!isOwner && person?.state === 'blocked') return 'blocked';
  if (!isOwner && group?.state === 'denied') return 'group_denied';
  // Bots answer at once, so only those that somebody named are heard.
  if (facts.isBot === true && (!isNamed || mode === 'owner')) return 'bot';
  if (facts.isBot === true && (group?.botTurns ?? 0) >= BOT_TURNS_MAX) return 'bot_budget';
  if (mode === 'open') return undefined;
  if (mode === 'owner' && !isOwner) return 'not_owner';
  const isGroupAllowed = group?.state === 'allowed';
  if (chatType === 'group' && !isGroupAllowed) {
    if (group?.isExternal === undefined) return 'group_unknown';
    if (group.isExternal !== false) {
      return group.isExternal === true ? 'external_group' : 'group_unclear';
    }
  }
  if (isNamed) return undefined;
  // Whoever allows an external group by its name lets in everybody who is in it.
  if (isGroupAllowed && group.isExternal === true) return undefined;
  const own = facts.ownTenant ?? app.tenant;
  if (own === undefined || facts.tenant !== own) return 'external';
  return isGroupAllowed ? undefined : 'guest';
}

/** Of these, messages are kept until somebody is let in. Of the others nothing is kept. */
const KEEPS: ReadonlySet<Closed> = new Set<Closed>([
  'guest',
  'external',
  'external_group',
  'group_unclear',
  'group_unknown',
]);

/** Whoever is kept out for one of these reasons is on the list of those who wait. */
const ASKS: ReadonlySet<Closed> = new Set<Closed>(['guest', 'external', 'not_owner']);

interface Moment {
  readonly nowMs: number;
}

export class Gate {
  readonly mode: AccessMode;
  readonly #languages: Languages;

  constructor(mode: AccessMode, languages: Languages) {
    this.mode = mode;
    this.#languages = languages;
  }

  /** The admission, with the judgement that is made when it is stored. */
  guard(admission: Admission): Admission {
    const nowMs = admission.receivedAtMs;
    return { ...admission, judge: (known) => this.#judge(admission, known, { nowMs }) };
  }

  /** What becomes of a waiting turn that must not start. Undefined: it may start. */
  atStart(turn: Turn, known: AccessRecords, nowMs: number): TurnChange | undefined {
    const { message, askedBy, state } = turn;
    if (state.phase !== 'waiting') return undefined;
    // Whoever asked for this run was judged then, in the chat where it was. Only a block since then counts.
    const why =
      askedBy === undefined
        ? this.#whyClosed(message, withoutBudget(known))
        : known.person?.state === 'blocked' && askedBy !== known.app.owner
          ? 'blocked'
          : undefined;
    if (why === undefined) return undefined;
    const { closed, access } = this.#close({ message, state }, why, { known, nowMs });
    return changeTo(closed, access);
  }

  /** What becomes of a kept message after something was decided. Undefined: it stays kept. */
  atDecision(turn: Turn, known: AccessRecords, nowMs: number): TurnChange | undefined {
    const { message, state } = turn;
    if (state.phase !== 'kept') return undefined;
    const why = this.#whyClosed(message, withoutBudget(known));
    const waiting = { phase: 'waiting', attempt: 0, notBeforeMs: 0 } as const;
    if (why === undefined) return { state: waiting, out: [] };
    if (why === 'blocked' || why === 'group_denied') return changeTo(NOT_ALLOWED, undefined);
    if (state.why !== 'group_unknown' || why === 'group_unknown') return undefined;
    // It is one of those that are counted as kept.
    const others = { ...known, kept: known.kept - 1 };
    const { closed, access } = this.#close({ message, state: waiting }, why, {
      known: others,
      nowMs,
    });
    return changeTo(closed, access);
  }

  #whyClosed(message: InboundMessage, known: AccessRecords): Closed | undefined {
    const { senderOpenId: openId, sender: facts = {}, chatType } = message;
    return whyClosed(this.mode, { openId, facts, chatType }, known);
  }

  #judge(admission: Admission, known: AccessRecords, { nowMs }: Moment): AccessJudgement {
    const { message, state } = admission;
    // It was recalled already, so there is nothing to answer.
    if (state.phase === 'dropped') return {};
    const why = this.#whyClosed(message, known);
    // The owner opens a group with a word in it.
    const isOwnersWord = state.phase === 'command' && message.senderOpenId === known.app.owner;
    if (why === undefined || isOwnersWord) return { access: noteLetIn(message, known) };
    return this.#close({ message, state }, why, { known, nowMs });
  }

  #close(
    { message, state }: Pick<Turn, 'message' | 'state'>,
    why: Closed,
    { known, nowMs }: { readonly known: AccessRecords; readonly nowMs: number },
  ): Required<Pick<AccessJudgement, 'closed'>> & Pick<AccessJudgement, 'access'> {
    const mayKeep = KEEPS.has(why) || (why === 'not_owner' && known.app.owner === undefined);
    const isKept = mayKeep && isRunnable(state) && known.kept < KEPT_MAX;
    const { notice, access } = this.#reply(message, why, { known, nowMs });
    const lang = this.#languages.of(message.senderOpenId);
    return {
      closed: {
        state: isKept
          ? { phase: 'kept', why: why === 'group_unknown' ? 'group_unknown' : 'guest' }
          : NOT_ALLOWED.state,
        out: notice === undefined ? [] : [ownDraft({ message, run: 1 }, notice, { nowMs, lang })],
      },
      access,
    };
  }

  /** What the person is told, and what is noted about that. */
  #reply(
    message: InboundMessage,
    why: Closed,
    { known, nowMs }: { readonly known: AccessRecords; readonly nowMs: number },
  ): { readonly notice?: Notice; readonly access?: AccessChange | undefined } {
    const { person, group } = known;
    if (why === 'group_unknown') return {};
    if (why === 'bot') return { access: noteBot(message, known) };
    if (why === 'bot_budget') {
      const botTurns = (group?.botTurns ?? 0) + 1;
      return botTurns > BOT_TURNS_MAX + 1
        ? {}
        : { notice: guestTexts.botBudget(), access: { group: { botTurns } } };
    }
    const isDirect = message.chatType === 'p2p';
    const toldAtMs = isDirect ? person?.toldAtMs : person?.toldInGroupAtMs;
    const isTold = toldAtMs !== undefined && nowMs >= toldAtMs && nowMs - toldAtMs < TELL_EVERY_MS;
    // Once for each decision is enough for somebody who is not wanted.
    const isOld = why === 'blocked' && toldAtMs !== undefined;
    if (isTold || (isOld && toldAtMs >= (person?.decidedAtMs ?? 0))) return {};
    const told = isDirect ? { toldAtMs: nowMs } : { toldInGroupAtMs: nowMs };
    const asks = ASKS.has(why) ? this.#request(message, why, { known, nowMs }) : {};
    return {
      notice: this.#notice(why, { isDirect, code: asks.code, known }),
      access: { ...tenantOf(message, known), person: { ...told, ...asks } },
    };
  }

  /** A request to be let in. In a direct chat it is shown to the owner, and has a code with pairing. */
  #request(
    { chatType, chatId, sender }: InboundMessage,
    why: Closed,
    { known: { person }, nowMs }: { readonly known: AccessRecords; readonly nowMs: number },
  ): Omit<PersonAccess, 'openId'> {
    const isOutside = why === 'external';
    const state = person?.state ?? 'waiting';
    const asks = { state, isOutside, unionId: sender?.unionId ?? person?.unionId };
    if (chatType !== 'p2p') return asks;
    const direct = { ...asks, chatId };
    const isOpen = person?.expiresAtMs !== undefined && person.expiresAtMs > nowMs;
    if (why !== 'guest') return { ...direct, askedAtMs: person?.askedAtMs ?? nowMs, isShown: true };
    if (isOpen && person.code !== undefined) return { ...direct, code: person.code };
    if (this.mode === 'pairing') {
      const code = createPairingCode();
      const expiresAtMs = nowMs + CODE_VALID_MS;
      return { ...direct, code, askedAtMs: nowMs, expiresAtMs, isShown: false };
    }
    const isAsked = person?.askedAtMs !== undefined && person.state === 'waiting';
    return isAsked ? direct : { ...direct, askedAtMs: nowMs, isShown: false };
  }

  #notice(
    why: Exclude<Closed, 'group_unknown' | 'bot' | 'bot_budget'>,
    about: {
      readonly isDirect: boolean;
      readonly code: string | undefined;
      readonly known: AccessRecords;
    },
  ): Notice {
    switch (why) {
      case 'blocked':
        return guestTexts.blocked();
      case 'external':
        return guestTexts.external();
      case 'not_owner':
        return guestTexts.ownerOnly();
      case 'group_denied':
        return guestTexts.groupDenied();
      case 'external_group':
        return guestTexts.externalGroup();
      case 'group_unclear':
        return guestTexts.groupUnclear();
      case 'guest':
        if (!about.isDirect) return guestTexts.inGroup();
        return about.code === undefined
          ? guestTexts.askOwner()
          : guestTexts.code(about.code, about.known.app.owner !== undefined);
    }
  }
}

type Notice = Extract<Show, { what: 'notice' }>;

const NOT_ALLOWED = { state: { phase: 'dropped', why: 'not_allowed' } as const, out: [] };

/** What the bridge would have given to the agent, now or after a question. */
function isRunnable({ phase }: TurnState): boolean {
  return phase === 'waiting' || phase === 'held';
}

/** What is not kept loses its text. */
function changeTo(
  { state, out }: Required<AccessJudgement>['closed'],
  access: AccessChange | undefined,
): TurnChange {
  const isKept = state.phase === 'kept';
  return { state, out, ...(!isKept && { parts: [], details: {} }), access };
}

/** A turn counts once, when its message is admitted. */
function withoutBudget(known: AccessRecords): AccessRecords {
  return known.group === undefined ? known : { ...known, group: { ...known.group, botTurns: 0 } };
}

/** What a message of somebody who is let in says about the app and the chat. Undefined if that is known. */
function noteLetIn(message: InboundMessage, known: AccessRecords): AccessChange | undefined {
  const { chatId, chatType, senderOpenId, sender } = message;
  const person = personOf(known.person, sender?.unionId);
  const turns = known.group?.botTurns ?? 0;
  const botTurns = sender?.isBot === true ? turns + 1 : 0;
  const isOwnersChat = chatType === 'p2p' && senderOpenId === known.app.owner;
  const app = {
    ...tenantOf(message, known).app,
    ...(isOwnersChat && known.app.ownerChat !== chatId && { ownerChat: chatId }),
  };
  const change = {
    ...(Object.keys(app).length > 0 && { app }),
    ...(person !== undefined && { person }),
    ...(chatType === 'group' && botTurns !== turns && { group: { botTurns } }),
  };
  return Object.keys(change).length === 0 ? undefined : change;
}

/** Messages of the history don't say what the app's own tenant is, so it is remembered. */
function tenantOf({ sender }: InboundMessage, { app }: AccessRecords): Pick<AccessChange, 'app'> {
  const tenant = sender?.ownTenant;
  return tenant === undefined || tenant === app.tenant ? {} : { app: { tenant } };
}

/** The operator finds the bot in the list of those who wait. */
function noteBot({ sender }: InboundMessage, { person }: AccessRecords): AccessChange | undefined {
  if (person !== undefined) return undefined;
  return { person: { isBot: true, state: 'waiting', unionId: sender?.unionId, isShown: true } };
}

/** The union id if it is news, and a copy of what was decided in another app. */
function personOf(person: PersonAccess | undefined, unionId: string | undefined) {
  if (person === undefined) return undefined;
  const { state, decidedBy, decidedAtMs } = person;
  if (person.isElsewhere === true) return { state, decidedBy, decidedAtMs };
  return unionId === undefined || unionId === person.unionId ? undefined : { unionId };
}
