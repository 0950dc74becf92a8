import { textOf } from '../fields.ts';
import { linePart, type ReadContent } from './read-content.ts';

export const readShareChat: ReadContent = ({ chat_id: id }) => [
  linePart('shared chat', textOf(id)),
];
