import { BridgeError } from '../../core/errors.ts';
import type { TurnId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type { Part } from '../../core/message.ts';
import type { Turn } from '../../core/turn.ts';
import type { Attachment } from '../../core/turn-details.ts';
import type { Clock } from '../../time/clock.ts';
import { limitAt, pause } from '../../time/wait.ts';
import type {
  AttachmentAsked,
  AttachmentStore,
  MissingReason,
  ResourceResult,
  StoredAttachment,
} from '../ports/attachments.ts';
import type { Journal } from '../ports/journal.ts';
import type { LarkGateway } from '../ports/lark.ts';
import { attachmentsMissing, missingText } from '../texts/attachments.ts';
import type { TurnChanges } from './turn-changes.ts';

/** Lark gives apps no larger file. */
const FILE_MB_MAX = 100;
/** People rarely send more at once, and an agent rarely looks at more. */
const FILES_PER_MESSAGE_MAX = 10;
const LIMITS = { fileMbMax: FILE_MB_MAX, filesMax: FILES_PER_MESSAGE_MAX };
/** For all files of a turn: a gigabyte over a slow line. The person and the messages behind this one wait so long. */
const READ_MS_MAX = 5 * 60_000;
/** One slow file must not take the time of all others. */
const FILE_MS_MAX = 2 * 60_000;
/** Tries of one file in one process. A process that takes over begins anew. */
const TRIES_MAX = 5;
const READ_AGAIN_MS = 1_000;

interface AttachmentsParts {
  readonly journal: Pick<Journal, 'turn'>;
  readonly lark: Pick<LarkGateway, 'resource'>;
  /** Absent: the agent is on another machine, where the files would not be. */
  readonly attachments?: AttachmentStore | undefined;
  readonly changes: TurnChanges;
  readonly clock: Clock;
  readonly log: Log;
}

type ResourcePart = Extract<Part, { kind: 'resource' }>;

type Fetched =
  | { readonly ok: true; readonly file: StoredAttachment }
  | { readonly ok: false; readonly why: MissingReason; readonly code: number | undefined };

/**
 * Puts the files of a turn's messages on the disk before the turn is sent. A file that is there already is not read
 * again, so a process that takes over goes on where the one before it ended.
 */
export class Attachments {
  readonly #parts: AttachmentsParts;

  constructor(parts: AttachmentsParts) {
    this.#parts = parts;
  }

  /** Resolves when all is there that can be there, or when `stop` aborts. */
  async read(id: TurnId, stop: AbortSignal): Promise<void> {
    const { journal, changes, clock, attachments } = this.#parts;
    const turn = await journal.turn(id);
    if (turn === undefined || attachments === undefined) return;
    if (!turn.message.parts.some((part) => part.kind === 'resource')) return;
    const limit = limitAt(clock, stop, clock.nowMs() + READ_MS_MAX);
    try {
      const files = new TurnFiles(turn);
      for (const part of turn.message.parts) {
        if (part.kind !== 'resource' || files.isSettled(part)) continue;
        if (files.isOneTooMany(part)) {
          files.note(part, { ok: false, why: 'too_many', code: undefined });
          continue;
        }
        const ofFile = limitAt(clock, limit.signal, clock.nowMs() + FILE_MS_MAX);
        const fetched = await this.#fetch(askedBy(part, turn), ofFile.signal);
        ofFile.cancel();
        // After a stop the next process reads it.
        if (stop.aborted) return;
        files.note(part, fetched);
      }
      await changes.complete(id, (now) => files.resultFor(now));
    } finally {
      limit.cancel();
    }
  }

  /** Tries again for a while if that may help. */
  async #fetch(asked: AttachmentAsked, signal: AbortSignal): Promise<Fetched> {
    const { attachments, clock } = this.#parts;
    const there = await attachments?.find(asked);
    if (there !== undefined) return { ok: true, file: there };
    let last = await this.#tryOnce(asked, signal);
    for (let tries = 1; tries < TRIES_MAX && !last.ok && last.isPassing === true; tries += 1) {
      await pause(clock, signal, READ_AGAIN_MS * 2 ** (tries - 1));
      // After the time is over this fails at once.
      last = await this.#tryOnce(asked, signal);
    }
    return last;
  }

  async #tryOnce(
    asked: AttachmentAsked,
    signal: AbortSignal,
  ): Promise<Fetched & { readonly isPassing?: boolean }> {
    if (signal.aborted) return { ok: false, why: 'unreachable', code: undefined };
    const answer = this.#parts.lark.resource?.(asked.of, asked.resource);
    if (answer === undefined) return { ok: false, why: 'refused', code: undefined };
    const given = await answerOrAbort(answer, signal);
    if (given === undefined) return { ok: false, why: 'unreachable', code: undefined };
    if (!given.ok) return given;
    signal.addEventListener('abort', given.end);
    try {
      return await this.#save(asked, given);
    } finally {
      signal.removeEventListener('abort', given.end);
      given.end();
    }
  }

  async #save(
    asked: AttachmentAsked,
    { body, bytes = 0 }: Extract<ResourceResult, { ok: true }>,
  ): Promise<Fetched & { readonly isPassing?: boolean }> {
    const { attachments, log } = this.#parts;
    const bytesMax = FILE_MB_MAX * 1024 ** 2;
    if (attachments === undefined || bytes > bytesMax) {
      return { ok: false, why: 'too_large', code: undefined };
    }
    try {
      const saved = await attachments.save(asked, body, bytesMax);
      if (saved.ok) return saved;
      const { why, detail } = saved;
      if (why === 'no_room' || why === 'not_stored') {
        log.warn('attachment_not_stored', { message: asked.of, why, ...(detail && { detail }) });
      }
      return { ok: false, why, code: undefined };
    } catch (error) {
      if (!(error instanceof BridgeError)) throw error;
      return { ok: false, why: 'unreachable', code: undefined, isPassing: true };
    }
  }
}

/** What became of the files of one turn. */
class TurnFiles {
  readonly #turn: Turn;
  readonly #fetched = new Map<string, Fetched>();
  readonly #ofMessage = new Map<string, number>();

  constructor(turn: Turn) {
    this.#turn = turn;
  }

  /** A failure is not kept for the next run: a person may have asked for it because of the failure. */
  isSettled({ failedInRun }: ResourcePart): boolean {
    return failedInRun === this.#turn.run;
  }

  isOneTooMany({ from }: ResourcePart): boolean {
    const message = from?.messageId ?? this.#turn.id;
    const count = (this.#ofMessage.get(message) ?? 0) + 1;
    this.#ofMessage.set(message, count);
    return count > FILES_PER_MESSAGE_MAX;
  }

  note(part: ResourcePart, fetched: Fetched): void {
    this.#fetched.set(this.#placeOf(part), fetched);
  }

  /** A message that was recalled meanwhile has no parts in the turn any more. */
  resultFor({ message, run }: Turn) {
    const attachments: Attachment[] = [];
    const missing: Parameters<typeof attachmentsMissing>[0][number][] = [];
    const parts = message.parts.map((part): Part => {
      const fetched = part.kind === 'resource' && this.#fetched.get(this.#placeOf(part));
      if (part.kind !== 'resource' || !fetched) return part;
      const { kind, resource, from } = part;
      if (fetched.ok) {
        attachments.push({ kind: resource.kind, ...fetched.file });
        return { kind, resource, ...(from && { from }) };
      }
      const one = { resource, why: fetched.why, code: fetched.code };
      missing.push(one);
      return { ...part, missing: missingText(one, LIMITS), failedInRun: run };
    });
    const show = missing.length === 0 ? [] : [attachmentsMissing(missing, LIMITS)];
    return { parts, details: { attachments }, show };
  }

  #placeOf({ from, resource }: ResourcePart): string {
    return `${from?.messageId ?? this.#turn.id}/${resource.key}`;
  }
}

function askedBy({ resource, from }: ResourcePart, { message }: Turn): AttachmentAsked {
  const { messageId: of, sentAtMs } = from ?? message;
  return { of, resource, sentAtMs };
}

/** Undefined if `signal` aborts first. What comes later is ended. */
function answerOrAbort(
  answer: Promise<ResourceResult>,
  signal: AbortSignal,
): Promise<ResourceResult | undefined> {
  return new Promise((resolve, reject) => {
    const abort = () => {
      resolve(undefined);
      void answer.then((late) => late.ok && late.end());
    };
    if (signal.aborted) abort();
    else signal.addEventListener('abort', abort, { once: true });
    answer.then(resolve, reject).finally(() => signal.removeEventListener('abort', abort));
  });
}
