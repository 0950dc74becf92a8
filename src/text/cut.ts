/** Cuts texts. A character that people see as one is never cut: an emoji of several code points stays whole. */

/** It is made only when it is needed, because that takes as long as a small command. */
let segmenter: Intl.Segmenter | undefined;
const encoder = new TextEncoder();

/** How long a part may be. `chars` counts UTF-16 units, like `length`. `bytes` counts bytes of UTF-8. */
type CutLimit = { readonly chars: number } | { readonly bytes: number };

/**
 * The beginning of a text, as much of it as fits. If not even one character fits (a letter can have any number of
 * marks), it is cut between code points, so that a text that is cut again and again gets shorter.
 */
export function headOf(text: string, limit: CutLimit): string {
  const fits = 'chars' in limit ? limit.chars : unitsThatFit(text, limit.bytes);
  if (fits >= text.length) return text;
  const whole = graphemesOf(text).containing(fits)?.index ?? 0;
  return text.slice(0, whole > 0 ? whole : codePointAtOrBefore(text, fits));
}

/** The end of a text, as much of it as fits. */
export function tailOf(text: string, { chars }: { readonly chars: number }): string {
  const from = text.length - chars;
  if (from <= 0) return text;
  const reached = graphemesOf(text).containing(from);
  if (reached === undefined || reached.index === from) return text.slice(from);
  const next = reached.index + reached.segment.length;
  return text.slice(next < text.length ? next : from + (isSecondHalf(text, from) ? 1 : 0));
}

/** The text if it fits. Otherwise its beginning and `…`. */
export function shortened(text: string, charsMax: number): string {
  return text.length <= charsMax ? text : `${headOf(text, { chars: charsMax - 1 })}…`;
}

/** A text as one line, shortened. */
export function oneLine(text: string, charsMax: number): string {
  return shortened(text.replaceAll(/\s+/g, ' ').trim(), charsMax);
}

export function byteLength(text: string): number {
  return encoder.encode(text).length;
}

function graphemesOf(text: string): Intl.Segments {
  segmenter ??= new Intl.Segmenter(undefined, { granularity: 'grapheme' });
  return segmenter.segment(text);
}

/** How many UTF-16 units, in whole code points, take at most `bytesMax` bytes. */
function unitsThatFit(text: string, bytesMax: number): number {
  // No unit takes more than three bytes, so short texts need no count.
  if (text.length * 3 <= bytesMax) return text.length;
  return encoder.encodeInto(text, new Uint8Array(bytesMax)).read;
}

function codePointAtOrBefore(text: string, at: number): number {
  const isInside = isSecondHalf(text, at);
  // The first code point stays whole, even if it is larger than the limit.
  return at === 0 || (at === 1 && isInside) ? codePointLength(text) : at - (isInside ? 1 : 0);
}

function isSecondHalf(text: string, at: number): boolean {
  return (text.codePointAt(at - 1) ?? 0) > 0xff_ff;
}

function codePointLength(text: string): number {
  return (text.codePointAt(0) ?? 0) > 0xff_ff ? 2 : 1;
}
