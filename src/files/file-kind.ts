/** What a file is, by its first bytes and not by its name. */

/** Enough for every form below. */
export const KIND_BYTES = 64;

type Form = 'jpeg' | 'png' | 'gif' | 'webp' | 'bmp' | 'tiff' | 'ico' | 'opus' | 'mp4';

const KINDS = { opus: 'audio', mp4: 'video' } as const satisfies Partial<Record<Form, string>>;
/** Brands of films in the file type box of MP4. Pictures of phones (HEIC) have the same box with other brands. */
const FILM = /^(?:isom|iso[2-9]|mp4[12]|avc1|M4V |dash|MSNV)$/;

/** Images, voice and films are those that Lark shows as such. */
export function kindOf(head: Uint8Array): 'image' | 'audio' | 'video' | 'file' {
  const form = formOf(Buffer.from(head));
  if (form === undefined) return 'file';
  return form === 'opus' || form === 'mp4' ? KINDS[form] : 'image';
}

function formOf(head: Buffer): Form | undefined {
  const begins = (...bytes: readonly number[]) => bytes.every((byte, at) => head[at] === byte);
  const word = (from: number, to: number) => head.toString('latin1', from, to);
  if (begins(0xff, 0xd8, 0xff)) return 'jpeg';
  if (begins(0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a)) return 'png';
  if (word(0, 6) === 'GIF87a' || word(0, 6) === 'GIF89a') return 'gif';
  if (word(0, 4) === 'RIFF' && word(8, 12) === 'WEBP') return 'webp';
  if (word(0, 2) === 'BM' && head.length > 14 && head.readUInt32LE(6) === 0) return 'bmp';
  if (begins(0x49, 0x49, 0x2a, 0x00) || begins(0x4d, 0x4d, 0x00, 0x2a)) return 'tiff';
  if (begins(0x00, 0x00, 0x01, 0x00)) return 'ico';
  if (word(0, 4) === 'OggS' && head.includes('OpusHead', 0, 'latin1')) return 'opus';
  if (word(4, 8) === 'ftyp' && FILM.test(word(8, 12))) return 'mp4';
  return undefined;
}
