/** How many columns of a terminal a text takes. A sign of Chinese, Japanese or Korean, or an emoji, takes two. */

const NONE = /[\p{Mn}\p{Me}\p{Default_Ignorable_Code_Point}]/u;
const TWO =
  /[\u1100-\u115F\u2E80-\u303E\u3041-\uA4CF\uA960-\uA97F\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE6F\uFF00-\uFF60\uFFE0-\uFFE6\u{1F300}-\u{1FAFF}\u{20000}-\u{3FFFD}]/u;
const ONE_EACH = /^[ -~]*$/;

export function widthOf(text: string): number {
  if (ONE_EACH.test(text)) return text.length;
  return Array.from(text).reduce((sum, sign) => sum + widthOfSign(sign), 0);
}

/** The beginning of a text that takes at most this many columns, and ends with `…` if something is left out. */
export function cutToWidth(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text;
  let kept = '';
  let left = columns - 1;
  for (const sign of text) {
    left -= widthOfSign(sign);
    if (left < 0) break;
    kept += sign;
  }
  return `${kept.trimEnd()}…`;
}

function widthOfSign(sign: string): number {
  if (NONE.test(sign)) return 0;
  return TWO.test(sign) ? 2 : 1;
}
