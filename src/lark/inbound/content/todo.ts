import { asObject } from '../../../core/json-object.ts';
import { messageText } from '../../../wire/message-text.ts';
import { millis, textOf } from '../fields.ts';
import { readPost } from './post.ts';
import { linePart, type ReadContent } from './read-content.ts';
import { timeText } from './words.ts';

/** A task. Its summary has the form of a post. */
export const readTodo: ReadContent = ({ summary, due_time: due }, naming) => {
  const { title, content } = asObject(summary) ?? {};
  const dueMs = millis(due);
  const written = readPost({ content }, naming) ?? [];
  return [
    linePart(
      'todo',
      textOf(title),
      messageText(written),
      dueMs === undefined ? '' : `due ${timeText(dueMs)}`,
    ),
  ];
};
