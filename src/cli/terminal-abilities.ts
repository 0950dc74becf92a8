/** What the terminal of a person can show, as far as its environment tells. */
import type { Environment } from '../config/load.ts';
import type { Ink } from './qr-code.ts';

/** How a picture is written into a line of text. */
export type PictureForm = 'kitty' | 'iterm2';

/** It moves no cursor and clears nothing. */
export function isDumb(env: Environment): boolean {
  return env['TERM'] === 'dumb';
}

/** Undefined if it shows none. Between a multiplexer and the terminal a picture gets lost. */
export function pictureFormOf(env: Environment): PictureForm | undefined {
  const term = env['TERM'] ?? '';
  if (/^(?:screen|tmux|dumb)/.test(term) || (env['TMUX'] ?? '') !== '') return undefined;
  if (term === 'xterm-kitty' || (env['KITTY_WINDOW_ID'] ?? '') !== '') return 'kitty';
  return env['TERM_PROGRAM'] === 'iTerm.app' ? 'iterm2' : undefined;
}

/** Without colours the background decides. Few terminals tell it, and most are dark. */
export function inkFor(env: Environment, { colored }: { colored: boolean }): Ink {
  if (colored) return 'colors';
  // `foreground;background`, by their numbers among the 16 colours: white is 7 and 15.
  const background = (env['COLORFGBG'] ?? '').split(';').at(-1);
  return background === '7' || background === '15' ? 'dark' : 'light';
}

/** Text that leads to `url` when it is clicked. Terminals without this show the text. */
export function linked(text: string, url: string): string {
  return `\u001B]8;;${url}\u001B\\${text}\u001B]8;;\u001B\\`;
}
