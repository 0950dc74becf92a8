interface ImageInfo {
  readonly contentType: string;
  /** In pixels; undefined for formats whose size is not read. */
  readonly width?: number | undefined;
  readonly height?: number | undefined;
}

/** Recognizes the platform's image formats by their first bytes. Undefined if it is not an image. */
export function imageInfo(bytes: Buffer): ImageInfo | undefined {
  const head = bytes.subarray(0, 12).toString('latin1');
  if (head.startsWith('\x89PNG\r\n\x1a\n')) return { contentType: 'image/png', ...pngSize(bytes) };
  if (head.startsWith('GIF8')) return { contentType: 'image/gif', ...gifSize(bytes) };
  if (head.startsWith('\xff\xd8\xff')) return { contentType: 'image/jpeg', ...jpegSize(bytes) };
  if (head.startsWith('RIFF') && head.slice(8) === 'WEBP') return { contentType: 'image/webp' };
  if (head.startsWith('BM')) return { contentType: 'image/bmp' };
  if (head.startsWith('\0\0\x01\0')) return { contentType: 'image/x-icon' };
  // The platform converts these to JPEG.
  if (head.startsWith('II*\0') || head.startsWith('MM\0*')) return { contentType: 'image/jpeg' };
  if (/^....ftyp(heic|heix|mif1)/s.test(head)) return { contentType: 'image/jpeg' };
  return undefined;
}

interface Size {
  readonly width?: number;
  readonly height?: number;
}

function pngSize(bytes: Buffer): Size {
  return bytes.length < 24 ? {} : { width: bytes.readUInt32BE(16), height: bytes.readUInt32BE(20) };
}

function gifSize(bytes: Buffer): Size {
  return bytes.length < 10 ? {} : { width: bytes.readUInt16LE(6), height: bytes.readUInt16LE(8) };
}

/** The size is in the first "start of frame" segment. */
function jpegSize(bytes: Buffer): Size {
  let at = 2;
  while (at + 9 <= bytes.length && bytes[at] === 0xff) {
    const marker = bytes[at + 1] ?? 0;
    const isFrame = marker >= 0xc0 && marker <= 0xcf && ![0xc4, 0xc8, 0xcc].includes(marker);
    if (isFrame) return { height: bytes.readUInt16BE(at + 5), width: bytes.readUInt16BE(at + 7) };
    at += 2 + bytes.readUInt16BE(at + 2);
  }
  return {};
}
