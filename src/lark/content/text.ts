/** Texts in the form in which Lark accepts and shows them. */
import { byteLength, headOf } from '../../text/cut.ts';
import { isBlank, withoutTerminalControls } from '../../text/visible.ts';

/** Lark accepts requests of 150 KB. JSON escapes and the other fields need a part of that. */
export const LARK_TEXT_BYTES_MAX = 100 * 1024;
/**
 * Sizes of the pieces of a text that was refused as too long. If the last size is refused too, the length is not
 * the cause, so no smaller size is tried.
 */
const SMALLER_PIECES_BYTES = [24 * 1024, 6 * 1024];

/** The text in pieces that Lark accepts, cut at line ends if possible. Pieces without anything visible are left out. */
export function piecesOf(text: string, bytesMax: number = LARK_TEXT_BYTES_MAX): string[] {
  return splitText(text, bytesMax).filter((piece) => !isBlank(piece));
}

/** A text that Lark refused as too long, in smaller pieces. `undefined` if smaller pieces would not help. */
export function smallerPiecesOf(text: string): string[] | undefined {
  const bytes = byteLength(text);
  const bytesMax = SMALLER_PIECES_BYTES.find((size) => size < bytes);
  return bytesMax === undefined ? undefined : piecesOf(text, bytesMax);
}

/** A text without any control character but tab and line feed, and without halves of characters. */
export function withoutControls(text: string): string {
  const shown = withoutTerminalControls(text).replaceAll(/\r\n?|\u0085/g, '\n');
  return shown.replaceAll(/\p{Surrogate}/gu, '\uFFFD');
}

function splitText(text: string, bytesMax: number): string[] {
  const pieces: string[] = [];
  let rest = text;
  for (;;) {
    const head = headOf(rest, { bytes: bytesMax });
    if (head.length === rest.length) return [...pieces, rest];
    const lineEnd = head.lastIndexOf('\n');
    const piece = lineEnd > head.length / 2 ? head.slice(0, lineEnd + 1) : head;
    pieces.push(piece);
    rest = rest.slice(piece.length);
  }
}
