/** The files of messages on a real disk. */
import {
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import type { AttachmentAsked } from '../../../src/bridge/ports/attachments.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import { messageId } from '../../../src/core/ids.ts';
import { AttachmentFiles } from '../../../src/store/attachments/attachment-files.ts';
import { attachmentName, safeName } from '../../../src/store/attachments/file-name.ts';
import { fileTypeOf } from '../../../src/store/attachments/file-type.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';

const MB = 1024 * 1024;
const DAY_MS = 24 * 60 * 60 * 1000;

let folder: string;
let inUse: Set<string>;
let files: AttachmentFiles;

beforeEach(() => {
  folder = join(temporaryFolder(), 'attachments');
  inUse = new Set();
  files = open();
});

function open(bytesMax = 10 * MB): AttachmentFiles {
  return new AttachmentFiles({
    folder,
    bytesMax,
    keepMs: 7 * DAY_MS,
    inUse: () => Promise.resolve(inUse),
    clock: systemClock,
    log: silentLog,
  });
}

const asked = (of = 'om_1', name = 'report.pdf'): AttachmentAsked => ({
  of: messageId(of),
  resource: { kind: 'file', key: `file_${of}`, name },
  sentAtMs: 1_774_004_550_000,
});
async function* bodyOf(...chunks: (string | Buffer)[]) {
  for (const chunk of chunks) yield Buffer.from(chunk);
}
const save = (one: AttachmentAsked, ...chunks: (string | Buffer)[]) =>
  files.save(one, bodyOf(...chunks), MB);
const age = (path: string, days: number) => {
  const at = new Date(systemClock.nowMs() - days * DAY_MS);
  utimesSync(path, at, at);
};
async function pathOf(one: AttachmentAsked, ...chunks: (string | Buffer)[]): Promise<string> {
  const saved = await save(one, ...chunks);
  if (!saved.ok) throw new Error(saved.why);
  return saved.file.path;
}

test('a file is private, has its name, and its type comes from its bytes', async () => {
  const saved = await save(asked(), '%PDF-', '1.7 x');
  const path = join(folder, 'om_1', 'file_om_1', 'report.pdf');
  const file = { name: 'report.pdf', path, mimeType: 'application/pdf', bytes: 10 };
  expect(saved).toEqual({ ok: true, file });
  expect(await files.find(asked())).toEqual(file);
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(statSync(folder).mode & 0o777).toBe(0o700);
});

test('half a file is never taken for a whole one, whether its transfer or its process ended', async () => {
  async function* broken() {
    yield Buffer.from('half');
    throw new BridgeError('unreachable', 'it broke off');
  }
  await expect(files.save(asked(), broken(), MB)).rejects.toThrow('it broke off');
  expect(await files.find(asked())).toBeUndefined();
  // What a process leaves that is killed here.
  const place = join(folder, 'om_2', 'file_om_2');
  mkdirSync(place, { recursive: true });
  writeFileSync(join(place, '.0123456789abcdef'), 'half');
  expect(await files.find(asked('om_2'))).toBeUndefined();
  await save(asked('om_2'), 'whole');
  expect(readdirSync(place)).toEqual(['report.pdf']);
});

test('a file that is larger than its bound is not read to its end, and nothing of it stays', async () => {
  let given = 0;
  async function* endless() {
    for (;;) {
      given += 1;
      yield Buffer.alloc(MB / 4);
    }
  }
  expect(await files.save(asked(), endless(), MB)).toEqual({ ok: false, why: 'too_large' });
  expect(given).toBeLessThan(7);
  expect(readdirSync(join(folder, 'om_1', 'file_om_1'))).toEqual([]);
});

test('an empty file is none', async () => {
  expect(await save(asked())).toEqual({ ok: false, why: 'empty' });
  expect(await files.find(asked())).toBeUndefined();
});

describe('all together', () => {
  test('the oldest go first when the room ends, and never one that is in use', async () => {
    files = open(3 * MB);
    const old = await pathOf(asked('om_old'), Buffer.alloc(MB));
    const older = await pathOf(asked('om_older'), Buffer.alloc(MB));
    const oldest = await pathOf(asked('om_oldest'), Buffer.alloc(MB));
    age(old, 1);
    age(older, 2);
    age(oldest, 3);
    inUse.add('om_oldest');
    await pathOf(asked('om_new'), Buffer.alloc(MB));
    expect(readdirSync(folder).toSorted()).toEqual(['om_new', 'om_old', 'om_oldest']);
  });

  test('without room that may be freed, a file is refused', async () => {
    files = open(MB);
    await pathOf(asked('om_1'), Buffer.alloc(MB));
    inUse.add('om_1');
    expect(await save(asked('om_2'), Buffer.alloc(MB / 2))).toEqual({ ok: false, why: 'no_room' });
    inUse.clear();
    expect(await save(asked('om_2'), Buffer.alloc(MB / 2))).toMatchObject({ ok: true });
  });

  test('what an earlier process left counts', async () => {
    await pathOf(asked('om_1'), Buffer.alloc(MB));
    inUse.add('om_1');
    files = open(MB);
    expect(await save(asked('om_2'), 'more')).toEqual({ ok: false, why: 'no_room' });
  });

  test('what is older than its days is removed, if no open turn needs it', async () => {
    age(await pathOf(asked('om_old'), 'a'), 8);
    age(await pathOf(asked('om_used'), 'b'), 8);
    await pathOf(asked('om_new'), 'c');
    inUse.add('om_used');
    await files.prune();
    expect(readdirSync(folder).toSorted()).toEqual(['om_new', 'om_used']);
  });

  test('the files of one message can be removed', async () => {
    await pathOf(asked('om_1'), 'a');
    await pathOf(asked('om_2'), 'b');
    await files.remove(messageId('om_1'));
    expect(readdirSync(folder)).toEqual(['om_2']);
  });
});

test('a disk that refuses is told, and thrown to nobody', async () => {
  writeFileSync(join(folder, '..', 'file'), 'x');
  folder = join(folder, '..', 'file', 'attachments');
  files = open();
  expect(await save(asked(), 'a')).toMatchObject({ ok: false, why: 'not_stored' });
  expect(await files.find(asked())).toBeUndefined();
  await files.prune();
});

describe('a name', () => {
  test.each([
    ['../../etc/passwd', 'etc_passwd'],
    ['..', ''],
    ['/abs/olute', 'abs_olute'],
    [String.raw`C:\boot.ini`, 'C_boot.ini'],
    ['-rf', 'rf'],
    ['.bashrc', 'bashrc'],
    ['a\u202Egpj.exe', 'a_gpj.exe'],
    ['new\nline\u0007.txt', 'new_line_.txt'],
    ['$(reboot)`x`.sh', '(reboot)_x_.sh'],
    ['报告 2026.docx', '报告 2026.docx'],
    ['half \uD83D.txt', 'half _.txt'],
    ['ends. ', 'ends'],
  ])('%j becomes %j', (given, safe) => {
    expect(safeName(given)).toBe(safe);
  });

  test.each([['x'.repeat(1_000) + '.pdf'], ['图'.repeat(300) + '.pdf'], ['a.' + 'y'.repeat(500)]])(
    'has a bounded length and keeps its end if it is one',
    (given) => {
      const safe = safeName(given);
      expect(Buffer.byteLength(safe)).toBeLessThanOrEqual(150);
      expect(basename(safe)).toBe(safe);
      if (given.endsWith('.pdf')) expect(safe).toMatch(/\.pdf$/);
    },
  );

  test('a voice message has the time in it, and a picture the type of its bytes', () => {
    const at = { sentAtMs: Date.UTC(2026, 2, 20, 11, 2, 30), extension: undefined };
    expect(attachmentName({ kind: 'audio' }, at)).toBe('audio-20260320-110230.opus');
    expect(attachmentName({ kind: 'image' }, { ...at, extension: 'png' })).toBe('image.png');
    expect(attachmentName({ kind: 'image' }, at)).toBe('image');
    expect(attachmentName({ kind: 'video', name: '..' }, at)).toBe('video');
  });
});

describe('a type', () => {
  const hex = (text: string) => Buffer.from(text.replaceAll(' ', ''), 'hex');
  test.each<[string, Buffer, string]>([
    ['PNG', hex('89504e470d0a1a0a 0000'), 'image/png'],
    ['JPEG', hex('ffd8ffe0'), 'image/jpeg'],
    ['GIF', Buffer.from('GIF89a'), 'image/gif'],
    ['WebP', Buffer.from('RIFF....WEBPVP8 '), 'image/webp'],
    ['WAV', Buffer.from('RIFF....WAVEfmt '), 'audio/wav'],
    ['MP4', Buffer.from('....ftypisom'), 'video/mp4'],
    ['Opus', Buffer.from(`OggS${'.'.repeat(24)}OpusHead`), 'audio/opus'],
    ['PDF', Buffer.from('%PDF-1.7'), 'application/pdf'],
    ['ZIP', hex('504b0304 0000'), 'application/zip'],
    [
      'Word',
      Buffer.from('PK\u0003\u0004....[Content_Types].xml....PK\u0003\u0004....word/document.xml'),
      'application/vnd.openxmlformats-officedocument.wordprocessingml.document',
    ],
    ['SVG', Buffer.from('<?xml version="1.0"?>\n<svg xmlns="x"/>'), 'image/svg+xml'],
    ['text', Buffer.from('你好'), 'text/plain'],
    ['a character cut at the end', Buffer.from('你好').subarray(0, 5), 'text/plain'],
    ['anything else', hex('00010203'), 'application/octet-stream'],
  ])('%s is known by its bytes', (_what, head, mimeType) => {
    expect(fileTypeOf(head).mimeType).toBe(mimeType);
  });
});

test('a picture that says it is one and is not, is what its bytes are', async () => {
  const image = { ...asked(), resource: { kind: 'image', key: 'img_1' } } as const;
  const saved = await files.save(image, bodyOf('#!/bin/sh\nrm -rf /\n'), MB);
  expect(saved).toMatchObject({ ok: true, file: { name: 'image.txt', mimeType: 'text/plain' } });
  expect(saved.ok && readFileSync(saved.file.path, 'utf8')).toContain('#!/bin/sh');
});

test('what is no folder of a message stays, however old and large it is', async () => {
  const others = ['out', 'notes', '.cache'].map((name) => join(folder, name, 'x', 'file'));
  for (const path of others) {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, Buffer.alloc(8 * MB));
    age(path, 30);
  }
  files = open(5 * MB);
  const mine = await pathOf(asked('om_2'), 'x');
  await files.prune();
  expect(others.map((path) => existsSync(path))).toEqual([true, true, true]);
  expect(existsSync(mine)).toBe(true);
});
