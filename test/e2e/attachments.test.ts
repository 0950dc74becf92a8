/** A program as agent opens the files of a message: with the built program, real transfers and a real disk. */
import { createHash } from 'node:crypto';
import { readdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { JsonObject } from '../../src/sim/world/json.ts';
import type { SimChat, SimUser } from '../../src/sim/world/model.ts';
import { residentBytes } from '../kit/memory.ts';
import { Rig } from './rig.ts';

const MB = 1024 * 1024;
const PNG = Buffer.concat([Buffer.from('89504e470d0a1a0a', 'hex'), Buffer.alloc(100)]);
/** Says what it was asked, and of each file what it is told, and what it finds at the path. */
const READER = `
const { createHash } = require('node:crypto');
const { readFileSync, statSync } = require('node:fs');
console.log(readFileSync(0, 'utf8'));
for (const { kind, name, path, mime_type, bytes } of JSON.parse(process.env.LARK_ATTACHMENTS)) {
  const hash = createHash('sha256').update(readFileSync(path)).digest('hex').slice(0, 8);
  const rights = (statSync(path).mode & 0o777).toString(8);
  console.log([kind, name, mime_type, bytes, rights, hash].join(' '));
}`;

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
  const script = join(rig.home, 'reader.cjs');
  writeFileSync(script, READER);
  await rig.addAgent('reader', `exec '${process.execPath}' '${script}'`);
});

afterEach(async () => {
  expect(rig.bugs()).toEqual([]);
  await rig.close();
});

/** Without a wait for words. */
const env = { LARK_BRIDGE_BURST_WAIT_SECS: '0' };
const hashOf = (bytes: Buffer) => createHash('sha256').update(bytes).digest('hex').slice(0, 8);

interface Person {
  readonly user: SimUser;
  readonly chat: SimChat;
}

function keyOf({ user }: Person, kind: 'image' | 'file', bytes: Buffer): string {
  const owner = { kind: 'user', openId: user.openId } as const;
  return rig.cloud.addUpload({ kind, owner, bytes }).key;
}

function sendFile(person: Person, name: string, bytes: Buffer) {
  const content: JsonObject = { file_key: keyOf(person, 'file', bytes), file_name: name };
  const { user: from, chat } = person;
  return rig.cloud.say({ chat, from, messageType: 'file', content });
}

test('the program gets each file by its path, with the type of its bytes', async () => {
  await rig.runHere({ env });
  const mei = rig.direct('Mei');
  const content = {
    title: '',
    content: [
      [{ tag: 'text', text: 'what is this?' }],
      [{ tag: 'img', image_key: keyOf(mei, 'image', PNG) }],
    ],
  };
  rig.cloud.say({ chat: mei.chat, from: mei.user, messageType: 'post', content });
  const [picture] = await rig.repliesIn(mei.chat, 1);
  expect(picture?.text.split('\n').filter((line) => line !== '')).toEqual([
    'what is this?',
    '[image]',
    `image image.png image/png ${PNG.length} 600 ${hashOf(PNG)}`,
  ]);
  const report = Buffer.from('%PDF-1.7 x');
  sendFile(mei, '../../re\u202Eport.pdf', report);
  const [, second] = await rig.repliesIn(mei.chat, 2);
  expect(second?.text).toContain(`file re port.pdf application/pdf 10 600 ${hashOf(report)}`);
  const spoken = { file_key: keyOf(mei, 'file', Buffer.from('voice')), duration: 2_000 };
  rig.cloud.say({ chat: mei.chat, from: mei.user, messageType: 'audio', content: spoken });
  const [, , voice] = await rig.repliesIn(mei.chat, 3);
  expect(voice?.text).toMatch(/audio audio-20\d{6}-\d{6}\.opus text\/plain 5 600 /);
  expect(statSync(join(rig.stateDir, 'attachments')).mode & 0o777).toBe(0o700);
});

test('SIGKILL in the middle of a transfer: the next start reads the whole file and answers once, and others were answered meanwhile', async () => {
  const first = await rig.run({ env });
  const mei = rig.direct('Mei');
  const tom = rig.direct('Tom');
  const bytes = Buffer.alloc(4 * MB, 'abc');
  rig.cloud.faults.inject({ kind: 'download_hang' });
  const said = sendFile(mei, 'data.bin', bytes);
  const place = join(rig.stateDir, 'attachments', said.messageId);
  const halfBytes = () => {
    try {
      const [key = ''] = readdirSync(place);
      const [name = ''] = readdirSync(join(place, key));
      return statSync(join(place, key, name)).size;
    } catch {
      return 0; // Not there yet.
    }
  };
  await expect.poll(halfBytes).toBe(2 * MB);
  rig.cloud.say({ chat: tom.chat, from: tom.user, text: 'hello' });
  await rig.repliesIn(tom.chat, 1);
  await first.stop('SIGKILL');
  expect(rig.replies(mei.chat)).toEqual([]);

  await rig.run({ env });
  const [reply] = await rig.repliesIn(mei.chat, 1);
  expect(reply?.replyTo).toBe(said.messageId);
  expect(reply?.text).toContain(`file data.bin text/plain ${bytes.length} 600 ${hashOf(bytes)}`);
  const [key = ''] = readdirSync(place);
  expect(readdirSync(join(place, key))).toEqual(['data.bin']);
  expect(rig.replies(mei.chat)).toHaveLength(1);
});

test('pictures without words are answered with the words that follow, also by the process after a SIGKILL', async () => {
  const first = await rig.run();
  const mei = rig.direct('Mei');
  const picture = (bytes: Buffer) => {
    const content: JsonObject = { image_key: keyOf(mei, 'image', bytes) };
    return rig.cloud.say({ chat: mei.chat, from: mei.user, messageType: 'image', content });
  };
  const signsOn = ({ messageId }: { messageId: string }) =>
    rig.cloud.calls({ path: `/messages/${messageId}/reactions`, method: 'POST' }).length;
  const one = picture(PNG);
  const other = picture(Buffer.concat([PNG, PNG]));
  await rig.cloud.waitFor(() => signsOn(one) === 1 && signsOn(other) === 1);
  await first.stop('SIGKILL');
  await rig.run();
  const { user: from, chat } = mei;
  const said = rig.cloud.say({ chat, from, text: 'compare these' });
  const [reply] = await rig.repliesIn(chat, 1);
  expect(reply?.replyTo).toBe(said.messageId);
  expect(reply?.text.split('\n').filter((line) => line !== '')).toEqual([
    '[image]',
    '[image]',
    'compare these',
    expect.stringContaining(`image/png ${PNG.length} 600`),
    expect.stringContaining(`image/png ${2 * PNG.length} 600`),
  ]);
  expect(rig.replies(chat)).toHaveLength(1);
});

test('what is too large, without end or refused is told to both, and is never in memory', async () => {
  const bridge = await rig.run({ env });
  const mei = rig.direct('Mei');
  sendFile(mei, 'large.bin', Buffer.alloc(200 * MB));
  const [, large] = await rig.repliesIn(mei.chat, 2);
  expect(rig.replies(mei.chat)[0]?.text).toContain('large.bin (larger than 100 MB)');
  expect(large?.text).toBe('[file large.bin] [not here: larger than 100 MB]');

  const beforeBytes = residentBytes(bridge.child.pid);
  let mostBytes = 0;
  const watch = setInterval(() => {
    mostBytes = Math.max(mostBytes, residentBytes(bridge.child.pid));
  }, 20);
  rig.cloud.faults.inject({ kind: 'download_endless' });
  sendFile(mei, 'endless.bin', Buffer.alloc(MB));
  const [, , , endless] = await rig.repliesIn(mei.chat, 4);
  clearInterval(watch);
  expect(endless?.text).toBe('[file endless.bin] [not here: larger than 100 MB]');
  expect(mostBytes - beforeBytes).toBeLessThan(60 * MB);

  const path = '/resources/';
  rig.cloud.faults.inject({ kind: 'business_error', code: 234043, path });
  sendFile(mei, 'no.bin', Buffer.from('x'));
  const [, , , , , refused] = await rig.repliesIn(mei.chat, 6);
  expect(refused?.text).toBe('[file no.bin] [not here: Lark refused it with code 234043]');
});
