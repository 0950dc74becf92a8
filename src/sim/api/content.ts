import {
  entityProblem,
  imageCheck,
  inlineCardProblem,
  refuseContent,
} from '../cards/card-rules.ts';
import type { Cloud } from '../cloud.ts';
import { refuse, type Answer } from './http.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from '../world/json.ts';
import { MentionList } from './mentions.ts';
import type { SimApp, SimChat, SimMention } from '../world/model.ts';
import { receivedPost } from './post.ts';

const TEXT_BYTES_MAX = 150 * 1024;
const RICH_BYTES_MAX = 30 * 1024;

/** What an app wants to send. */
interface Outgoing {
  readonly app: SimApp;
  readonly chat: SimChat;
  readonly msgType: string;
  /** JSON text, as the app sent it. */
  readonly content: string;
}

interface Accepted {
  /** As the history shows it: with placeholders for mentions, and posts without a locale. */
  readonly content: string;
  readonly mentions: readonly SimMention[];
  readonly cardId: string | undefined;
}

type Validated =
  | { readonly ok: true; readonly accepted: Accepted }
  | { readonly ok: false; readonly answer: Answer };

/** Which file types each message type may have. */
const FILE_TYPES: Readonly<Record<string, (fileType: string) => boolean>> = {
  audio: (fileType) => fileType === 'opus',
  media: (fileType) => fileType === 'mp4',
  file: (fileType) => fileType !== 'opus' && fileType !== 'mp4',
};

/** Validates the content of a message that an app sends or edits. */
export function validateContent(cloud: Cloud, out: Outgoing): Validated {
  const bytesMax = out.msgType === 'text' ? TEXT_BYTES_MAX : RICH_BYTES_MAX;
  if (Buffer.byteLength(out.content) > bytesMax) {
    return refused(refuse(230025, 'The length of the message content reaches its limit.'));
  }
  if (out.msgType === 'interactive') return validateCard(cloud, out);
  const fields = parseJsonObject(out.content);
  if (fields === undefined) return invalid('content is not a string in json format');
  switch (out.msgType) {
    case 'text':
      return validateText(cloud, fields);
    case 'post':
      return validatePost(cloud, out, fields);
    case 'image':
      return validateUpload(cloud, out, { fields, name: 'image_key' });
    case 'file':
    case 'audio':
    case 'media':
      return validateUpload(cloud, out, { fields, name: 'file_key' });
    case 'sticker':
      return needsText(out, fields, 'file_key');
    case 'share_user':
      return needsText(out, fields, 'user_id');
    case 'share_chat':
      return validateSharedChat(cloud, out, fields);
    case 'system':
      return out.chat.mode === 'p2p'
        ? accept(out.content)
        : invalid('system is for direct chats only');
    default:
      return invalid(`msg_type ${out.msgType} is unknown`);
  }
}

function validateText(cloud: Cloud, fields: JsonObject): Validated {
  const { text } = fields;
  if (typeof text !== 'string' || text === '') return invalid('text is empty');
  const mentions = new MentionList(cloud.world);
  const shown = mentions.replaceTags(text);
  return accept(JSON.stringify({ text: shown }), mentions.all);
}

function validatePost(cloud: Cloud, out: Outgoing, fields: JsonObject): Validated {
  const mentions = new MentionList(cloud.world);
  const post = receivedPost(fields, mentions);
  if (typeof post === 'string') return invalid(post);
  // As in cards and in messages that are one image: the app has to have uploaded it.
  const isImage = imageCheck(cloud, out.app);
  const images = post.content.flat().filter(({ tag }) => tag === 'img');
  const unknown = images.find(({ image_key: key }) => typeof key !== 'string' || !isImage(key));
  if (unknown !== undefined) return invalid('invalid image_key');
  return accept(JSON.stringify(post), mentions.all);
}

function validateCard(cloud: Cloud, out: Outgoing): Validated {
  const fields = parseJsonObject(out.content);
  const data = fields?.['data'];
  if (fields?.['type'] === 'card' && isJsonObject(data)) {
    const cardId = String(data['card_id']);
    const problem = entityProblem(cloud, out.app, cardId);
    if (problem !== undefined) return refused(refuseContent(problem));
    return { ok: true, accepted: { content: out.content, mentions: [], cardId } };
  }
  if (fields?.['type'] === 'template') {
    return refused(refuseContent({ code: 200380, msg: 'template does not exist' }));
  }
  const problem = inlineCardProblem(out.content, imageCheck(cloud, out.app));
  return problem === undefined ? accept(out.content) : refused(refuseContent(problem));
}

function validateUpload(
  cloud: Cloud,
  out: Outgoing,
  key: { readonly fields: JsonObject; readonly name: string },
): Validated {
  const value = key.fields[key.name];
  const upload = typeof value === 'string' ? cloud.world.uploads.get(value) : undefined;
  if (upload === undefined) return invalid(`invalid ${key.name}`);
  if (upload.owner.kind !== 'app' || upload.owner.appId !== out.app.appId) {
    return refused(refuse(230017, 'Bot is NOT the owner of the resource.'));
  }
  const fits =
    upload.kind === 'image'
      ? out.msgType === 'image'
      : FILE_TYPES[out.msgType]?.(upload.fileType) === true;
  if (fits) return accept(withFileName(out, key.fields, upload.fileName));
  const msg = 'The type of file upload does not match the type of message being sent.';
  return refused(refuse(230055, msg));
}

/** The history shows the name that a file was uploaded with. */
function withFileName(out: Outgoing, fields: JsonObject, fileName: string): string {
  return out.msgType === 'image'
    ? out.content
    : JSON.stringify({ ...fields, file_name: fields['file_name'] ?? fileName });
}

function validateSharedChat(cloud: Cloud, out: Outgoing, fields: JsonObject): Validated {
  const shared = cloud.world.chats.get(String(fields['chat_id']));
  if (shared === undefined) return invalid('invalid chat_id');
  if (shared.mode === 'p2p') return refused(refuse(230015, 'P2P chat can NOT be shared.'));
  return accept(out.content);
}

function needsText(out: Outgoing, fields: JsonObject, name: string): Validated {
  return typeof fields[name] === 'string' ? accept(out.content) : invalid(`invalid ${name}`);
}

function accept(content: string, mentions: readonly SimMention[] = []): Validated {
  return { ok: true, accepted: { content, mentions, cardId: undefined } };
}

function refused(answer: Answer): Validated {
  return { ok: false, answer };
}

function invalid(ext: string): Validated {
  return refused(invalidParameter(ext));
}

/** 230001, with the reason in the platform's place for it. */
export function invalidParameter(ext: string): Answer {
  return refuse(230001, `Your request contains an invalid request parameter, ext=${ext}`);
}
