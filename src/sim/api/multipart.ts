import type { ParsedBody, UploadedPart } from './http.ts';

const BREAK = Buffer.from('\r\n\r\n');

/**
 * A multipart/form-data body. `parts` has the bytes of every part. A part with a text type and no
 * file name is also a text field; clients may send files in this way too. Undefined if the boundary
 * or the head of a part is missing.
 */
export function parseMultipart(contentType: string, raw: Buffer): ParsedBody | undefined {
  const boundary = parameter(contentType, 'boundary');
  if (boundary === undefined) return undefined;
  const fields: Record<string, unknown> = {};
  const parts: UploadedPart[] = [];
  for (const part of split(raw, Buffer.from(`--${boundary}`))) {
    const headEnd = part.indexOf(BREAK);
    if (headEnd < 0) return undefined;
    const head = parseHead(part.subarray(0, headEnd).toString());
    const bytes = part.subarray(headEnd + BREAK.length);
    if (head.field === undefined) return undefined;
    parts.push({ field: head.field, bytes });
    if (head.filename === undefined && head.contentType.startsWith('text/')) {
      fields[head.field] = bytes.toString();
    }
  }
  return { fields, parts };
}

/** The bytes between two delimiters, without the line breaks that belong to them. */
function* split(raw: Buffer, delimiter: Buffer): Generator<Buffer> {
  let start = raw.indexOf(delimiter);
  while (start >= 0) {
    const from = start + delimiter.length + 2;
    const next = raw.indexOf(delimiter, from);
    if (next < 0) return;
    yield raw.subarray(from, next - 2);
    start = next;
  }
}

function parseHead(head: string) {
  let disposition = '';
  let contentType = 'text/plain';
  for (const line of head.split('\r\n')) {
    const colon = line.indexOf(':');
    const value = line.slice(colon + 1).trim();
    const name = line.slice(0, colon).toLowerCase();
    if (name === 'content-disposition') disposition = value;
    if (name === 'content-type') contentType = value;
  }
  return {
    field: parameter(disposition, 'name'),
    filename: parameter(disposition, 'filename'),
    contentType,
  };
}

/** `name="value"` or `name=value` in a header. */
function parameter(header: string, name: string): string | undefined {
  const [, quoted, bare] =
    new RegExp(`;\\s*${name}=(?:"([^"]*)"|([^;\\s]+))`, 'i').exec(header) ?? [];
  return quoted ?? bare;
}
