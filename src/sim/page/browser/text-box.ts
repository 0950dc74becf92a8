/** Changes in a text box, at its cursor. */

/** Puts the text where the cursor is, in the place of what is selected. */
export function insert(box: HTMLTextAreaElement, text: string): void {
  box.setRangeText(text, box.selectionStart, box.selectionEnd, 'end');
  changed(box);
}

/** On lines of its own. What is selected comes between the two; the cursor stands there. */
export function insertLines(box: HTMLTextAreaElement, before: string, after = ''): void {
  const { value, selectionStart: start, selectionEnd: end } = box;
  const head = start === 0 || value[start - 1] === '\n' ? '' : '\n';
  const isLast = end === value.length || value[end] === '\n';
  const tail = after === '' || isLast ? '' : '\n';
  wrap(box, head + before, after + tail);
}

/** Puts signs around what is selected. Without a selection the cursor stands between them. */
export function wrap(box: HTMLTextAreaElement, before: string, after: string): void {
  const { selectionStart: start, selectionEnd: end } = box;
  const inside = box.value.slice(start, end);
  box.setRangeText(before + inside + after, start, end);
  box.setSelectionRange(start + before.length, end + before.length);
  changed(box);
}

function changed(box: HTMLTextAreaElement): void {
  box.dispatchEvent(new Event('input'));
  box.focus();
}
