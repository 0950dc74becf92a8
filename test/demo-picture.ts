/** The moving picture of the demo: a terminal, as an SVG that moves without scripts. */

const COLUMNS = 80;
const CHAR_WIDTH = 8.43;
const LINE_HEIGHT = 20;
const PADDING = 16;
const BAR_HEIGHT = 32;

/** When a line appears after the one before it. The demo itself is over in a second, which nobody can read. */
const TITLE_MS = 900;
const LINE_MS = 450;
/** How long the whole of it stands before it begins again. */
const STANDS_MS = 5_000;

const COLORS = {
  command: '#e6edf3',
  title: '#8b949e',
  person: '#79c0ff',
  bot: '#7ee787',
  text: '#c9d1d9',
} as const;

/** `lines`: what the terminal shows below the command. */
export function demoPicture(command: string, lines: readonly string[]): string {
  const rows = [`$ ${command}`, ...lines].flatMap(wrapped);
  const times = timesOf(rows);
  const lastMs = Math.max(...times) + STANDS_MS;
  const width = Math.ceil(COLUMNS * CHAR_WIDTH + 2 * PADDING);
  const height = BAR_HEIGHT + rows.length * LINE_HEIGHT + PADDING;
  const keyframes = times.map((ms, at) => {
    const from = ((100 * ms) / lastMs).toFixed(2);
    return `@keyframes l${at}{0%,${from}%{opacity:0}${from}1%,100%{opacity:1}}`;
  });
  const texts = rows.map((row, at) => {
    const y = BAR_HEIGHT + (at + 0.75) * LINE_HEIGHT;
    return `<text x="${PADDING}" y="${y}" style="animation-name:l${at}">${colored(row)}</text>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" xml:space="preserve" role="img" aria-labelledby="title">`,
    `<title id="title">A terminal runs ${command}: a person writes in a direct chat, in a group and in a thread, and the bot answers each message once, under it.</title>`,
    '<style>',
    `text{font:14px ui-monospace,SFMono-Regular,Menlo,Consolas,'DejaVu Sans Mono',monospace;white-space:pre;animation:${lastMs}ms linear infinite}`,
    ...keyframes,
    '@media (prefers-reduced-motion:reduce){text{animation:none}}',
    '</style>',
    `<rect width="${width}" height="${height}" rx="10" fill="#0d1117"/>`,
    ...['#ff5f56', '#ffbd2e', '#27c93f'].map(
      (fill, at) => `<circle cx="${20 + 18 * at}" cy="18" r="5.5" fill="${fill}"/>`,
    ),
    ...texts,
    '</svg>\n',
  ].join('\n');
}

/** A terminal goes on in the next line. */
function wrapped(line: string): string[] {
  return line.match(new RegExp(`.{1,${COLUMNS}}`, 'g')) ?? [''];
}

function timesOf(rows: readonly string[]): number[] {
  let ms = 0;
  return rows.map((row, at) => {
    if (at > 0) ms += isTitle(row) ? TITLE_MS : LINE_MS;
    return ms;
  });
}

function isTitle(row: string): boolean {
  return /^\d\. /.test(row);
}

function colored(row: string): string {
  const said = /^( {3}(\w+)[^:]*:)(.*)$/.exec(row);
  if (said === null) {
    const color = isTitle(row) ? COLORS.title : row.startsWith('$') ? COLORS.command : COLORS.text;
    return span(row, color);
  }
  const [, head = '', name, text = ''] = said;
  return span(head, name === 'Mia' ? COLORS.person : COLORS.bot) + span(text, COLORS.text);
}

function span(text: string, fill: string): string {
  const escaped = text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  return `<tspan fill="${fill}">${escaped}</tspan>`;
}
