import { type ReadContent, resourceAlone, resourceOf } from './read-content.ts';

/** A video. Its picture (`image_key`) is only a preview. */
export const readMedia: ReadContent = ({ file_key: key, file_name: name, duration: durationMs }) =>
  resourceAlone(resourceOf('video', { key, name, durationMs }));
