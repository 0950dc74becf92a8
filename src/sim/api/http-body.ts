import type { IncomingMessage } from 'node:http';
import type { ParsedBody } from './http.ts';
import { parseJsonObject } from '../world/json.ts';
import { parseMultipart } from './multipart.ts';

/** Larger than any upload that the platform accepts, so that the limits of the routes answer first. */
const BODY_BYTES_MAX = 128 * 1024 * 1024;

/** The whole body, sent with a length or in chunks; undefined if it is too large or incomplete. */
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
    // The client went away. 'close' follows.
    request.on('error', () => undefined);
  });
}

/** Parses by content type. Undefined if the bytes do not fit the type. */
export function parseBody(contentType: string, raw: Buffer): ParsedBody | undefined {
  if (raw.length === 0) return { fields: {}, parts: [] };
  if (contentType.startsWith('multipart/form-data')) return parseMultipart(contentType, raw);
  if (contentType.startsWith('application/x-www-form-urlencoded')) {
    return { fields: Object.fromEntries(new URLSearchParams(raw.toString())), parts: [] };
  }
  const fields = parseJsonObject(raw.toString());
  return fields && { fields, parts: [] };
}
