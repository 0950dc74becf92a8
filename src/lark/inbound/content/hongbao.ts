import { linePart, type ReadContent } from './read-content.ts';

export const readHongbao: ReadContent = () => [linePart('red packet')];
