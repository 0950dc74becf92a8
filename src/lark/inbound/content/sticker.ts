import { linePart, type ReadContent } from './read-content.ts';

/** Lark lets nobody download a sticker. */
export const readSticker: ReadContent = () => [linePart('sticker')];
