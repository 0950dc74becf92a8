import { entityFault, inlineCardFault, refuseContent } from '../cards/card-rules.ts';
import type { Cloud } from '../cloud.ts';
import { refuse, type Answer } from './http.ts';
import { isJsonObject, parseJsonObject, type JsonObject } from '../world/json.ts';
import { MentionList } from './mentions.ts';
import type { SimApp, SimChat, SimMention } from '../world/model.ts';
import { receivedPost } from './post.ts';

const TEXT_BYTES_MAX = 150 * 1024;
const RICH_BYTES_MAX = 30 * 1024;

/** What an app wants to send. */
export interface Outgoing {
  readonly app: SimApp;
  readonly chat: SimChat;
  readonly msgType: string;
  /** JSON text, as the app sent it. */
  readonly content: string;
}

export interface Accepted {
  /** As the history shows it: mentions as placeholders, posts without locale. */
  readonly content: string;
  readonly mentions: readonly SimMention[];
  readonly cardId: string | undefined;
}

export type Judged =
  | { readonly ok: true; readonly accepted: Accepted }
  | { readonly ok: false; readonly answer: Answer };

/** Which kinds of uploaded file a message type may carry; `stream` stands for everything else. */
const FILE_TYPES: Readonly<Record<string, (fileType: string) => boolean>> = {
  audio: (fileType) => fileType === 'opus',
  media: (fileType) => fileType === 'mp4',
  file: (fileType) => fileType !== 'opus' && fileType !== 'mp4',
};

/** Judges the content of a message that an app sends or edits. */
export function judgeContent(cloud: Cloud, out: Outgoing): Judged {
  const bytesMax = out.msgType === 'text' ? TEXT_BYTES_MAX : RICH_BYTES_MAX;
  if (Buffer.byteLength(out.content) > bytesMax) {
    return no(refuse(230025, 'The length of the message content reaches its limit.'));
  }
  if (out.msgType === 'interactive') return judgeCard(cloud, out);
  const fields = parseJsonObject(out.content);
  if (fields === undefined) return invalid('content is not a string in json format');
  switch (out.msgType) {
    case 'text':
      return judgeText(cloud, fields);
    case 'post':
      return judgePost(cloud, fields);
    case 'image':
      return judgeUpload(cloud, out, { fields, name: 'image_key' });
    case 'file':
    case 'audio':
    case 'media':
      return judgeUpload(cloud, out, { fields, name: 'file_key' });
    case 'sticker':
      return needsText(out, fields, 'file_key');
    case 'share_user':
      return needsText(out, fields, 'user_id');
    case 'share_chat':
      return judgeSharedChat(cloud, out, fields);
    case 'system':
      return out.chat.mode === 'p2p' ? as(out.content) : invalid('system is for direct chats only');
    default:
      return invalid(`msg_type ${out.msgType} is unknown`);
  }
}

function judgeText(cloud: Cloud, fields: JsonObject): Judged {
  const { text } = fields;
  if (typeof text !== 'string' || text === '') return invalid('text is empty');
  const mentions = new MentionList(cloud.world);
  const shown = mentions.replaceTags(text);
  return as(JSON.stringify({ text: shown }), mentions.all);
}

function judgePost(cloud: Cloud, fields: JsonObject): Judged {
  const mentions = new MentionList(cloud.world);
  const post = receivedPost(fields, mentions);
  if (typeof post === 'string') return invalid(post);
  return as(JSON.stringify(post), mentions.all);
}

function judgeCard(cloud: Cloud, out: Outgoing): Judged {
  const fields = parseJsonObject(out.content);
  const data = fields?.['data'];
  if (fields?.['type'] === 'card' && isJsonObject(data)) {
    const cardId = String(data['card_id']);
    const fault = entityFault(cloud, out.app, cardId);
    if (fault !== undefined) return no(refuseContent(fault));
    return { ok: true, accepted: { content: out.content, mentions: [], cardId } };
  }
  if (fields?.['type'] === 'template') {
    return no(refuseContent({ code: 200380, msg: 'template does not exist' }));
  }
  const fault = inlineCardFault(out.content);
  return fault === undefined ? as(out.content) : no(refuseContent(fault));
}

function judgeUpload(
  cloud: Cloud,
  out: Outgoing,
  key: { readonly fields: JsonObject; readonly name: string },
): Judged {
  const value = key.fields[key.name];
  const upload = typeof value === 'string' ? cloud.world.uploads.get(value) : undefined;
  if (upload === undefined) return invalid(`invalid ${key.name}`);
  if (upload.owner.kind !== 'app' || upload.owner.appId !== out.app.appId) {
    return no(refuse(230017, 'Bot is NOT the owner of the resource.'));
  }
  const fits =
    upload.kind === 'image'
      ? out.msgType === 'image'
      : FILE_TYPES[out.msgType]?.(upload.fileType) === true;
  if (fits) return as(withFileName(out, key.fields, upload.fileName));
  const msg = 'The type of file upload does not match the type of message being sent.';
  return no(refuse(230055, msg));
}

/** The history shows the name under which a file was uploaded. */
function withFileName(out: Outgoing, fields: JsonObject, fileName: string): string {
  return out.msgType === 'image'
    ? out.content
    : JSON.stringify({ ...fields, file_name: fields['file_name'] ?? fileName });
}

function judgeSharedChat(cloud: Cloud, out: Outgoing, fields: JsonObject): Judged {
  const shared = cloud.world.chats.get(String(fields['chat_id']));
  if (shared === undefined) return invalid('invalid chat_id');
  if (shared.mode === 'p2p') return no(refuse(230015, 'P2P chat can NOT be shared.'));
  return as(out.content);
}

function needsText(out: Outgoing, fields: JsonObject, name: string): Judged {
  return typeof fields[name] === 'string' ? as(out.content) : invalid(`invalid ${name}`);
}

function as(content: string, mentions: readonly SimMention[] = []): Judged {
  return { ok: true, accepted: { content, mentions, cardId: undefined } };
}

function no(answer: Answer): Judged {
  return { ok: false, answer };
}

function invalid(ext: string): Judged {
  return no(invalidParameter(ext));
}

/** 230001 with the reason where the platform puts it. */
export function invalidParameter(ext: string): Answer {
  return refuse(230001, `Your request contains an invalid request parameter, ext=${ext}`);
}
