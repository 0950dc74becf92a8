import { type ReadContent, resourceAlone, resourceOf } from './read-content.ts';

/** A voice message. */
export const readAudio: ReadContent = ({ file_key: key, duration: durationMs }) =>
  resourceAlone(resourceOf('audio', { key, durationMs }));
