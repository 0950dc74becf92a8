/** A picture inside the text of a terminal. */
import type { PictureForm } from './terminal-abilities.ts';

/** kitty takes at most this much at once. */
const CHUNK_CHARS = 4096;
/** Ours among the pictures of the terminal. kitty removes a picture by its number. */
const PICTURE_ID = 7_205;

/** Shows a PNG, scaled to `rows` lines of text. The cursor is then in the last of them. */
export function pictureText(png: Buffer, form: PictureForm, rows: number): string {
  const data = png.toString('base64');
  if (form === 'iterm2') {
    const about = `inline=1;size=${png.length};height=${rows};preserveAspectRatio=1`;
    return `\u001B]1337;File=${about}:${data}\u0007`;
  }
  const chunks = data.match(new RegExp(`.{1,${CHUNK_CHARS}}`, 'g')) ?? [];
  // q=2: the terminal answers nothing, because an answer would come as if a person had typed it.
  const about = `a=T,f=100,i=${PICTURE_ID},r=${rows},q=2`;
  return chunks
    .map((chunk, at) => {
      const more = `m=${at < chunks.length - 1 ? 1 : 0}`;
      return `\u001B_G${at === 0 ? `${about},${more}` : more};${chunk}\u001B\\`;
    })
    .join('');
}

/** Clears the window, with our picture in it. */
export function clearedWindow(form: PictureForm | undefined): string {
  const picture = form === 'kitty' ? `\u001B_Ga=d,d=I,i=${PICTURE_ID},q=2\u001B\\` : '';
  return `${picture}\u001B[H\u001B[2J`;
}
