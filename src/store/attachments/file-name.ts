/** Makes names for files of strangers that are safe on every disk, in a terminal and in a shell script. */
import type { Resource } from '../../core/message.ts';

/** Disks take 255 bytes. Programs add ends of their own, such as `.part`. */
const NAME_BYTES_MAX = 150;
/** A longer one is no extension. */
const EXTENSION_CHARS_MAX = 12;

/** Separators of paths, what shells and Windows give a meaning, controls, and marks that hide or turn text. */
const NOT_IN_A_NAME = /[/\\:*?"<>|`$\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Co}]+/gu;

/** The name that a person gave a file, as far as it is safe. Empty if nothing of it is. */
export function safeName(name: string): string {
  const clean = name
    .normalize('NFC')
    .replace(NOT_IN_A_NAME, '_')
    .replaceAll(/\s+/g, ' ')
    // Hidden files, `..`, and what a program would take for an option.
    .replace(/^[\s.\-_~]+/, '')
    .replace(/[\s.]+$/, '');
  const [, stem = clean, extension = ''] = /^(.+)(\.[^.]+)$/.exec(clean) ?? [];
  if (extension.length > EXTENSION_CHARS_MAX) return fitting(clean, NAME_BYTES_MAX);
  return `${fitting(stem, NAME_BYTES_MAX - Buffer.byteLength(extension))}${extension}`;
}

/** The name of a file on the disk. `extension`: what its bytes say that it is. */
export function attachmentName(
  { kind, name }: Pick<Resource, 'kind' | 'name'>,
  { sentAtMs, extension }: { readonly sentAtMs: number; readonly extension: string | undefined },
): string {
  if (kind === 'audio') return `audio-${timeOf(sentAtMs)}.opus`;
  const safe = safeName(name ?? '');
  if (safe !== '') return safe;
  return extension === undefined ? kind : `${kind}.${extension}`;
}

/** In UTC, such as `20260320-110230`. */
function timeOf(ms: number): string {
  return new Date(ms).toISOString().slice(0, 19).replaceAll(/[-:]/g, '').replace('T', '-');
}

/** Cut at a character. */
function fitting(text: string, bytesMax: number): string {
  let bytes = 0;
  let end = 0;
  for (const character of text) {
    bytes += Buffer.byteLength(character);
    if (bytes > bytesMax) break;
    end += character.length;
  }
  return text.slice(0, end).trimEnd();
}
