/** What people are shown before they allow a tool to be used. It is pure. */
import type { ShownCode } from '../../core/content.ts';
import type { Language } from '../../core/language.ts';
import type { FileDiff, PermissionAsked } from '../../core/turn-update.ts';
import { byteLength, headOf } from '../../text/cut.ts';
import { lineDiff } from '../../text/line-diff.ts';
import { withMarksShown } from '../../text/visible.ts';
import { permissionTexts } from '../texts/permissions.ts';

/** More of a diff, or of another block, fills the chat. The whole follows as a file. */
const DIFF_LINES_MAX = 60;
const LINE_CHARS_MAX = 300;
/** All blocks together, as JSON inside of JSON: half of a card. The rest is for the text and the buttons. */
const SHOWN_BYTES_MAX = 12_000;
/** A longer file helps nobody to decide. */
const WHOLE_CHARS_MAX = 1_000_000;

interface WouldDo {
  readonly shown: readonly ShownCode[];
  /** All of it, if what is shown was cut. */
  readonly whole: { readonly name: string; readonly text: string } | undefined;
}

export function wouldDo(asked: PermissionAsked, lang: Language): WouldDo {
  const all = blocksOf(asked, lang);
  const cut = fitting(all.map((block, at) => cutLines(block, linesLeft(all, at))));
  const isWhole = cut.every(({ code }, at) => code === all[at]?.code);
  if (isWhole) return { shown: cut, whole: undefined };
  const text = all.map(({ title, code }) => `${title}\n\n${code}\n`).join('\n');
  const rest = text.length - WHOLE_CHARS_MAX;
  return {
    shown: cut.map((block, at) =>
      block.code === all[at]?.code
        ? block
        : { ...block, code: `${block.code}\n${permissionTexts.cut[lang]}` },
    ),
    whole: {
      name: (asked.diffs ?? []).length > 0 ? 'changes.diff' : 'details.txt',
      text:
        rest > 0
          ? `${headOf(text, { chars: WHOLE_CHARS_MAX })}\n${permissionTexts.cutEnd(rest)[lang]}\n`
          : text,
    },
  };
}

function blocksOf(
  { command, paths = [], diffs = [], input }: PermissionAsked,
  lang: Language,
): readonly ShownCode[] {
  const titles = permissionTexts.titles;
  return [
    ...(command === undefined
      ? []
      : [{ title: titles.command[lang], code: clean(command), language: 'bash' } as const]),
    ...(paths.length === 0
      ? []
      : [{ title: titles.paths[lang], code: clean(paths.join('\n')), language: '' } as const]),
    ...diffs.map(diffBlock),
    ...(input === undefined
      ? []
      : [{ title: titles.input[lang], code: clean(input), language: '' } as const]),
  ];
}

function diffBlock(diff: FileDiff): ShownCode {
  const { lines, title } = shownDiff(diff);
  return { title, code: clean(lines.join('\n')), language: 'diff' };
}

/** A diff as a line of its counts and the lines that changed. */
export function shownDiff({ path, before, after }: FileDiff) {
  const { added, removed, lines } = lineDiff(before ?? '', after);
  return { title: `+${added} −${removed} ${clean(path).replaceAll('\n', ' ')}`, lines };
}

/** What an agent calls a command must not look like another one. */
function clean(text: string): string {
  return withMarksShown(text.replaceAll('\r\n', '\n'));
}

/** How many lines of a block are shown. All diffs share their lines. */
function linesLeft(blocks: readonly ShownCode[], at: number): number {
  const block = blocks[at];
  if (block?.language !== 'diff') return DIFF_LINES_MAX;
  const used = blocks
    .slice(0, at)
    .filter(({ language }) => language === 'diff')
    .reduce((sum, { code }) => sum + code.split('\n').length, 0);
  return Math.max(0, DIFF_LINES_MAX - used);
}

function cutLines(block: ShownCode, linesMax: number): ShownCode {
  const lines = block.code.split('\n').slice(0, linesMax);
  const code = lines.map((line) => headOf(line, { chars: LINE_CHARS_MAX })).join('\n');
  return { ...block, code };
}

/** The last blocks are cut first: a command stands before the changes of files. */
function fitting(blocks: readonly ShownCode[]): readonly ShownCode[] {
  let left = SHOWN_BYTES_MAX;
  return blocks.map((block) => {
    const bytes = byteLength(JSON.stringify(JSON.stringify(block.code)));
    const share = Math.min(1, Math.max(0, left) / bytes);
    left -= bytes;
    if (share === 1) return block;
    return { ...block, code: headOf(block.code, { chars: Math.floor(block.code.length * share) }) };
  });
}

/** What would be done, as a text. */
export function plainWould(would: readonly ShownCode[]): string {
  return would.map(({ title, code }) => `${title}\n${code}`).join('\n\n');
}
