import { textOf } from '../fields.ts';
import { linePart, type ReadContent } from './read-content.ts';

/** Lark lets nobody download a folder. */
export const readFolder: ReadContent = ({ file_name: name }) => [linePart('folder', textOf(name))];
