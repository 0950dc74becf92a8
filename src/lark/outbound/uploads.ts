/** Gives Lark the content of files. A message then names the key that Lark gives back. */
import { errorText, isSystemError } from '../../core/errors.ts';
import { readWhole } from '../../files/whole-file.ts';
import type { CallPriority, DeliveryResult } from '../../bridge/ports/delivery.ts';
import type { Upload } from '../../bridge/ports/answer-files.ts';
import type { Refusal, Tried } from '../codes.ts';
import { idOf } from '../inbound/fields.ts';
import type { Caller, CallResult } from './calls.ts';

/** Lark's names of the types that it shows as something else than a file ("Upload a file"). */
const FILE_TYPES = { file: 'stream', audio: 'opus', video: 'mp4' } as const;
const UPLOAD: Tried = { kind: 'read', inThread: false, card: false };
/** What is larger is refused, and must not fill the memory before. */
const UPLOAD_BYTES_MAX = 30 * 1024 * 1024;

/** One upload at a time: a file is in memory while it is sent. */
export function createUploads(caller: Caller) {
  let before: Promise<unknown> = Promise.resolve();
  return (file: Upload, priority: CallPriority): Promise<DeliveryResult> => {
    const result = before.then(() => upload(caller, file, priority));
    before = result.catch(() => {});
    return result;
  };
}

async function upload(
  caller: Caller,
  file: Upload,
  priority: CallPriority,
): Promise<DeliveryResult> {
  let bytes: Buffer;
  try {
    bytes = await bytesOf(file);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return lost(`the file can't be read: ${errorText(error)}`);
  }
  if (file.as === 'image') return asImage(caller, bytes, priority);
  const spec = { api: 'file_create', priority } as const;
  const data = { file_type: FILE_TYPES[file.as], file_name: file.name, file: bytes };
  const result = await caller.call(spec, UPLOAD, (client, authorization) =>
    client.im.v1.file.create({ data }, authorization),
  );
  return uploaded(result, (body) => body?.file_key);
}

async function asImage(
  caller: Caller,
  image: Buffer,
  priority: CallPriority,
): Promise<DeliveryResult> {
  const spec = { api: 'image_create', priority } as const;
  const result = await caller.call(spec, UPLOAD, (client, authorization) =>
    client.im.v1.image.create({ data: { image_type: 'message', image } }, authorization),
  );
  return uploaded(result, (body) => body?.image_key);
}

async function bytesOf({ path, text }: Upload): Promise<Buffer> {
  return path === undefined ? Buffer.from(text) : readWhole(path, UPLOAD_BYTES_MAX);
}

function uploaded<T>(result: CallResult<T>, key: (body: T) => unknown): DeliveryResult {
  if (!result.ok) return refused(result);
  const id = idOf(key(result.body));
  return id === undefined ? lost('Lark named no key') : { ok: true, id };
}

function refused({ action, code, detail, retryAfterMs }: Refusal): DeliveryResult {
  const wait = retryAfterMs === undefined ? {} : { retryAfterMs };
  return { ok: false, action, code, detail, ...wait };
}

function lost(detail: string): DeliveryResult {
  return { ok: false, action: 'give_up', code: undefined, detail };
}
