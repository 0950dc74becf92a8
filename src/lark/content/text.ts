/** Texts as Lark takes and shows them. */
import { byteLength, headOf } from '../../core/cut.ts';
import { isBlank } from '../../core/visible.ts';

/** A text request may carry 150 KB; JSON escaping and the envelope need their share of it. */
export const LARK_TEXT_BYTES_MAX = 100 * 1024;
/**
 * Sizes of the pieces of a text that was refused as too long. The last one is the floor: where it is refused
 * too, the length is not what is wrong, and no shorter piece has a chance.
 */
const SMALLER_PIECES_BYTES = [24 * 1024, 6 * 1024];

/** Pieces that Lark takes, cut at line ends where there are any. A piece in which nothing can be seen is left out. */
export function piecesOf(text: string, bytesMax: number = LARK_TEXT_BYTES_MAX): string[] {
  return splitText(text, bytesMax).filter((piece) => !isBlank(piece));
}

/** Pieces of a text that Lark refused as too long; `undefined` if no shorter piece has a chance. */
export function smallerPiecesOf(text: string): string[] | undefined {
  const bytes = byteLength(text);
  const bytesMax = SMALLER_PIECES_BYTES.find((size) => size < bytes);
  return bytesMax === undefined ? undefined : piecesOf(text, bytesMax);
}

/** An agent's text must not be able to call everybody: Lark reads `<at …>` in texts as a mention. */
export function withoutMentions(text: string): string {
  return text.replaceAll(/<(?=\/?at[\s>])/gi, '<\u200B');
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
