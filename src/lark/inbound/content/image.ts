import { type ReadContent, resourceAlone, resourceOf } from './read-content.ts';

export const readImage: ReadContent = ({ image_key: key }) =>
  resourceAlone(resourceOf('image', { key }));
