import { type ReadContent, resourceAlone, resourceOf } from './read-content.ts';

export const readFile: ReadContent = ({ file_key: key, file_name: name }) =>
  resourceAlone(resourceOf('file', { key, name }));
