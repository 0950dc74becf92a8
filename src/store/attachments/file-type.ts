/** Finds out from its first bytes what a file is. What a sender says about a file is not believed. */

/** The signatures lie in these first bytes. */
export const HEAD_BYTES = 4_096;

interface Signature {
  readonly mimeType: string;
  /** The usual end of a name. */
  readonly extension: string;
  readonly at?: number;
  readonly bytes: readonly number[] | string;
  /** A second place that has to fit too. */
  readonly and?: { readonly at: number; readonly bytes: string };
}

/** What people send in a chat. The first row that fits counts. */
const SIGNATURES: readonly Signature[] = [
  {
    mimeType: 'image/png',
    extension: 'png',
    bytes: [0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a],
  },
  { mimeType: 'image/jpeg', extension: 'jpg', bytes: [0xff, 0xd8, 0xff] },
  { mimeType: 'image/gif', extension: 'gif', bytes: 'GIF8' },
  { mimeType: 'image/webp', extension: 'webp', bytes: 'RIFF', and: { at: 8, bytes: 'WEBP' } },
  { mimeType: 'image/bmp', extension: 'bmp', bytes: 'BM', and: { at: 6, bytes: '\0\0\0\0' } },
  { mimeType: 'image/tiff', extension: 'tif', bytes: 'II*\0' },
  { mimeType: 'image/tiff', extension: 'tif', bytes: 'MM\0*' },
  { mimeType: 'image/x-icon', extension: 'ico', bytes: '\0\0\u0001\0' },
  { mimeType: 'image/heic', extension: 'heic', at: 4, bytes: 'ftyphei' },
  { mimeType: 'image/heic', extension: 'heic', at: 4, bytes: 'ftypmif1' },
  { mimeType: 'image/avif', extension: 'avif', at: 4, bytes: 'ftypavif' },
  { mimeType: 'video/quicktime', extension: 'mov', at: 4, bytes: 'ftypqt' },
  { mimeType: 'audio/mp4', extension: 'm4a', at: 4, bytes: 'ftypM4A' },
  { mimeType: 'video/mp4', extension: 'mp4', at: 4, bytes: 'ftyp' },
  { mimeType: 'video/webm', extension: 'webm', bytes: [0x1a, 0x45, 0xdf, 0xa3] },
  { mimeType: 'video/x-msvideo', extension: 'avi', bytes: 'RIFF', and: { at: 8, bytes: 'AVI ' } },
  { mimeType: 'audio/opus', extension: 'opus', bytes: 'OggS', and: { at: 28, bytes: 'OpusHead' } },
  { mimeType: 'audio/ogg', extension: 'ogg', bytes: 'OggS' },
  { mimeType: 'audio/wav', extension: 'wav', bytes: 'RIFF', and: { at: 8, bytes: 'WAVE' } },
  { mimeType: 'audio/flac', extension: 'flac', bytes: 'fLaC' },
  { mimeType: 'audio/mpeg', extension: 'mp3', bytes: 'ID3' },
  { mimeType: 'audio/mpeg', extension: 'mp3', bytes: [0xff, 0xfb] },
  { mimeType: 'audio/amr', extension: 'amr', bytes: '#!AMR' },
  { mimeType: 'application/pdf', extension: 'pdf', bytes: '%PDF-' },
  { mimeType: 'application/zip', extension: 'zip', bytes: 'PK\u0003\u0004' },
  { mimeType: 'application/zip', extension: 'zip', bytes: 'PK\u0005\u0006' },
  { mimeType: 'application/gzip', extension: 'gz', bytes: [0x1f, 0x8b] },
  { mimeType: 'application/x-xz', extension: 'xz', bytes: [0xfd, 0x37, 0x7a, 0x58, 0x5a] },
  { mimeType: 'application/zstd', extension: 'zst', bytes: [0x28, 0xb5, 0x2f, 0xfd] },
  { mimeType: 'application/x-bzip2', extension: 'bz2', bytes: 'BZh' },
  {
    mimeType: 'application/x-7z-compressed',
    extension: '7z',
    bytes: [0x37, 0x7a, 0xbc, 0xaf, 0x27, 0x1c],
  },
  { mimeType: 'application/vnd.rar', extension: 'rar', bytes: 'Rar!' },
  // Word, Excel and PowerPoint before 2007.
  { mimeType: 'application/x-ole-storage', extension: 'doc', bytes: [0xd0, 0xcf, 0x11, 0xe0] },
  { mimeType: 'application/rtf', extension: 'rtf', bytes: '{\\rtf' },
  { mimeType: 'application/x-elf', extension: 'elf', bytes: '\u007FELF' },
  { mimeType: 'application/vnd.sqlite3', extension: 'db', bytes: 'SQLite format 3\0' },
];

/** An Office file is a ZIP file. The name of its first or second entry says which one. */
const OFFICE: readonly (readonly [folder: string, mimeType: string])[] = [
  ['word/', 'application/vnd.openxmlformats-officedocument.wordprocessingml.document'],
  ['xl/', 'application/vnd.openxmlformats-officedocument.spreadsheetml.sheet'],
  ['ppt/', 'application/vnd.openxmlformats-officedocument.presentationml.presentation'],
];

interface FileType {
  readonly mimeType: string;
  /** Undefined if the bytes don't say it. */
  readonly extension?: string;
}

/** `head`: the first `HEAD_BYTES` of the file, or all of a smaller one. */
export function fileTypeOf(head: Buffer): FileType {
  const signature = SIGNATURES.find((one) => fits(head, one));
  if (signature?.mimeType === 'application/zip') return zipType(head);
  if (signature !== undefined) return signature;
  if (!isText(head)) return { mimeType: 'application/octet-stream' };
  return /^\s*(?:<\?xml[^>]*>\s*)?(?:<!--[\s\S]*?-->\s*)?(?:<!DOCTYPE svg[^>]*>\s*)?<svg[\s>]/i.test(
    head.toString('utf8'),
  )
    ? { mimeType: 'image/svg+xml', extension: 'svg' }
    : { mimeType: 'text/plain', extension: 'txt' };
}

function fits(head: Buffer, { at = 0, bytes, and }: Signature): boolean {
  const wanted = typeof bytes === 'string' ? Buffer.from(bytes, 'latin1') : Buffer.from(bytes);
  if (!head.subarray(at, at + wanted.length).equals(wanted)) return false;
  return and === undefined || fits(head, and as Signature);
}

function zipType(head: Buffer): FileType {
  const names = head.toString('latin1');
  const office = OFFICE.find(([folder]) => names.includes(folder));
  if (office !== undefined && names.includes('[Content_Types].xml')) {
    return { mimeType: office[1] };
  }
  return { mimeType: 'application/zip', extension: 'zip' };
}

/** The head may end in the middle of a character. */
function isText(head: Buffer): boolean {
  if (head.includes(0)) return false;
  const decoder = new TextDecoder('utf-8', { fatal: true });
  try {
    decoder.decode(head, { stream: true });
    return true;
  } catch {
    return false; // It is not UTF-8.
  }
}
