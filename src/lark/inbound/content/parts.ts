/** Reads what people sent from Lark's content JSON: one reader for each message type. */
import { asObject } from '../../../core/json-object.ts';
import type { OpenId } from '../../../core/ids.ts';
import type { Part } from '../../../core/message.ts';
import { readAudio } from './audio.ts';
import { readCalendar } from './calendar.ts';
import { readFile } from './file.ts';
import { readFolder } from './folder.ts';
import { readHongbao } from './hongbao.ts';
import { readImage } from './image.ts';
import { readInteractive } from './interactive.ts';
import { readLocation } from './location.ts';
import { readMedia } from './media.ts';
import type { Mention } from './mentions.ts';
import { readMergeForward } from './merge-forward.ts';
import { parseJson } from './parse-json.ts';
import { readPost } from './post.ts';
import type { ReadContent } from './read-content.ts';
import { readShareChat } from './share-chat.ts';
import { readShareUser } from './share-user.ts';
import { readSticker } from './sticker.ts';
import { readSystem } from './system.ts';
import { readText } from './text.ts';
import { readTodo } from './todo.ts';
import { readVideoChat } from './video-chat.ts';
import { readVote } from './vote.ts';
import { oneLine } from './words.ts';

/** By Lark's names. */
const READERS: Readonly<Record<string, ReadContent>> = {
  text: readText,
  post: readPost,
  image: readImage,
  file: readFile,
  folder: readFolder,
  audio: readAudio,
  media: readMedia,
  sticker: readSticker,
  interactive: readInteractive,
  merge_forward: readMergeForward,
  share_chat: readShareChat,
  share_user: readShareUser,
  location: readLocation,
  todo: readTodo,
  vote: readVote,
  calendar: readCalendar,
  general_calendar: readCalendar,
  share_calendar_event: readCalendar,
  video_chat: readVideoChat,
  hongbao: readHongbao,
  system: readSystem,
};

/** Their content is not always JSON, and says nothing that is needed. */
const WITHOUT_CONTENT: ReadonlySet<string> = new Set(['merge_forward']);

interface Content {
  readonly messageType: string;
  /** JSON as Lark sent it. */
  readonly json: string;
  readonly mentions: readonly Mention[];
}

/** The parts of a message. Undefined if the content does not fit its type. */
export function parseParts(
  { messageType, json, mentions }: Content,
  botOpenId: OpenId | undefined,
): Part[] | undefined {
  const read = Object.hasOwn(READERS, messageType) ? READERS[messageType] : undefined;
  if (read === undefined) return [{ kind: 'unsupported', messageType: oneLine(messageType) }];
  const content = asObject(parseJson(json)) ?? (WITHOUT_CONTENT.has(messageType) ? {} : undefined);
  return content && read(content, { mentions, botOpenId });
}
