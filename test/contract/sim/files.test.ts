import { text as textOf } from 'node:stream/consumers';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Client } from '@larksuiteoapi/node-sdk';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { codeOf, createClient } from './sdk-client.ts';

const MIB = 1024 * 1024;

let lark: LarkCloud;
let app: SimApp;
let user: SimUser;
let chat: SimChat;
let client: Client;

beforeEach(async () => {
  lark = await startLarkCloud();
  app = lark.addApp();
  user = lark.addUser({ name: 'Ada' });
  chat = lark.directChat(user, app);
  client = createClient(lark, app);
});

afterEach(() => lark.stop());

/** The head of a PNG of this size in pixels, padded to `bytes`. */
function png(width = 8, height = 8, bytes = 64): Buffer {
  const image = Buffer.alloc(bytes);
  image.write('\x89PNG\r\n\x1a\n\0\0\0\rIHDR', 'latin1');
  image.writeUInt32BE(width, 16);
  image.writeUInt32BE(height, 20);
  return image;
}

function uploadImage(image: Buffer, image_type: 'message' | 'avatar' = 'message', as = client) {
  return as.im.v1.image.create({ data: { image_type, image } });
}

function uploadFile(
  file: Buffer,
  more: { file_type?: 'opus' | 'mp4' | 'pdf' | 'stream'; file_name?: string } = {},
) {
  return client.im.v1.file.create({
    data: { file_type: 'stream', file_name: 'a.txt', ...more, file },
  });
}

/** The SDK leaves the body of a refused download unread. */
async function refusedDownload(call: Promise<unknown>): Promise<number> {
  const error = await call.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  const { data } = (error as { response: { data: NodeJS.ReadableStream } }).response;
  return (JSON.parse(await textOf(data)) as { code: number }).code;
}

interface Download {
  readonly headers: { get?: unknown } & Record<string, unknown>;
  getReadableStream(): NodeJS.ReadableStream;
}

async function bytesOf(download: Download): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of download.getReadableStream()) chunks.push(Buffer.from(chunk));
  return Buffer.concat(chunks);
}

function resource(message_id: string, file_key: string, type: string, as = client) {
  return as.im.v1.messageResource.get({ path: { message_id, file_key }, params: { type } });
}

describe('uploads', () => {
  test('images are returned byte for byte, to their app only', async () => {
    const image = png();
    const uploaded = await uploadImage(image);
    const image_key = uploaded?.image_key ?? '';
    expect(image_key).toMatch(/^img_v3_/);
    const back = await client.im.v1.image.get({ path: { image_key } });
    expect(await bytesOf(back as Download)).toEqual(image);
    expect((back as Download).headers['content-type']).toBe('image/png');
    const stranger = createClient(lark, lark.addApp());
    expect(await refusedDownload(stranger.im.v1.image.get({ path: { image_key } }))).toBe(234008);
    expect(await refusedDownload(client.im.v1.image.get({ path: { image_key: 'img_v3_x' } }))).toBe(
      234005,
    );
    expect(await refusedDownload(client.im.v1.file.get({ path: { file_key: image_key } }))).toBe(
      234005,
    );
  });

  test('files keep their name and type, and can be sent', async () => {
    const uploaded = await uploadFile(Buffer.from('hello'), {
      file_type: 'pdf',
      file_name: 'résumé.pdf',
    });
    const file_key = uploaded?.file_key ?? '';
    expect(file_key).toMatch(/^file_v3_/);
    const back = (await client.im.v1.file.get({ path: { file_key } })) as Download;
    expect((await bytesOf(back)).toString()).toBe('hello');
    expect(back.headers).toMatchObject({
      'content-type': 'application/pdf',
      'content-disposition': expect.stringContaining("filename*=UTF-8''r%C3%A9sum%C3%A9.pdf"),
    });
    const content = JSON.stringify({ file_key });
    const params = { receive_id_type: 'chat_id' } as const;
    const data = { receive_id: chat.chatId, content };
    await client.im.v1.message.create({ params, data: { ...data, msg_type: 'file' } });
    expect(lark.shows(chat).at(-1)?.type).toBe('file');
    const asAudio = client.im.v1.message.create({ params, data: { ...data, msg_type: 'audio' } });
    expect(await codeOf(asAudio)).toBe(230055);
  });

  test('empty and too large files are refused', async () => {
    expect(await codeOf(uploadImage(Buffer.alloc(0)))).toBe(234010);
    expect(await codeOf(uploadFile(Buffer.alloc(0)))).toBe(234010);
    expect(await codeOf(uploadImage(png(8, 8, 10 * MIB + 1)))).toBe(234006);
    expect(await codeOf(uploadFile(Buffer.alloc(30 * MIB + 1)))).toBe(234006);
    expect((await uploadFile(Buffer.alloc(30 * MIB)))?.file_key).toBeDefined();
  });

  test('images in an unknown format, or with too many pixels, are refused', async () => {
    expect(await codeOf(uploadImage(Buffer.from('just text')))).toBe(234011);
    expect(await codeOf(uploadImage(png(12_001, 8)))).toBe(234039);
    expect(await codeOf(uploadImage(png(4_097, 8), 'avatar'))).toBe(234039);
    const gif = Buffer.from('GIF89a\xd1\x07\x08\x00', 'latin1');
    expect(await codeOf(uploadImage(gif))).toBe(234039);
    const jpeg = Buffer.from(
      '\xff\xd8\xff\xe0\0\x04\0\0\xff\xc0\0\x11\x08\x2e\xe1\0\x08\x03',
      'latin1',
    );
    expect(await codeOf(uploadImage(jpeg))).toBe(234039);
    expect((await uploadImage(png(12_000, 12_000)))?.image_key).toBeDefined();
  });

  test.each([
    'RIFF\0\0\0\0WEBP',
    'BM\0\0',
    '\0\0\x01\0',
    'II*\0',
    'MM\0*',
    '\0\0\0\x18ftypheic',
    '\xff\xd8\xff\xd9',
  ])('the image format that begins with %j is accepted', async (head) => {
    expect((await uploadImage(Buffer.from(head, 'latin1')))?.image_key).toBeDefined();
  });

  test('uploads need their fields and a bot', async () => {
    expect(await codeOf(uploadImage(png(), 'sticker' as 'message'))).toBe(234001);
    expect(await codeOf(uploadFile(Buffer.from('x'), { file_type: 'zip' as 'pdf' }))).toBe(234001);
    expect(await codeOf(uploadFile(Buffer.from('x'), { file_name: '' }))).toBe(234001);
    app.botEnabled = false;
    expect(await codeOf(uploadImage(png()))).toBe(234007);
    expect(await codeOf(uploadFile(Buffer.from('x')))).toBe(234007);
  });
});

describe('resources of messages', () => {
  const owner = () => ({ kind: 'user', openId: user.openId }) as const;

  test('a bot in the chat can download what a person attached', async () => {
    const image = lark.addUpload({ kind: 'image', owner: owner(), bytes: png() });
    const file = lark.addUpload({
      kind: 'file',
      owner: owner(),
      bytes: Buffer.from('notes'),
      fileName: 'n.txt',
    });
    const picture = lark.say({
      chat,
      from: user,
      messageType: 'image',
      content: { image_key: image.key },
    });
    const document = lark.say({
      chat,
      from: user,
      messageType: 'file',
      content: { file_key: file.key, file_name: 'n.txt' },
    });
    const gotImage = (await resource(picture.messageId, image.key, 'image')) as Download;
    expect(await bytesOf(gotImage)).toEqual(image.bytes);
    expect(gotImage.headers['content-type']).toBe('image/png');
    const gotFile = (await resource(document.messageId, file.key, 'file')) as Download;
    expect((await bytesOf(gotFile)).toString()).toBe('notes');
    // These two interfaces serve only what the app itself uploaded.
    expect(await refusedDownload(client.im.v1.file.get({ path: { file_key: file.key } }))).toBe(
      234008,
    );
  });

  test('pictures inside a rich text are found', async () => {
    const image = lark.addUpload({ kind: 'image', owner: owner(), bytes: png() });
    const content = {
      title: '',
      content: [[{ tag: 'text', text: 'see' }], [{ tag: 'img', image_key: image.key }]],
    };
    const post = lark.say({ chat, from: user, messageType: 'post', content });
    const got = (await resource(post.messageId, image.key, 'image')) as Download;
    expect(await bytesOf(got)).toEqual(image.bytes);
  });

  test('key, kind and message must belong together', async () => {
    const file = lark.addUpload({ kind: 'file', owner: owner(), bytes: Buffer.from('x') });
    const other = lark.addUpload({ kind: 'file', owner: owner(), bytes: Buffer.from('y') });
    const { messageId } = lark.say({
      chat,
      from: user,
      messageType: 'file',
      content: { file_key: file.key },
    });
    expect(await refusedDownload(resource(messageId, other.key, 'file'))).toBe(234003);
    expect(await refusedDownload(resource(messageId, file.key, 'image'))).toBe(234003);
    expect(await refusedDownload(resource(messageId, file.key, 'video'))).toBe(234001);
    expect(await refusedDownload(resource('om_unknown', file.key, 'file'))).toBe(234001);
    const stranger = createClient(lark, lark.addApp());
    expect(await refusedDownload(resource(messageId, file.key, 'file', stranger))).toBe(234004);
    lark.recall(messageId);
    expect(await refusedDownload(resource(messageId, file.key, 'file'))).toBe(230110);
  });

  test("resources of stickers, cards, bundles and their parts can't be downloaded", async () => {
    const file = lark.addUpload({ kind: 'file', owner: owner(), bytes: Buffer.from('x') });
    const content = { file_key: file.key };
    const sticker = lark.say({ chat, from: user, messageType: 'sticker', content });
    expect(await refusedDownload(resource(sticker.messageId, file.key, 'file'))).toBe(234043);
    const bundle = lark.say({
      chat,
      from: user,
      messageType: 'merge_forward',
      content: { content: '' },
    });
    const part = lark.say({ chat, from: user, messageType: 'file', content, partOf: bundle });
    expect(await refusedDownload(resource(bundle.messageId, file.key, 'file'))).toBe(234043);
    expect(await refusedDownload(resource(part.messageId, file.key, 'file'))).toBe(234043);
  });

  test("more than 100 MB can't be downloaded", async () => {
    const bytes = Buffer.alloc(100 * MIB + 1);
    const file = lark.addUpload({ kind: 'file', owner: owner(), bytes });
    const { messageId } = lark.say({
      chat,
      from: user,
      messageType: 'file',
      content: { file_key: file.key },
    });
    expect(await refusedDownload(resource(messageId, file.key, 'file'))).toBe(234037);
  });
});

test('a post shows only images that its app uploaded', async () => {
  const send = (image_key: string) => {
    const content = JSON.stringify({
      zh_cn: { title: '', content: [[{ tag: 'img', image_key }]] },
    });
    return client.im.v1.message.create({
      params: { receive_id_type: 'chat_id' },
      data: { receive_id: chat.chatId, msg_type: 'post', content },
    });
  };
  const own = await uploadImage(png());
  const others = await uploadImage(png(), 'message', createClient(lark, lark.addApp()));
  expect((await send(own?.image_key ?? '')).code).toBe(0);
  expect(await codeOf(send(others?.image_key ?? ''))).toBe(230001);
  expect(await codeOf(send('img_v3_unknown'))).toBe(230001);
});
