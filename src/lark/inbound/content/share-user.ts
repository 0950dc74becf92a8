import { textOf } from '../fields.ts';
import { linePart, type ReadContent } from './read-content.ts';

export const readShareUser: ReadContent = ({ user_id: id }) => [
  linePart('shared contact', textOf(id)),
];
