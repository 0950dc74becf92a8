/** What changed between two texts, line by line. */

/** Lines around a change that are shown with it. */
const CONTEXT_LINES = 3;
/** Larger ones are compared only at their ends: all that lies between counts as changed. */
const CELLS_MAX = 1_000_000;

interface LineDiff {
  readonly added: number;
  readonly removed: number;
  /** With `+`, `-` or a space before each line, and `@@` before each group of changes. */
  readonly lines: readonly string[];
}

interface Line {
  readonly sign: ' ' | '+' | '-';
  readonly text: string;
}

export function lineDiff(before: string, after: string): LineDiff {
  const lines = compared(linesOf(before), linesOf(after));
  const count = (sign: Line['sign']) => lines.filter((line) => line.sign === sign).length;
  return { added: count('+'), removed: count('-'), lines: grouped(lines) };
}

function linesOf(text: string): readonly string[] {
  const lines = text.split(/\r?\n/);
  return lines.at(-1) === '' ? lines.slice(0, -1) : lines;
}

function compared(before: readonly string[], after: readonly string[]): readonly Line[] {
  const most = Math.min(before.length, after.length);
  let head = 0;
  while (head < most && before[head] === after[head]) head += 1;
  let tail = 0;
  while (tail < most - head && before.at(-1 - tail) === after.at(-1 - tail)) tail += 1;
  return [
    ...before.slice(0, head).map(same),
    ...changed(before.slice(head, before.length - tail), after.slice(head, after.length - tail)),
    ...before.slice(before.length - tail).map(same),
  ];
}

function same(text: string): Line {
  return { sign: ' ', text };
}

function changed(before: readonly string[], after: readonly string[]): readonly Line[] {
  const removed = before.map((text): Line => ({ sign: '-', text }));
  const added = after.map((text): Line => ({ sign: '+', text }));
  if (before.length * after.length > CELLS_MAX) return [...removed, ...added];
  const width = after.length + 1;
  // How many lines the rests from here on have in common.
  const common = new Uint32Array((before.length + 1) * width);
  const at = (row: number, column: number) => common[row * width + column] ?? 0;
  for (let row = before.length - 1; row >= 0; row -= 1) {
    for (let column = after.length - 1; column >= 0; column -= 1) {
      common[row * width + column] =
        before[row] === after[column]
          ? at(row + 1, column + 1) + 1
          : Math.max(at(row + 1, column), at(row, column + 1));
    }
  }
  const lines: Line[] = [];
  let row = 0;
  let column = 0;
  while (row < before.length && column < after.length) {
    const [old = '', fresh = ''] = [before[row], after[column]];
    if (old === fresh) {
      lines.push({ sign: ' ', text: old });
      row += 1;
      column += 1;
    } else if (at(row + 1, column) >= at(row, column + 1)) {
      lines.push({ sign: '-', text: old });
      row += 1;
    } else {
      lines.push({ sign: '+', text: fresh });
      column += 1;
    }
  }
  return [...lines, ...removed.slice(row), ...added.slice(column)];
}

function grouped(lines: readonly Line[]): readonly string[] {
  const shown: string[] = [];
  let old = 1;
  let fresh = 1;
  let isOpen = false;
  const near = nearChange(lines);
  for (const [at, { sign, text }] of lines.entries()) {
    const isNear = near[at] === 1;
    if (isNear && !isOpen) shown.push(`@@ -${old} +${fresh} @@`);
    if (isNear) shown.push(`${sign}${text}`);
    isOpen = isNear;
    if (sign !== '+') old += 1;
    if (sign !== '-') fresh += 1;
  }
  return shown;
}

/** 1 for each line that is changed, or close to one that is. */
function nearChange(lines: readonly Line[]): Uint8Array {
  const near = new Uint8Array(lines.length);
  for (const [at, { sign }] of lines.entries()) {
    if (sign !== ' ') near.fill(1, Math.max(0, at - CONTEXT_LINES), at + CONTEXT_LINES + 1);
  }
  return near;
}
