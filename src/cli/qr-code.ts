/** A link as a QR code: as text for a terminal or a log, and as an image file. */
import { statSync, writeFileSync } from 'node:fs';
import { BridgeError, errorText, isSystemError } from '../core/errors.ts';
import { writePrivateFile } from '../files/private-file.ts';

/** The lowest error correction: the link is long, and a screen has no damage. */
const LEVEL = { errorCorrectionLevel: 'L' } as const;

/** Light modules around the code. The standard asks for 4. Readers accept less, and terminals are small. */
const QUIET_MODULES = 2;
const BLACK_ON_WHITE = '\u001B[30;47m';
const END_OF_COLOR = '\u001B[0m';

export interface QrText {
  readonly text: string;
  /** A smaller terminal can't show the whole code. */
  readonly columns: number;
  readonly rows: number;
}

/**
 * What is drawn. `colors`: black on white, in every theme. Without colours it depends on the background, because a
 * scanner wants dark modules on light ones: `light` draws the light modules, for a dark background, and `dark` the
 * dark ones.
 */
export type Ink = 'colors' | 'light' | 'dark';

/** One character shows two modules, one above the other. */
export async function drawQr(link: string, ink: Ink): Promise<QrText> {
  const { create } = await import('qrcode');
  const { modules } = create(link, LEVEL);
  const isInk = (row: number, column: number) => {
    const isInside = Math.min(row, column) >= 0 && Math.max(row, column) < modules.size;
    const isDark = isInside && modules.get(row, column) === 1;
    return ink === 'light' ? !isDark : isDark;
  };
  const columns = modules.size + 2 * QUIET_MODULES;
  const lines: string[] = [];
  for (let row = -QUIET_MODULES; row < modules.size + QUIET_MODULES; row += 2) {
    const line = Array.from({ length: columns }, (_, index) => {
      const column = index - QUIET_MODULES;
      const halves = (isInk(row, column) ? 2 : 0) + (isInk(row + 1, column) ? 1 : 0);
      return ' ▄▀█'[halves];
    }).join('');
    lines.push(ink === 'colors' ? `${BLACK_ON_WHITE}${line}${END_OF_COLOR}` : line);
  }
  return { text: lines.join('\n'), columns, rows: lines.length };
}

/** The code as a PNG. */
export async function qrPicture(link: string): Promise<Buffer> {
  const { toBuffer } = await import('qrcode');
  return toBuffer(link, { ...LEVEL, type: 'png', scale: 6 });
}

/** Writes a PNG, or an SVG if the path ends so. Only the owner may read it: with the code anybody can confirm. */
export async function writeQrImage(link: string, path: string): Promise<void> {
  const { toString } = await import('qrcode');
  const image = /\.svg$/i.test(path)
    ? await toString(link, { ...LEVEL, type: 'svg' })
    : await qrPicture(link);
  try {
    const stat = statSync(path, { throwIfNoEntry: false });
    // A pipe or a device can't be replaced by a file.
    if (stat?.isFile() === false) writeFileSync(path, image);
    else writePrivateFile(path, image);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new BridgeError('usage', `can't write the QR code to ${path}: ${errorText(error)}`, {
      next: 'Name a file that can be written, or use --no-qr.',
      cause: error,
    });
  }
}
