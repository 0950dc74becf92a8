import type { Cloud } from '../cloud.ts';
import { withFault } from './broken-downloads.ts';
import { callerOf, ok, refuse, textField, type Answer, type Call, type Route } from './http.ts';
import { imageInfo } from './image-info.ts';
import type { Sender, SimMessage, SimUpload } from '../world/model.ts';
import type { World } from '../world/world.ts';

const IMAGE_BYTES_MAX = 10 * 1024 * 1024;
const FILE_BYTES_MAX = 30 * 1024 * 1024;
const DOWNLOAD_BYTES_MAX = 100 * 1024 * 1024;
const FILE_TYPES: ReadonlySet<string> = new Set([
  'opus',
  'mp4',
  'pdf',
  'doc',
  'xls',
  'ppt',
  'stream',
]);
/** The field of each kind of resource in the content of a message. */
const RESOURCE_KEY = { image: 'image_key', file: 'file_key' } as const;
/** The resources of these message types can't be downloaded. */
const NO_DOWNLOAD_TYPES: ReadonlySet<string> = new Set([
  'interactive',
  'merge_forward',
  'sticker',
  'folder',
]);
const CONTENT_TYPES: Readonly<Record<string, string>> = {
  opus: 'audio/opus',
  mp4: 'video/mp4',
  pdf: 'application/pdf',
  doc: 'application/msword',
  xls: 'application/vnd.ms-excel',
  ppt: 'application/vnd.ms-powerpoint',
};

export interface NewUpload {
  readonly kind: 'image' | 'file';
  readonly owner: Sender;
  readonly bytes: Buffer;
  readonly fileName?: string;
  /** `opus`, `mp4`, `pdf`, …; by default `stream`. */
  readonly fileType?: string;
  readonly contentType?: string;
}

/** Keeps bytes that an app uploads or a person attaches. The key goes into the content of a message. */
export function addUpload(world: World, upload: NewUpload): SimUpload {
  const isImage = upload.kind === 'image';
  const fileType = isImage ? '' : (upload.fileType ?? 'stream');
  const guessed = isImage ? imageInfo(upload.bytes)?.contentType : CONTENT_TYPES[fileType];
  const kept: SimUpload = {
    key: isImage ? world.ids.image() : world.ids.file(),
    kind: upload.kind,
    owner: upload.owner,
    fileName: upload.fileName ?? '',
    fileType,
    contentType: upload.contentType ?? guessed ?? 'application/octet-stream',
    bytes: upload.bytes,
  };
  world.uploads.set(kept.key, kept);
  return kept;
}

/** Uploads, downloads of own uploads, and downloads of resources of messages. */
export function fileRoutes(cloud: Cloud): readonly Route[] {
  const upload = ['im:resource', 'im:resource:upload'];
  const read = ['im:message', 'im:message:readonly', 'im:message.history:readonly'];
  return [
    {
      method: 'POST',
      path: '/open-apis/im/v1/images',
      auth: 'tenant',
      scopes: upload,
      handle: (call) => uploadImage(cloud, call),
    },
    {
      method: 'POST',
      path: '/open-apis/im/v1/files',
      auth: 'tenant',
      scopes: upload,
      handle: (call) => uploadFile(cloud, call),
    },
    {
      method: 'GET',
      path: '/open-apis/im/v1/images/:key',
      auth: 'tenant',
      handle: (call) => ownUpload(cloud, call, 'image'),
    },
    {
      method: 'GET',
      path: '/open-apis/im/v1/files/:key',
      auth: 'tenant',
      handle: (call) => ownUpload(cloud, call, 'file'),
    },
    {
      method: 'GET',
      path: '/open-apis/im/v1/messages/:message_id/resources/:file_key',
      auth: 'tenant',
      scopes: read,
      handle: (call) => resource(cloud, call),
    },
  ];
}

function uploadImage(cloud: Cloud, call: Call): Answer {
  const type = textField(call.body, 'image_type');
  if (type !== 'message' && type !== 'avatar') return badParameter('image_type');
  const app = callerOf(call);
  if (!app.botEnabled) return botIsOff();
  const bytes = bytesOf(call, 'image');
  if (bytes === undefined) return badParameter('image');
  if (bytes.length === 0) return refuse(234010, "File's size can't be 0.");
  if (bytes.length > IMAGE_BYTES_MAX) return tooBig();
  const info = imageInfo(bytes);
  if (info === undefined) return refuse(234011, "Can't regonnize the image format.");
  const sideMax = type === 'avatar' ? 4_096 : info.contentType === 'image/gif' ? 2_000 : 12_000;
  if ((info.width ?? 0) > sideMax || (info.height ?? 0) > sideMax) {
    return refuse(234039, 'Image resolution exceeds limit.');
  }
  const owner = { kind: 'app', appId: app.appId } as const;
  return ok({ image_key: addUpload(cloud.world, { kind: 'image', owner, bytes }).key });
}

function uploadFile(cloud: Cloud, call: Call): Answer {
  const fileType = textField(call.body, 'file_type') ?? '';
  const fileName = textField(call.body, 'file_name') ?? '';
  if (!FILE_TYPES.has(fileType)) return badParameter('file_type');
  if (fileName === '') return badParameter('file_name');
  const app = callerOf(call);
  if (!app.botEnabled) return botIsOff();
  const bytes = bytesOf(call, 'file');
  if (bytes === undefined) return badParameter('file');
  if (bytes.length === 0) return refuse(234010, "File's size can't be 0.");
  if (bytes.length > FILE_BYTES_MAX) return tooBig();
  const owner = { kind: 'app', appId: app.appId } as const;
  const upload = addUpload(cloud.world, { kind: 'file', owner, bytes, fileName, fileType });
  return ok({ file_key: upload.key });
}

function ownUpload(cloud: Cloud, call: Call, kind: 'image' | 'file'): Answer {
  const upload = cloud.world.uploads.get(call.params['key'] ?? '');
  if (upload === undefined || upload.kind !== kind) return refuse(234005, 'Image has been deleted');
  if (upload.owner.kind !== 'app' || upload.owner.appId !== callerOf(call).appId) {
    return refuse(234008, 'The app is not the resource sender');
  }
  return download(upload);
}

function resource(cloud: Cloud, call: Call): Answer {
  const { world } = cloud;
  const app = callerOf(call);
  const type = call.query.get('type');
  const message = world.messages.get(call.params['message_id'] ?? '');
  if (type !== 'image' && type !== 'file') return badParameter('type');
  if (message === undefined) return badParameter('message_id');
  if (message.recalled) {
    return refuse(230110, 'Action unavailable as the message has been deleted.');
  }
  if (world.chats.get(message.chatId)?.bots.has(app.appId) !== true) {
    return refuse(234004, 'App not in chat.');
  }
  if (NO_DOWNLOAD_TYPES.has(message.msgType) || message.upperMessageId !== undefined) {
    return refuse(234043, 'Unsupported message type.');
  }
  const key = call.params['file_key'] ?? '';
  const upload = world.uploads.get(key);
  if (upload === undefined || !hasResource(message, RESOURCE_KEY[type], key)) {
    return refuse(234003, 'File not in message.');
  }
  return withFault(cloud, call, download(upload));
}

function download(upload: SimUpload): Answer {
  if (upload.bytes.length > DOWNLOAD_BYTES_MAX) {
    return refuse(234037, 'Downloaded file size exceeds limit.');
  }
  const name = upload.fileName;
  return {
    status: 200,
    headers: {
      'Content-Type': upload.contentType,
      ...(name !== '' && { 'Content-Disposition': disposition(name) }),
    },
    body: upload.bytes,
  };
}

/** The name in two forms, as bytes of UTF-8 and percent-encoded: some clients read the one, some the other. */
function disposition(name: string): string {
  // A control character in a header would end it.
  const quoted = name.replaceAll(/["\\]/g, String.raw`\$&`).replaceAll(/\p{Cc}/gu, ' ');
  // Node writes headers in Latin-1: one byte a character.
  const bytes = Buffer.from(quoted).toString('latin1');
  return `attachment; filename="${bytes}"; filename*=UTF-8''${encodeURIComponent(name)}`;
}

/** True if the content has `key` as an `image_key` or `file_key`, at any depth. */
function hasResource(message: SimMessage, field: string, key: string): boolean {
  const search = (value: unknown): boolean => {
    if (typeof value !== 'object' || value === null) return false;
    return Object.entries(value).some(
      ([name, child]) => (name === field && child === key) || search(child),
    );
  };
  return search(JSON.parse(message.content));
}

function bytesOf(call: Call, field: string): Buffer | undefined {
  return call.parts.find((part) => part.field === field)?.bytes;
}

function badParameter(field: string): Answer {
  return refuse(234001, `Invalid request param. ${field}`);
}

function tooBig(): Answer {
  return refuse(234006, 'The file size exceed the max value.');
}

function botIsOff(): Answer {
  return refuse(234007, 'App does not enable bot feature.');
}
