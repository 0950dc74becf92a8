/** A link as a QR code: as text for a terminal or a log, and as a picture. */
import { writeFileSync } from 'node:fs';
import { BridgeError, errorText, isSystemError } from '../core/errors.ts';

/** The least redundancy: the link is long, and a screen has no dirt or creases. */
const LEVEL = { errorCorrectionLevel: 'L' } as const;

export interface QrText {
  readonly text: string;
  /** Width in characters; in a narrower terminal the code breaks and can't be scanned. */
  readonly columns: number;
}

/** `colored`: black on white whatever the terminal's theme; else in plain characters. */
export async function drawQr(link: string, { colored }: { colored: boolean }): Promise<QrText> {
  const qrcode = await import('qrcode');
  const text = colored
    ? await qrcode.toString(link, { ...LEVEL, type: 'terminal', small: true })
    : await qrcode.toString(link, { ...LEVEL, type: 'utf8' });
  const [firstLine = ''] = text.split('\n', 1);
  // The colors are not part of the width.
  return { text, columns: firstLine.match(/[ ▀▄█]/gu)?.length ?? 0 };
}

/** Writes a PNG, or an SVG if the path ends so; readable by its owner only, since it lets anybody confirm. */
export async function writeQrImage(link: string, path: string): Promise<void> {
  const qrcode = await import('qrcode');
  const image = /\.svg$/i.test(path)
    ? await qrcode.toString(link, { ...LEVEL, type: 'svg' })
    : await qrcode.toBuffer(link, { ...LEVEL, type: 'png', scale: 6 });
  try {
    writeFileSync(path, image, { mode: 0o600 });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new BridgeError('usage', `can't write the QR code to ${path}: ${errorText(error)}`, {
      next: 'Name a file that can be written, or leave the picture out with --no-qr.',
      cause: error,
    });
  }
}
