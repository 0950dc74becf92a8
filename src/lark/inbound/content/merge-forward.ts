import type { ReadContent } from './read-content.ts';

/** Lark gives a bundle without the messages in it. They are read later. */
export const readMergeForward: ReadContent = () => [{ kind: 'forwarded' }];
