import type { IncomingMessage } from 'node:http';
import type { ParsedBody } from './http.ts';
import { parseJsonObject } from '../world/json.ts';
import { parseMultipart } from './multipart.ts';

/** Larger than any upload that the platform takes, so that its own limits can answer. */
const BODY_BYTES_MAX = 128 * 1024 * 1024;

/** The whole body, sent with a length or in chunks; undefined when it is too large or was cut off. */
export function readBody(request: IncomingMessage): Promise<Buffer | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    request.on('data', (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
    });
    request.on('end', () => resolve(bytes <= BODY_BYTES_MAX ? Buffer.concat(chunks) : undefined));
    request.on('close', () => resolve(undefined));
    // A client that went away; 'close' follows.
    request.on('error', () => undefined);
  });
}

/** By content type; undefined when the bytes are not what the type says. */
export function parseBody(contentType: string, raw: Buffer): ParsedBody | undefined {
  if (raw.length === 0) return { fields: {}, parts: [] };
  if (contentType.startsWith('multipart/form-data')) return parseMultipart(contentType, raw);
  if (contentType.startsWith('application/x-www-form-urlencoded')) {
    return { fields: Object.fromEntries(new URLSearchParams(raw.toString())), parts: [] };
  }
  const fields = parseJsonObject(raw.toString());
  return fields && { fields, parts: [] };
}
