/** Names of the files that came with an answer (rows MOL-A2A-02, MOL-ACT-02). Pure. */
import { asObject, type Json } from '../core/json-object.ts';

/** The longest name that the usual file systems allow. */
const NAME_CHARS_MAX = 255;

/** The names of the files in message parts or attachments. Each file is named once. */
export function fileNamesOf(parts: readonly unknown[]): string[] {
  const files = new Map<string, string>();
  for (const part of parts) {
    const file = fileIn(part);
    if (file !== undefined) files.set(JSON.stringify(file), file.name);
  }
  return [...files.values()];
}

interface File {
  readonly name: string;
  readonly uri: string;
}

function fileIn(part: unknown): File | undefined {
  const outer = asObject(part);
  if (outer === undefined) return undefined;
  const kind = outer['kind'] ?? outer['type'];
  if (kind === 'text' || kind === 'data') return undefined;
  // In an attachment of a row and in a part of A2A 1.0 the fields of the file are not in an object of their own.
  const file = asObject(outer['file']) ?? outer;
  const uri = textIn(file, 'uri', 'url');
  const isFile = kind !== undefined || uri !== '' || textIn(file, 'bytes', 'raw') !== '';
  if (!isFile) return undefined;
  const name = textIn(file, 'name', 'filename') || lastPieceOf(uri);
  const type = textIn(file, 'mimeType', 'mime_type', 'mediaType');
  return { name: oneLine(name) || oneLine(type) || 'a file without a name', uri };
}

/** The last piece of an address's path. An address that contains the file itself has none. */
function lastPieceOf(uri: string): string {
  if (!URL.canParse(uri)) return uri.split(/[/\\]/).at(-1) ?? '';
  const { protocol, pathname } = new URL(uri);
  const last = protocol === 'data:' ? '' : (pathname.split('/').at(-1) ?? '');
  try {
    return decodeURIComponent(last);
  } catch {
    // It is not encoded as addresses are, so it stays as it is.
    return last;
  }
}

/** A name from outside must not start a new line in a message of ours. */
function oneLine(name: string): string {
  const shown = name.replaceAll(/[\p{Cc}\u2028\u2029]+/gu, ' ').trim();
  if (shown.length <= NAME_CHARS_MAX) return shown;
  // Cut by code points, because half a character could not be stored.
  return `${Array.from(shown).slice(0, NAME_CHARS_MAX).join('')}…`;
}

function textIn(object: Json, ...keys: readonly string[]): string {
  for (const key of keys) {
    const value = object[key];
    if (typeof value === 'string' && value !== '') return value;
  }
  return '';
}
