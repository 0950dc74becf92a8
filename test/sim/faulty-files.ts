/** The files of people's messages: as Lark gives them, and on the real disk of the bridge. */
import { existsSync, readFileSync } from 'node:fs';
import { BridgeError } from '../../src/core/errors.ts';
import type { MessageId } from '../../src/core/ids.ts';
import type { Log } from '../../src/core/log.ts';
import type { Resource } from '../../src/core/message.ts';
import { AttachmentFiles } from '../../src/store/attachments/attachment-files.ts';
import type {
  AttachmentAsked,
  AttachmentStore,
  MissingReason,
  ResourceResult,
} from '../../src/bridge/ports/attachments.ts';
import type { VirtualClock } from '../kit/clock.ts';
import type { ProcessClock } from './process-clock.ts';

const CHUNKS = 3;
/** So that some of them have no room. */
const BYTES_MAX = 12_000;
const FILE_BYTES_MAX = 4_000;
/** Longer than the bridge waits for one file. */
const STALL_MS = 150_000;

export interface FilesParts {
  readonly clock: VirtualClock;
  readonly random: () => number;
  readonly folder: string;
  readonly log: Log;
  readonly isRecalled: (message: MessageId) => boolean;
  readonly isAway: () => boolean;
}

type Body = AsyncIterable<Uint8Array>;

export class FaultyFiles {
  /** Chance of each fault, 0…1; zero in the calm. */
  trouble = 0;
  readonly #parts: FilesParts;
  readonly #contents = new Map<string, Buffer>();
  readonly #refused = new Map<string, MissingReason>();
  #saving = 0;
  #waiting = 0;

  constructor(parts: FilesParts) {
    this.#parts = parts;
  }

  /** True while the disk works: time must not pass meanwhile. */
  get isBusy(): boolean {
    return this.#saving > this.#waiting;
  }

  /** A file that somebody sends. Lark refuses a few of them whenever they are asked for. */
  create(kind: Resource['kind'], name: string): Resource {
    const { random } = this.#parts;
    const key = `key_${this.#contents.size + 1}`;
    this.#contents.set(key, Buffer.alloc(Math.ceil(random() * FILE_BYTES_MAX), `${name} `));
    const roll = random();
    if (roll < 0.06) this.#refused.set(key, 'refused');
    else if (roll < 0.1) this.#contents.set(key, Buffer.alloc(0));
    return { kind, key, name };
  }

  /** True if all of the file lies there: `FOLDER/MESSAGE/KEY/NAME`. */
  isWhole(path: string): boolean {
    const key = path.split('/').at(-2) ?? '';
    return existsSync(path) && this.#contents.get(key)?.equals(readFileSync(path)) === true;
  }

  async read(of: MessageId, { key }: Resource): Promise<ResourceResult> {
    const { clock, random, isRecalled, isAway } = this.#parts;
    await clock.sleep(20 + random() * 200);
    if (isAway() || random() < this.trouble) return missing('unreachable', true);
    const content = this.#contents.get(key);
    if (content === undefined || isRecalled(of)) return missing('gone', false);
    const refused = this.#refused.get(key);
    if (refused !== undefined) return missing(refused, false);
    return { ok: true, ...this.#transfer(content) };
  }

  /** The disk as one process has it. What is under way breaks off when the process dies. */
  storeOf(clock: ProcessClock, inUse: () => Promise<ReadonlySet<string>>): AttachmentStore {
    const { folder, log } = this.#parts;
    const files = new AttachmentFiles({
      folder,
      bytesMax: BYTES_MAX,
      keepMs: Infinity,
      inUse,
      clock,
      log,
    });
    return {
      find: (asked) => this.#counted(files.find(asked)),
      save: (asked: AttachmentAsked, body: Body, bytesMax) =>
        this.#counted(files.save(asked, this.#whileAlive(body, clock), bytesMax)),
      remove: (of) => this.#counted(files.remove(of)),
      prune: () => this.#counted(files.prune()),
    };
  }

  /** Breaks off, or stalls, now and then. */
  #transfer(content: Buffer): { body: Body; bytes: number | undefined; end: () => void } {
    const { clock, random } = this.#parts;
    let end = () => {};
    const ended = new Promise<'ended'>((resolve) => {
      end = () => resolve('ended');
    });
    const stallsAt = random() < this.trouble / 4 ? Math.floor(random() * CHUNKS) : undefined;
    const breaksAt = random() < this.trouble ? Math.floor(random() * CHUNKS) : undefined;
    const body = async function* transferred() {
      const size = Math.ceil(content.length / CHUNKS);
      for (let at = 0; at < CHUNKS; at += 1) {
        const passed = clock.sleep(at === stallsAt ? STALL_MS : random() * 2_000);
        if ((await Promise.race([passed, ended])) === 'ended' || at === breaksAt) {
          throw new BridgeError('unreachable', 'the file broke off');
        }
        const chunk = content.subarray(at * size, (at + 1) * size);
        if (chunk.length > 0) yield chunk;
      }
    };
    return { body: body(), bytes: random() < 0.5 ? content.length : undefined, end };
  }

  async *#whileAlive(body: Body, clock: ProcessClock): AsyncGenerator<Uint8Array> {
    const iterator = body[Symbol.asyncIterator]();
    for (;;) {
      this.#waiting += 1;
      const next = await iterator.next().finally(() => {
        this.#waiting -= 1;
      });
      if (clock.dead) throw new BridgeError('unreachable', 'the process died');
      if (next.done === true) return;
      yield next.value;
    }
  }

  #counted<T>(work: Promise<T>): Promise<T> {
    this.#saving += 1;
    return work.finally(() => {
      this.#saving -= 1;
    });
  }
}

function missing(why: MissingReason, isPassing: boolean): ResourceResult {
  return { ok: false, why, code: isPassing ? undefined : 234003, isPassing };
}
