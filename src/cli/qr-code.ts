/** A link as a QR code: as text for a terminal or a log, and as a picture. */
import { writeFileSync } from 'node:fs';
import { BridgeError, errorText, isSystemError } from '../core/errors.ts';

/** The least redundancy: the link is long, and a screen has no dirt or creases. */
const LEVEL = { errorCorrectionLevel: 'L' } as const;

/** Light modules around the code. The standard asks for 4; readers take less, and terminals are small. */
const QUIET_MODULES = 2;
const BLACK_ON_WHITE = '\u001B[30;47m';
const END_OF_COLOR = '\u001B[0m';

export interface QrText {
  readonly text: string;
  /** In a terminal with fewer of either the code can't be scanned. */
  readonly columns: number;
  readonly rows: number;
}

/**
 * Two modules a character, one above the other. `colored`: black on white whatever the terminal's theme. Else
 * the light modules are drawn, which is right where text is light on dark, as most terminals have it; on a light
 * one the code is a negative, with its frame.
 */
export async function drawQr(link: string, { colored }: { colored: boolean }): Promise<QrText> {
  const { create } = await import('qrcode');
  const { modules } = create(link, LEVEL);
  const isInk = (row: number, column: number) => {
    const isInside = Math.min(row, column) >= 0 && Math.max(row, column) < modules.size;
    const isDark = isInside && modules.get(row, column) === 1;
    return colored ? isDark : !isDark;
  };
  const columns = modules.size + 2 * QUIET_MODULES;
  const lines: string[] = [];
  for (let row = -QUIET_MODULES; row < modules.size + QUIET_MODULES; row += 2) {
    const line = Array.from({ length: columns }, (_, index) => {
      const column = index - QUIET_MODULES;
      const halves = (isInk(row, column) ? 2 : 0) + (isInk(row + 1, column) ? 1 : 0);
      return ' ▄▀█'[halves];
    }).join('');
    lines.push(colored ? `${BLACK_ON_WHITE}${line}${END_OF_COLOR}` : line);
  }
  return { text: lines.join('\n'), columns, rows: lines.length };
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
