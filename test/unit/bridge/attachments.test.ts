/** Files of a message are on the disk before its turn is sent, with the real journal and a real folder. */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import type { Outgoing } from '../../../src/bridge/ports/delivery.ts';
import type { ResourceResult } from '../../../src/bridge/ports/attachments.ts';
import type { TurnAnswer, TurnRequest } from '../../../src/bridge/ports/target.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import { messageId, turnId } from '../../../src/core/ids.ts';
import type { Part, Resource } from '../../../src/core/message.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import { AttachmentFiles } from '../../../src/store/attachments/attachment-files.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';
import { message } from './samples.ts';
import { createBridge, HUB, passTime } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';

const MB = 1024 * 1024;
const ID = turnId(message.messageId);
const PICTURE: Resource = { kind: 'image', key: 'img_1' };
const REPORT: Resource = { kind: 'file', key: 'file_1', name: 'report.pdf' };

let folder: string;
let db: Db;
let clock: VirtualClock;
let bridge: Bridge;
let journal: SqliteJournal;
let isWriting: () => boolean;
let asked: TurnRequest[];
let reads: string[];
let shown: Outgoing[];
let answer: TurnAnswer;
/** What Lark gives, by key. */
let given: Record<string, () => ResourceResult | Promise<ResourceResult>>;
let saving: number;

beforeEach(async () => {
  folder = temporaryFolder();
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  const isStoring = writesUnderWay(db);
  saving = 0;
  isWriting = () => isStoring() || saving > 0;
  clock = new VirtualClock(message.sentAtMs);
  journal = new SqliteJournal({ db, app: message.appId, clock });
  asked = [];
  reads = [];
  shown = [];
  answer = { kind: 'answered', text: 'ok' };
  given = { img_1: () => bytes('GIF89a'), file_1: () => bytes('%PDF-') };
  await open();
});

afterEach(async () => {
  await bridge.stop();
  db.close();
});

/** Counts disk work, which the virtual clock has to wait for. */
function counted(files: AttachmentFiles): AttachmentFiles {
  return new Proxy(files, {
    get(target, name: keyof AttachmentFiles) {
      const method = target[name] as (...args: unknown[]) => Promise<unknown>;
      return (...args: unknown[]) => {
        saving += 1;
        return method.apply(target, args).finally(() => {
          saving -= 1;
        });
      };
    },
  });
}

async function open(bytesMax = 10 * MB): Promise<void> {
  const files = new AttachmentFiles({
    folder: join(folder, 'attachments'),
    bytesMax,
    keepMs: Infinity,
    inUse: () => journal.openMessages(),
    clock,
    log: silentLog,
  });
  bridge = createBridge({
    db,
    clock,
    attachments: counted(files),
    lark: {
      form: contentForm,
      deliver: (out) => {
        shown.push(out);
        return Promise.resolve({ ok: true, id: `om_out_${shown.length}` });
      },
      history: () => Promise.resolve([]),
      resource: (of, { key }) => {
        reads.push(`${of}/${key}`);
        return Promise.resolve(given[key]?.() ?? refusal(234003));
      },
    },
    target: {
      ...HUB,
      send: (request) => {
        asked.push(request);
        return Promise.resolve(answer);
      },
      wait: () => Promise.resolve({ kind: 'pending' }),
    },
  });
  await bridge.start();
}

function bytes(...chunks: (string | Buffer | Error)[]): ResourceResult {
  async function* body() {
    for (const chunk of chunks) {
      if (chunk instanceof Error) throw chunk;
      yield Buffer.from(chunk);
    }
  }
  return { ok: true, body: body(), bytes: undefined, end: () => {} };
}
const refusal = (code: number): ResourceResult => ({
  ok: false,
  why: 'refused',
  code,
  isPassing: false,
});
const passing: ResourceResult = { ok: false, why: 'unreachable', code: undefined, isPassing: true };
const never = () => new Promise<ResourceResult>(() => {});

const words: Part = { kind: 'text', text: 'what is this?' };
const part = (resource: Resource): Part => ({ kind: 'resource', resource });
const say = (...parts: Part[]) =>
  bridge.intake.admit({ kind: 'message', message: { ...message, parts } });
const sayNext = (text: string) =>
  bridge.intake.admit({
    kind: 'message',
    message: { ...message, messageId: messageId('om_2'), parts: [{ kind: 'text', text }] },
  });
const pass = (durationMs: number) => passTime(clock, { isWriting, durationMs });
const notices = () =>
  shown.flatMap((out) =>
    'content' in out && out.content.kind === 'notice' ? out.content.text : [],
  );

test('the agent gets the files with what they are, in the order of the message', async () => {
  await say(words, part(PICTURE), part(REPORT));
  await pass(0);
  const place = join(folder, 'attachments', 'om_1');
  expect(asked.map(({ text }) => text)).toEqual(['what is this?\n[image]\n[file report.pdf]']);
  const picture = { kind: 'image', name: 'image.gif', mimeType: 'image/gif', bytes: 6 };
  const report = { kind: 'file', name: 'report.pdf', mimeType: 'application/pdf', bytes: 5 };
  expect(asked[0]?.details?.attachments).toEqual([
    { ...picture, path: join(place, 'img_1', 'image.gif') },
    { ...report, path: join(place, 'file_1', 'report.pdf') },
  ]);
  expect(readFileSync(join(place, 'file_1', 'report.pdf'), 'utf8')).toBe('%PDF-');
  expect(notices()).toEqual([]);
});

test('the message is admitted before anything is read, so the ack waits for nothing', async () => {
  given['img_1'] = never;
  await say(words, part(PICTURE));
  expect((await journal.turn(ID))?.state.phase).toBe('waiting');
  await pass(10_000);
  expect(asked).toEqual([]);
});

test('what passes is tried again, and a file that breaks off begins anew', async () => {
  const results = [passing, bytes('GIF8', new BridgeError('unreachable', 'cut')), bytes('GIF89a')];
  given['img_1'] = () => results.shift() ?? passing;
  await say(words, part(PICTURE));
  await pass(10_000);
  expect(asked[0]?.details?.attachments).toMatchObject([{ bytes: 6 }]);
});

test.each<[string, () => ResourceResult | Promise<ResourceResult>, string]>([
  ['refused', () => refusal(234043), 'Lark refused it with code 234043'],
  ['gone', () => ({ ok: false, why: 'gone', code: 230110, isPassing: false }), 'it was deleted'],
  ['out of reach', () => passing, 'Lark could not be reached'],
  ['never answered', never, 'Lark could not be reached'],
  ['empty', () => bytes(), 'it is empty'],
  [
    'too large by what Lark says',
    () => ({ ...bytes('x'), bytes: 101 * MB }) as ResourceResult,
    'larger than 100 MB',
  ],
  ['too much for the room', () => bytes(Buffer.alloc(11 * MB)), 'there is no room for it here'],
])('a file that is %s is told to the agent and in the chat, once', async (_, result, why) => {
  given['file_1'] = result;
  await say(words, part(REPORT), part(PICTURE));
  await pass(6 * 60_000);
  expect(asked.map(({ text }) => text)).toEqual([
    `what is this?\n[file report.pdf] [not here: ${why}]\n[image]`,
  ]);
  expect(asked[0]?.details?.attachments?.length).toBe(1);
  expect(notices()).toHaveLength(1);
  expect(notices()[0]).toContain(`report.pdf (${why})`);
});

test('ten files of a message are read, and the rest are told', async () => {
  const resources = Array.from({ length: 12 }, (_, at) => ({ ...PICTURE, key: `img_${at}` }));
  for (const { key } of resources) given[key] = () => bytes('GIF89a');
  await say(words, ...resources.map(part));
  await pass(0);
  expect(asked[0]?.details?.attachments).toHaveLength(10);
  expect(asked[0]?.text.match(/only 10 files of one message are read/g)).toHaveLength(2);
  expect(notices()).toHaveLength(1);
});

test('a new run reads again what was missing, and nothing that is there', async () => {
  given['file_1'] = () => refusal(234003);
  answer = { kind: 'failed', detail: 'no idea' };
  await say(words, part(PICTURE), part(REPORT));
  await pass(0);
  given['file_1'] = () => bytes('%PDF-');
  await sayNext('/retry');
  await pass(0);
  expect(reads).toEqual(['om_1/img_1', 'om_1/file_1', 'om_1/file_1']);
  expect(asked.map(({ details }) => details?.attachments?.length)).toEqual([1, 2]);
});

test('a stop in the middle leaves the turn waiting, and the next start reads only what is missing', async () => {
  given['file_1'] = never;
  await say(words, part(PICTURE), part(REPORT));
  await pass(1_000);
  await bridge.stop();
  expect((await journal.turn(ID))?.state.phase).toBe('waiting');
  given['file_1'] = () => bytes('%PDF-');
  await open();
  await pass(0);
  expect(reads).toEqual(['om_1/img_1', 'om_1/file_1', 'om_1/file_1']);
  expect(asked[0]?.details?.attachments).toHaveLength(2);
});

test('other chats are answered while a file is read', async () => {
  given['img_1'] = never;
  await say(words, part(PICTURE));
  await pass(0);
  const elsewhere = { ...message, messageId: messageId('om_9'), chatId: 'oc_9' } as typeof message;
  await bridge.intake.admit({ kind: 'message', message: elsewhere });
  await pass(0);
  expect(asked.map(({ context }) => context.messageId)).toEqual(['om_9']);
});

test('the time of a turn begins after its files', async () => {
  const results = [passing, passing, passing, bytes('GIF89a')];
  given['img_1'] = () => results.shift() ?? passing;
  await say(words, part(PICTURE));
  await pass(20_000);
  expect(asked).toHaveLength(1);
  expect((await journal.turn(ID))?.state.phase).toBe('answered');
});

test('a recall during a read ends the turn, and no file of it stays', async () => {
  given['file_1'] = never;
  await say(words, part(PICTURE), part(REPORT));
  await pass(1_000);
  expect(readdirSync(join(folder, 'attachments'))).toEqual(['om_1']);
  const { appId, chatId, messageId: id } = message;
  await bridge.intake.admit({ kind: 'recalled', appId, chatId, messageId: id, eventId: 'e2' });
  await pass(6 * 60_000);
  expect(asked).toEqual([]);
  expect(existsSync(join(folder, 'attachments', 'om_1'))).toBe(false);
});
