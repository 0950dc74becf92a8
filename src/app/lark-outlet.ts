/** Shows in Lark what agents at the embedded hub want to be shown: through the outbox of the bridge. */
import { randomUUID } from 'node:crypto';
import { join } from 'node:path';
import type { Bridge } from '../bridge/bridge.ts';
import { laneOfSend, sendDrafts } from '../bridge/outbox/drafts.ts';
import type { JournalReader } from '../bridge/ports/journal-reader.ts';
import type { ContentForm } from '../bridge/ports/lark.ts';
import type { SendOrder } from '../bridge/ports/send.ts';
import { BridgeError, isSystemError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { inWords } from '../files/system-errors.ts';
import type {
  LarkOutlet,
  LarkSend,
  LarkSendOutcome,
  LarkSendPlan,
} from '../hub/ports/lark-sends.ts';
import type { Clock } from '../time/clock.ts';
import { forgetFiles, keepFiles, plannedFiles } from '../files/kept-files.ts';
import { cardProblem } from './card-problem.ts';

interface BridgeOutletParts {
  /** Where files of answers lie until they are sent. */
  readonly folder: string;
  readonly clock: Clock;
  readonly log: Log;
}

interface Shown {
  readonly bridge: Pick<Bridge, 'isReady' | 'send'>;
  readonly journal: Pick<JournalReader, 'ofLane'>;
  readonly form: ContentForm;
}

export class BridgeOutlet implements LarkOutlet {
  readonly #parts: BridgeOutletParts;
  #shown: Shown | undefined;

  constructor(parts: BridgeOutletParts) {
    this.#parts = parts;
  }

  /** The hub begins before the bridge. */
  connect(shown: Shown): void {
    this.#shown = shown;
  }

  async outcome(id: string): Promise<LarkSendOutcome | undefined> {
    if (this.#shown === undefined) return undefined;
    const rows = await this.#shown.journal.ofLane(laneOfSend({ id }));
    const dead = rows.find(({ state }) => state.phase === 'dead');
    if (dead !== undefined) return { kind: 'refused', why: dead.lastError ?? 'no reason' };
    // Rows that were sent are kept for a day.
    const isWaiting = rows.some(({ state }) => state.phase === 'pending');
    return { kind: isWaiting ? 'waiting' : 'shown' };
  }

  plan(send: LarkSend): LarkSendPlan {
    if (this.#shown?.bridge.isReady !== true) return { kind: 'not_now' };
    const { bridge, form } = this.#shown;
    const { id, to, text, card } = send;
    const why = card === undefined ? undefined : cardProblem(card);
    if (why !== undefined) return { kind: 'refused', why };
    // Each try has a folder of its own: one that comes too late removes its own files.
    const folder = join(this.#parts.folder, `send-${randomUUID()}`);
    const given = send.files.map((file) => ({ ...file, from: join(folder, file.name) }));
    const files = plannedFiles(given, folder);
    const order: SendOrder = { id, to, text, ...(card !== undefined && { card }), files };
    const drafts = sendDrafts(order, this.#parts.clock.nowMs(), form);
    const messages = drafts.length;
    if (messages === 0) return { kind: 'refused', why: 'there is nothing to send' };
    const store = async (may: () => boolean) => {
      const result = { isStored: false };
      try {
        keep(given, folder);
        await bridge.send(drafts, () => {
          result.isStored = may();
          return result.isStored;
        });
      } finally {
        if (!result.isStored && files.length > 0) forgetFiles(folder);
      }
      if (result.isStored) this.#parts.log.info('lark_send_stored', { id, messages });
    };
    return { kind: 'planned', messages, store };
  }
}

function keep(...[given, folder]: Parameters<typeof keepFiles>): void {
  try {
    keepFiles(given, folder);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const { message } = inWords(error) ?? error;
    throw new BridgeError('store_unavailable', `a file could not be kept: ${message}`, {
      cause: error,
    });
  }
}
