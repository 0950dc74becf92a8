/** Files of messages, read from the simulated cloud. */
import { expect, test } from 'vitest';
import { messageId } from '../../../src/core/ids.ts';
import type { Resource } from '../../../src/core/message.ts';
import type { JsonObject } from '../../../src/sim/world/json.ts';
import { startRig, withGateway } from './rig.ts';

const MB = 1024 * 1024;

/** A person has sent a file with these bytes. */
async function withFile(bytes: Buffer, { callTimeoutMs }: { callTimeoutMs?: number } = {}) {
  const rig = await startRig(callTimeoutMs === undefined ? {} : { callTimeoutMs });
  const { lark, ann, app } = rig;
  const owner = { kind: 'user', openId: ann.openId } as const;
  const { key } = lark.addUpload({ kind: 'file', owner, bytes, fileName: 'a.bin' });
  const content: JsonObject = { file_key: key, file_name: 'a.bin' };
  const chat = lark.directChat(ann, app);
  const said = lark.say({ chat, from: ann, messageType: 'file', content });
  const resource: Resource = { kind: 'file', key, name: 'a.bin' };
  const { gateway } = withGateway(rig);
  const read = (of = said.messageId, key_ = key) =>
    gateway.resource?.(messageId(of), { ...resource, key: key_ });
  return { ...rig, chat, said, key, read };
}

async function whole(body: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks);
}

test('a file comes as a stream, with its length said before', async () => {
  const bytes = Buffer.alloc(3 * MB, 'abc');
  const { read } = await withFile(bytes);
  const given = await read();
  if (given?.ok !== true) throw new Error(JSON.stringify(given));
  expect(given.bytes).toBe(bytes.length);
  expect((await whole(given.body)).equals(bytes)).toBe(true);
});

test('an empty file is an empty stream', async () => {
  const { read } = await withFile(Buffer.alloc(0));
  const given = await read();
  expect(given?.ok === true && (await whole(given.body)).length).toBe(0);
});

test('200 MB are refused by Lark, and nothing of them is read', async () => {
  const { read } = await withFile(Buffer.alloc(200 * MB));
  expect(await read()).toEqual({ ok: false, why: 'too_large', code: 234037, isPassing: false });
});

test.each([
  [234003, 'refused', false],
  [234004, 'refused', false],
  [234038, 'refused', false],
  [234043, 'refused', false],
  [99991672, 'refused', false],
  [230110, 'gone', false],
  [234005, 'gone', false],
  [2200, 'unreachable', true],
])('code %i: %s', async (code, why, isPassing) => {
  const { lark, said, read } = await withFile(Buffer.from('x'));
  const path = `/messages/${said.messageId}/resources/`;
  lark.faults.inject({ kind: 'business_error', code, path, times: 9 });
  expect(await read()).toEqual({ ok: false, why, code, isPassing });
});

test('what Lark says of itself: a recalled message, and a key that is not in it', async () => {
  const { lark, said, read } = await withFile(Buffer.from('x'));
  expect(await read(said.messageId, 'file_v3_other')).toMatchObject({ code: 234003 });
  lark.recall(said);
  expect(await read()).toMatchObject({ why: 'gone' });
});

test.each(['download_cut', 'download_hang'] as const)(
  '%s: reading it throws what may pass, and the next try gives all of it',
  async (kind) => {
    const bytes = Buffer.alloc(MB, 'abc');
    const { lark, read } = await withFile(bytes, { callTimeoutMs: 500 });
    lark.faults.inject({ kind });
    const broken = await read();
    if (broken?.ok !== true) throw new Error(JSON.stringify(broken));
    await expect(whole(broken.body)).rejects.toMatchObject({ code: 'unreachable' });
    const given = await read();
    expect(given?.ok === true && (await whole(given.body)).length).toBe(MB);
  },
);

test('a transfer without end can be ended', async () => {
  const { lark, read } = await withFile(Buffer.alloc(MB));
  lark.faults.inject({ kind: 'download_endless' });
  const given = await read();
  if (given?.ok !== true) throw new Error(JSON.stringify(given));
  expect(given.bytes).toBeUndefined();
  let bytes = 0;
  for await (const chunk of given.body) {
    bytes += chunk.byteLength;
    if (bytes > 5 * MB) break;
  }
  given.end();
  expect(bytes).toBeLessThan(7 * MB);
});
