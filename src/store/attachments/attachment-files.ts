/** The files of people's messages, on the disk: `FOLDER/MESSAGE ID/KEY/NAME`. */
import { randomBytes } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { BridgeError, errorText, isSystemError } from '../../core/errors.ts';
import type { MessageId } from '../../core/ids.ts';
import type { Log } from '../../core/log.ts';
import type {
  AttachmentAsked,
  AttachmentStore,
  SaveResult,
  StoredAttachment,
} from '../../bridge/ports/attachments.ts';
import type { Clock } from '../../time/clock.ts';
import { attachmentName } from './file-name.ts';
import { fileTypeOf, HEAD_BYTES } from './file-type.ts';

/** Only the user of the bridge may read them. */
const FOLDER_MODE = 0o700;
const FILE_MODE = 0o600;
/** Nothing else is counted or removed. */
const MESSAGE_FOLDER = /^om_[A-Za-z0-9_-]+$/;

interface AttachmentFilesParts {
  readonly folder: string;
  /** Of all files together. */
  readonly bytesMax: number;
  readonly keepMs: number;
  /** Messages whose files may still be needed. */
  readonly inUse: () => Promise<ReadonlySet<string>>;
  readonly clock: Clock;
  readonly log: Log;
}

interface MessageFolder {
  readonly message: string;
  readonly bytes: number;
  /** Of its newest file. */
  readonly atMs: number;
}

export class AttachmentFiles implements AttachmentStore {
  readonly #parts: AttachmentFilesParts;
  /** Bytes of all files. Undefined until they were counted. */
  #bytes: number | undefined;

  constructor(parts: AttachmentFilesParts) {
    this.#parts = parts;
  }

  async find(asked: AttachmentAsked): Promise<StoredAttachment | undefined> {
    try {
      return await this.#look(asked);
    } catch (error) {
      // It may have been removed just now. If the disk is the cause, `save` says so.
      if (!isSystemError(error)) throw error;
      return undefined;
    }
  }

  async #look({ of, resource }: AttachmentAsked): Promise<StoredAttachment | undefined> {
    const folder = this.#folderOf(of, resource.key);
    const name = (await namesIn(folder)).find((one) => !isUnfinished(one));
    if (name === undefined) return undefined;
    const path = join(folder, name);
    const { size } = await fs.stat(path);
    const { mimeType } = fileTypeOf(await headOf(path));
    return { name, path, mimeType, bytes: size };
  }

  /** A file gets its name when all of it is on the disk. So a process that dies leaves no half of one under a name. */
  async save(
    asked: AttachmentAsked,
    body: AsyncIterable<Uint8Array>,
    bytesMax: number,
  ): Promise<SaveResult> {
    const folder = this.#folderOf(asked.of, asked.resource.key);
    await this.#count();
    try {
      await fs.rm(folder, { recursive: true, force: true });
      await fs.mkdir(folder, { recursive: true, mode: FOLDER_MODE });
      const unfinished = join(folder, `.${randomBytes(8).toString('hex')}`);
      const written = await this.#write(unfinished, body, bytesMax);
      if (typeof written === 'string') return { ok: false, why: written };
      const { mimeType, extension } = fileTypeOf(await headOf(unfinished));
      const name = attachmentName(asked.resource, { sentAtMs: asked.sentAtMs, extension });
      const path = join(folder, name);
      await fs.rename(unfinished, path);
      return { ok: true, file: { name, path, mimeType, bytes: written } };
    } catch (error) {
      if (error instanceof BridgeError || !isSystemError(error)) throw error;
      const isFull = error.code === 'ENOSPC' || error.code === 'EDQUOT';
      return { ok: false, why: isFull ? 'no_room' : 'not_stored', detail: error.code ?? '' };
    }
  }

  remove(of: MessageId): Promise<void> {
    return this.#orTell(() => this.#removeFolder(of));
  }

  prune(): Promise<void> {
    return this.#orTell(() => this.#makeRoom(0));
  }

  async #orTell(work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      this.#parts.log.warn('attachments_not_removed', {
        error: errorText(error),
        next: `Check the folder ${this.#parts.folder}: this user must be able to write to it.`,
      });
    }
  }

  /** Resolves with the number of bytes, or with why the file is not stored. The unfinished file is gone then. */
  async #write(
    path: string,
    body: AsyncIterable<Uint8Array>,
    bytesMax: number,
  ): Promise<number | 'too_large' | 'no_room' | 'empty'> {
    const file = await fs.open(path, 'wx', FILE_MODE);
    let bytes = 0;
    let isWhole = false;
    try {
      for await (const chunk of body) {
        bytes += chunk.byteLength;
        this.#bytes = (this.#bytes ?? 0) + chunk.byteLength;
        if (bytes > bytesMax) return 'too_large';
        if (!(await this.#hasRoom())) return 'no_room';
        await file.writeFile(chunk);
      }
      if (bytes === 0) return 'empty';
      await file.sync();
      isWhole = true;
      return bytes;
    } finally {
      await file.close();
      if (!isWhole) {
        this.#bytes = (this.#bytes ?? 0) - bytes;
        await fs.rm(path, { force: true });
      }
    }
  }

  async #hasRoom(): Promise<boolean> {
    const { bytesMax } = this.#parts;
    if ((this.#bytes ?? 0) <= bytesMax) return true;
    await this.#makeRoom(this.#bytes ?? 0);
    return (this.#bytes ?? 0) <= bytesMax;
  }

  /** Removes what is too old, and then the oldest until the rest fits. What is in use stays. */
  async #makeRoom(countedBytes: number): Promise<void> {
    const { keepMs, bytesMax, clock } = this.#parts;
    const folders = await this.#folders();
    // The files were listed first: a turn is stored before the first of its files.
    const inUse = await this.#parts.inUse();
    const found = folders.reduce((sum, { bytes }) => sum + bytes, 0);
    // A file that is being written counts as much as was taken for it.
    this.#bytes = Math.max(found, countedBytes);
    for (const { message, atMs } of folders.toSorted((one, other) => one.atMs - other.atMs)) {
      const isOld = clock.nowMs() - atMs > keepMs;
      if (inUse.has(message) || (!isOld && this.#bytes <= bytesMax)) continue;
      await this.#removeFolder(message);
    }
  }

  async #removeFolder(message: string): Promise<void> {
    const path = join(this.#parts.folder, message);
    const { bytes } = await measure(path, message);
    await fs.rm(path, { recursive: true, force: true });
    if (this.#bytes !== undefined) this.#bytes = Math.max(0, this.#bytes - bytes);
  }

  async #count(): Promise<void> {
    if (this.#bytes !== undefined) return;
    const folders = await this.#folders();
    this.#bytes ??= folders.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  async #folders(): Promise<MessageFolder[]> {
    const { folder } = this.#parts;
    const folders: MessageFolder[] = [];
    // One after another: thousands of folders must not use up the open files.
    for (const message of await namesIn(folder)) {
      // Files of answers lie beside them, and what is none of ours may do so too.
      if (!MESSAGE_FOLDER.test(message)) continue;
      folders.push(await measure(join(folder, message), message));
    }
    return folders;
  }

  #folderOf(of: MessageId, key: string): string {
    return join(this.#parts.folder, of, key);
  }
}

const isUnfinished = (name: string) => name.startsWith('.');

async function measure(path: string, message: string): Promise<MessageFolder> {
  let bytes = 0;
  let atMs = 0;
  for (const key of await namesIn(path)) {
    for (const name of await namesIn(join(path, key))) {
      const stat = await ifThere(fs.stat(join(path, key, name)));
      bytes += stat?.size ?? 0;
      atMs = Math.max(atMs, stat?.mtimeMs ?? 0);
    }
  }
  return { message, bytes, atMs };
}

/** Empty if there is no such folder. */
async function namesIn(folder: string): Promise<string[]> {
  return (await ifThere(fs.readdir(folder))) ?? [];
}

/** Undefined if it is not there, or not any more. */
async function ifThere<T>(look: Promise<T>): Promise<T | undefined> {
  try {
    return await look;
  } catch (error) {
    if (isSystemError(error) && (error.code === 'ENOENT' || error.code === 'ENOTDIR')) {
      return undefined;
    }
    throw error;
  }
}

async function headOf(path: string): Promise<Buffer> {
  const file = await fs.open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(HEAD_BYTES), 0, HEAD_BYTES, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}
