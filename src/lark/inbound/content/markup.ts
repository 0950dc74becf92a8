/** Writes Markdown that means what a post shows. */

/** Lark's names of styles, from the outermost mark to the innermost. Markdown has no underline. */
const MARKS: readonly (readonly [style: string, mark: string])[] = [
  ['bold', '**'],
  ['italic', '*'],
  ['lineThrough', '~~'],
];

/** Marks each line by itself, and leaves white space at its ends outside: a mark beside a space is none. */
export function styled(text: string, styles: readonly string[]): string {
  const marks = MARKS.filter(([style]) => styles.includes(style)).map(([, mark]) => mark);
  if (marks.length === 0) return text;
  const open = marks.join('');
  const close = marks.toReversed().join('');
  return text
    .split('\n')
    .map((line) => {
      const inner = line.trim();
      if (inner === '') return line;
      const start = line.indexOf(inner);
      return `${line.slice(0, start)}${open}${inner}${close}${line.slice(start + inner.length)}`;
    })
    .join('\n');
}

export function link(text: string, href: string): string {
  const address = href.replaceAll(/[\s<>()\\]/g, (sign) => encodeSign(sign));
  const label = text.replaceAll(/\s+/g, ' ').trim();
  if (address === '') return text;
  if (label === '' || label === href.trim()) return address;
  return `[${label.replaceAll(/[\\[\]]/g, String.raw`\$&`)}](${address})`;
}

function encodeSign(sign: string): string {
  // `encodeURIComponent` leaves brackets as they are.
  if (sign === '(') return '%28';
  return sign === ')' ? '%29' : encodeURIComponent(sign);
}

/** The fence is longer than any in the code. */
export function codeBlock(code: string, language: string): string {
  const runs = code.match(/`{3,}/g) ?? [];
  const longest = runs.reduce((most, run) => Math.max(most, run.length), 2);
  const fence = '`'.repeat(longest + 1);
  const word = /^[\w+#.-]{1,40}$/.test(language) ? language.toLowerCase() : '';
  return `${fence}${word}\n${code.replace(/\n$/, '')}\n${fence}`;
}
