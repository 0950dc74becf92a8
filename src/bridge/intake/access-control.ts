/** Who may talk to the bot: judges, and carries out what the owner or the operator decides. */
import type { ChatId, OpenId } from '../../core/ids.ts';
import type { SenderFacts } from '../../core/message.ts';
import type { Service } from '../../time/service.ts';
import { repeating, type RepeatedWork } from '../../time/repeat.ts';
import type {
  AccessLookup,
  AccessOrders,
  AccessOutcome,
  GroupState,
  PersonAccess,
} from '../ports/access.ts';
import type { Admission } from '../ports/changes.ts';
import type { LarkGateway } from '../ports/lark.ts';
import { becameOwner, guestTexts, ownerTexts } from '../texts/access.ts';
import { whyClosed } from './access.ts';
import { AccessAsking } from './access-asking.ts';
import { AccessWrites, type AccessWritesParts } from './access-writes.ts';
import { parsePairingCode } from '../../wire/pairing-code.ts';
import { Welcomes } from './welcomes.ts';

/** What Lark did not tell is asked for again after this time. People wait for it. */
const ASK_AGAIN_MS = 30_000;

interface AccessControlParts extends Omit<AccessWritesParts, 'onChange'> {
  /** Who created the bot, if that is known. */
  readonly owner: () => OpenId | undefined;
  readonly lookup?: AccessLookup | undefined;
  readonly lark: Pick<LarkGateway, 'surroundings'>;
}

/** Who decided, and under which name it is done only once. */
export interface Decider {
  readonly by: OpenId | 'operator';
  readonly once?: string | undefined;
  /** A person who is let in by this becomes the owner, if the bot has none. */
  readonly mayOwn?: boolean;
}

export class AccessControl implements AccessOrders, Service {
  readonly name = 'access';
  readonly welcomes: Welcomes;
  readonly #parts: AccessControlParts;
  readonly #writes: AccessWrites;
  readonly #rounds: RepeatedWork;
  #started = false;
  /** As it is stored, for those who can't wait. */
  #owner: OpenId | undefined;

  constructor(parts: AccessControlParts) {
    this.#parts = parts;
    const { clock, log, gate } = parts;
    this.#writes = new AccessWrites({ ...parts, onChange: () => this.noteKept() });
    this.welcomes = new Welcomes(gate.mode, this.#writes);
    const asking = new AccessAsking({ ...parts, writes: this.#writes });
    this.#rounds = repeating({
      name: this.name,
      firstMs: 0,
      everyMs: ASK_AGAIN_MS,
      work: () => asking.round(),
      clock,
      log,
    });
  }

  /** What has to be known before the first message and the first order. */
  async prepare(): Promise<void> {
    const { log, book, gate, storeRetry } = this.#parts;
    const owner = this.#parts.owner();
    await this.#writes.settle({
      subject: {},
      // Whoever created the bot owns it, whatever was so before.
      decide: ({ app }) =>
        owner === undefined || app.owner === owner
          ? undefined
          : { change: { app: { owner, ownerChat: undefined } } },
    });
    this.#owner = (await book.known({})).app.owner;
    const people = await storeRetry.untilStored(() => book.takeImported());
    if (people > 0) log.info('earlier_people_let_in', { people, access: gate.mode });
  }

  async start(): Promise<void> {
    this.#started = true;
    await this.#rounds.start();
  }

  async stop(): Promise<void> {
    this.#started = false;
    await this.#rounds.stop();
  }

  /** The admission, with the judgement that is made in the write that stores it. */
  guard(admission: Admission): Admission {
    return this.#parts.gate.guard(admission);
  }

  /** A message was kept, so somebody may have to be asked. */
  noteKept(): void {
    if (this.#started) this.#rounds.hurry();
  }

  /** Undefined until the bridge has started, or if there is none. */
  get owner(): OpenId | undefined {
    return this.#owner;
  }

  async isOwner(person: OpenId): Promise<boolean> {
    return (await this.#parts.book.known({})).app.owner === person;
  }

  /** Whether this person may talk to the bot in this chat, and so may press its buttons there. */
  async isLetIn(
    { openId, facts = {} }: { readonly openId: OpenId; readonly facts?: SenderFacts | undefined },
    chatId: ChatId,
  ): Promise<boolean> {
    const { book, gate } = this.#parts;
    const known = await book.known({ openId, unionId: facts.unionId, chatId });
    const chatType = known.group === undefined ? 'p2p' : 'group';
    return whyClosed(gate.mode, { openId, facts, chatType }, known) === undefined;
  }

  /** Lets a person in. What is kept of that person runs. */
  async allow(person: OpenId, { once, by, mayOwn = false }: Decider): Promise<AccessOutcome> {
    const { clock, gate, log } = this.#parts;
    const nowMs = clock.nowMs();
    const judged = { isNewOwner: false };
    const { changed, turns } = await this.#writes.settle({
      subject: { openId: person },
      once,
      decide: ({ app, person: before, kept }) => {
        const isNewOwner = mayOwn && app.owner === undefined && mayBecomeOwner(before);
        judged.isNewOwner = isNewOwner;
        if (before?.state === 'allowed' && !isNewOwner) return undefined;
        const ownerChat = before?.chatId;
        const isIn = gate.mode !== 'owner' || isNewOwner;
        const isAnswered = kept > 0 || !isIn;
        const notice = isNewOwner ? becameOwner() : isAnswered ? undefined : guestTexts.letIn();
        return {
          change: {
            person: { ...decided(by, nowMs), state: 'allowed' },
            ...(isNewOwner && { app: { owner: person, ownerChat } }),
          },
          out:
            notice === undefined || ownerChat === undefined
              ? []
              : [this.#writes.draftTo({ chat: ownerChat, to: person }, notice, [person, nowMs])],
        };
      },
    });
    if (!changed) return 'unchanged';
    const { isNewOwner } = judged;
    if (isNewOwner) this.#owner = person;
    log.info('person_let_in', { person, by, kept: turns.length, owner: isNewOwner });
    return 'done';
  }

  /** Nothing of the person starts any more, also what waits already. What is kept is dropped. */
  async block(person: OpenId, { by, once }: Decider): Promise<AccessOutcome> {
    const { clock, log } = this.#parts;
    if (await this.isOwner(person)) return 'is_owner';
    const nowMs = clock.nowMs();
    const { changed } = await this.#writes.settle({
      subject: { openId: person },
      once,
      decide: ({ person: before }) =>
        before?.state === 'blocked'
          ? undefined
          : { change: { person: { ...decided(by, nowMs), state: 'blocked' } } },
    });
    if (!changed) return 'unchanged';
    log.info('person_blocked', { person, by });
    return 'done';
  }

  /** Takes a permission or a block back: the person has to ask again. */
  async revoke(person: OpenId, { by, once }: Decider): Promise<AccessOutcome> {
    if (await this.isOwner(person)) return 'is_owner';
    const nowMs = this.#parts.clock.nowMs();
    const { changed } = await this.#writes.settle({
      subject: { openId: person },
      once,
      decide: ({ person: before }) =>
        before?.state === undefined
          ? undefined
          : { change: { person: { ...decided(by, nowMs), state: undefined } } },
    });
    if (!changed) return 'unchanged';
    this.#parts.log.info('person_revoked', { person, by });
    return 'done';
  }

  /** Lets the person in who has this code. Undefined: nobody has it, or it is too old. */
  async approve(typed: string, decider: Decider): Promise<PersonAccess | undefined> {
    const { book, clock } = this.#parts;
    const code = parsePairingCode(typed);
    if (code === undefined) return undefined;
    const person = await book.personOf(code);
    if (person === undefined || (person.expiresAtMs ?? 0) <= clock.nowMs()) return undefined;
    await this.allow(person.openId, decider);
    return person;
  }

  allowChat(chat: ChatId, decider: Decider): Promise<AccessOutcome> {
    return this.#decideGroup(chat, 'allowed', decider);
  }

  denyChat(chat: ChatId, decider: Decider): Promise<AccessOutcome> {
    return this.#decideGroup(chat, 'denied', decider);
  }

  async #decideGroup(
    chat: ChatId,
    state: GroupState,
    { by, once }: Decider,
  ): Promise<AccessOutcome> {
    const { changed } = await this.#writes.settle({
      subject: { chatId: chat },
      once,
      decide: ({ group }) =>
        group?.state === state ? undefined : { change: { group: { state } } },
    });
    if (!changed) return 'unchanged';
    this.#parts.log.info('group_decided', { chat, state, by });
    return 'done';
  }

  /** The owner pressed a button about a person, and is told what came of it. */
  async decideByPress(
    { action, about }: { readonly action: 'allow' | 'block'; readonly about: OpenId },
    { chatId, by, once }: { readonly chatId: ChatId; readonly by: OpenId; readonly once: string },
  ): Promise<boolean> {
    await this[action](about, { by, once });
    const { person } = await this.#parts.book.known({ openId: about });
    const who = { openId: about, name: person?.name };
    const isAllowed = person?.state !== 'blocked';
    const notice = isAllowed ? ownerTexts.allowed(who) : ownerTexts.blocked(who);
    const out = [this.#writes.draftTo({ chat: chatId, to: by }, notice, [once])];
    await this.#writes.settle({
      subject: {},
      once: `${once}:told`,
      decide: () => ({ change: {}, out }),
    });
    return isAllowed;
  }
}

/** A decision ends the request. */
function decided(decidedBy: string, decidedAtMs: number) {
  const ended = { code: undefined, expiresAtMs: undefined, isShown: true };
  return { ...ended, decidedBy, decidedAtMs };
}

/** Somebody who asked, and who belongs to the tenant of the app. */
function mayBecomeOwner(person: PersonAccess | undefined): boolean {
  return person?.state === 'waiting' && person.isBot !== true && person.isOutside !== true;
}
