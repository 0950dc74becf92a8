/** Reads the files of messages, as streams. */
import { BridgeError, errorText } from '../../core/errors.ts';
import type { MessageId } from '../../core/ids.ts';
import { asObject } from '../../core/json-object.ts';
import type { Log } from '../../core/log.ts';
import type { Resource } from '../../core/message.ts';
import type { MissingReason, ResourceResult } from '../../bridge/ports/attachments.ts';
import { isMessageGone, isPassing, type Tried } from '../codes.ts';
import type { Caller } from './calls.ts';
import { CallFailed } from './http-instance.ts';

/** What is used of the stream that the SDK gives. */
interface FileStream extends AsyncIterable<Uint8Array> {
  on(event: 'error', listener: () => void): unknown;
  destroy(): unknown;
}

const READ: Tried = { kind: 'read', inThread: false, card: false };

/** By Lark's codes. Every other refusal is one of this bot or this message. */
const REASONS: Readonly<Record<number, MissingReason>> = {
  234005: 'gone',
  234037: 'too_large',
};

export function createResourceReader({ caller, log }: { caller: Caller; log: Log }) {
  return async (of: MessageId, { key, kind }: Resource): Promise<ResourceResult> => {
    // A person waits for the answer.
    const spec = { api: 'message_resource', priority: 'notice' } as const;
    const result = await caller.call(spec, READ, async (client, authorization) => {
      const type = kind === 'image' ? 'image' : 'file';
      const path = { message_id: of, file_key: key };
      const got = await client.im.v1.messageResource.get({ path, params: { type } }, authorization);
      return { stream: streamOf(got.getReadableStream), headers: asObject(got.headers) };
    });
    if (!result.ok) {
      const { action, code, detail } = result;
      log.warn('attachment_not_read', { message: of, action, code, detail });
      const passes = isPassing(result);
      return { ok: false, why: passes ? 'unreachable' : reasonOf(code), code, isPassing: passes };
    }
    const { stream, headers } = result.body;
    return {
      ok: true,
      body: bodyOf(stream),
      bytes: lengthIn(headers?.['content-length']),
      end: () => void stream.destroy(),
    };
  };
}

function reasonOf(code: number | undefined): MissingReason {
  if (code === undefined) return 'refused';
  return isMessageGone(code) ? 'gone' : (REASONS[code] ?? 'refused');
}

/** The SDK throws an error of no kind if the connection has ended meanwhile. */
function streamOf(read: () => FileStream): FileStream {
  try {
    const stream = read();
    // Whoever reads it gets its errors. Without a listener an error after the end would end the process.
    stream.on('error', () => {});
    return stream;
  } catch (error) {
    throw new CallFailed({ kind: 'no_answer', detail: errorText(error) });
  }
}

async function* bodyOf(stream: FileStream): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of stream) yield chunk;
  } catch (error) {
    throw new BridgeError('unreachable', 'the file broke off', { cause: error });
  }
}

function lengthIn(header: unknown): number | undefined {
  return typeof header === 'string' && /^\d{1,15}$/.test(header) ? Number(header) : undefined;
}
