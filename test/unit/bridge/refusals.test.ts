/** What a Lark that refuses costs: every way out gets smaller, and the calls for one answer have a bound. */
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { Bridge } from '../../../src/bridge/bridge.ts';
import { chatId, messageId } from '../../../src/core/ids.ts';
import type { InboundMessage } from '../../../src/core/message.ts';
import { SqliteJournal } from '../../../src/store/sqlite/bridge/journal.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { message } from './samples.ts';
import { createBridge, HUB, passTime } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';
import type { DeliveryResult, LarkAction, Outgoing } from '../../../src/bridge/ports/delivery.ts';
import type { Upload } from '../../../src/bridge/ports/answer-files.ts';
import { contentForm } from '../../../src/lark/content/rendered.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';

/** Longer than any of it takes. */
const LONG_MS = 15 * 60_000;
/** For an answer of one message: in each form once, without its thread, at two more places, and what nobody knows a few times. */
const CALLS_MAX = 12;

type Call = Extract<Outgoing, { content: unknown }> & { readonly text: string };

let folder: string;
let db: Db;
let clock: VirtualClock;
let bridge: Bridge;
let isWriting: () => boolean;
let journal: SqliteJournal;
/** What was tried to be shown. */
let calls: Call[];
let shown: Call[];
let answer: (call: Call) => DeliveryResult | undefined;
let uploads: Pick<Upload, 'name' | 'text'>[];

const refused = (action: LarkAction, code = 1): DeliveryResult => ({
  ok: false,
  action,
  code,
  detail: 'no',
});

beforeEach(async () => {
  folder = temporaryFolder();
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  isWriting = writesUnderWay(db);
  clock = new VirtualClock(Date.UTC(2026, 0, 5));
  journal = new SqliteJournal({ db, app: message.appId, clock });
  calls = [];
  shown = [];
  uploads = [];
  answer = () => undefined;
  bridge = createBridge({
    db,
    clock,
    target: {
      ...HUB,
      send: ({ text }) => Promise.resolve({ kind: 'answered', text }),
      wait: () => Promise.resolve({ kind: 'pending' }),
    },
    lark: {
      form: contentForm,
      deliver: (out) => {
        if (!('content' in out)) return Promise.resolve({ ok: true, id: 'r1' });
        const text = out.content.kind === 'choice' ? '' : out.content.text;
        const call = { ...out, text };
        calls.push(call);
        const refusal = answer(call);
        if (refusal === undefined) shown.push(call);
        return Promise.resolve(refusal ?? { ok: true, id: `om_out_${calls.length}` });
      },
      history: () => Promise.resolve([]),
      upload: ({ name, text }) => {
        uploads.push({ name, text });
        return Promise.resolve({ ok: true, id: `file_${uploads.length}` });
      },
    },
  });
  await bridge.start();
});

afterEach(async () => {
  const stopped = bridge.stop();
  await run(1_000);
  await stopped;
  db.close();
});

const run = (durationMs: number) => passTime(clock, { isWriting, durationMs });

/** The agent answers with what it was asked. */
async function ask(text: string, more: Partial<InboundMessage> = {}): Promise<void> {
  const said = { ...message, sentAtMs: clock.nowMs(), parts: [{ kind: 'text', text }] as const };
  await bridge.intake.admit({ kind: 'message', message: { ...said, ...more } });
}

const bytes = (text: string) => Buffer.byteLength(text);
const isNotice = ({ text }: Call) => text.includes('Lark refused to show the answer');

describe('if Lark refuses every text as too long', () => {
  test('a short answer costs one call, two for its file, and one more for the notice', async () => {
    answer = () => refused('split');
    await ask('twenty-four characters..');
    await run(LONG_MS);
    expect(calls.map(({ content }) => content.kind)).toEqual(['answer', 'file', 'notice']);
    expect(uploads).toHaveLength(1);
    expect(isNotice(calls[2] as Call)).toBe(true);
  });

  test('an answer of a megabyte costs one call for its card, one for each size, and one for the notice', async () => {
    answer = (call) => (isNotice(call) ? undefined : refused('split'));
    await ask('漢字 line\n'.repeat(90_000));
    await run(LONG_MS);
    expect(calls).toHaveLength(4);
    expect(shown.map(isNotice)).toEqual([true]);
    const dead = await journal.deadLetters({ limit: 100 });
    // All of the answer is there for the operator, and nothing of it is lost on the way.
    const texts = dead.map(({ body }) => ('content' in body ? body.content.text : ''));
    expect(texts.join('\n').match(/漢字 line/g)).toHaveLength(90_000);
    expect(bridge.status().outbox).toBe(0);
  });
});

describe('an answer in Markdown', () => {
  const MARKDOWN = '**word**\n\n| a | b |\n|---|---|\n| 1 | 2 |';
  const formOf = ({ content }: Call) =>
    content.kind === 'answer' ? (content.is ?? content.form ?? 'text') : content.kind;

  test('goes down its ladder, one call a form, and at last there is a notice', async () => {
    answer = (call) => (isNotice(call) ? undefined : refused('fall_back_to_text', 230099));
    await ask(MARKDOWN);
    await run(LONG_MS);
    expect(calls.map(formOf)).toEqual(['card', 'post', 'text', 'excerpt', 'file', 'notice']);
    expect(uploads).toEqual([{ name: 'answer.md', text: MARKDOWN }]);
    // What the agent wrote is there for the operator.
    expect(await journal.deadLetters({ limit: 9 })).toMatchObject([
      { body: { content: { kind: 'file', text: MARKDOWN } } },
    ]);
  });

  test('is a file with its first words before it, if Lark takes nothing else', async () => {
    answer = (call) =>
      ['excerpt', 'file'].includes(formOf(call)) ? undefined : refused('fall_back_to_text', 230099);
    await ask(MARKDOWN);
    await run(LONG_MS);
    expect(shown.map(({ content }) => content)).toMatchObject([
      { kind: 'answer', text: '**word**' },
      { kind: 'file', name: 'answer.md', key: 'file_1' },
    ]);
    expect(shown).toHaveLength(2);
    expect(await journal.deadLetters({ limit: 9 })).toEqual([]);
  });

  test('as Lark refuses everything in words that nobody knows, costs 12 calls at most', async () => {
    // A card and a post have a simpler form; a text and the notice are tried again.
    answer = (call) =>
      refused(['card', 'post'].includes(formOf(call)) ? 'fall_back_to_text' : 'unsure', 777);
    await ask(MARKDOWN);
    await run(LONG_MS);
    expect(calls.length + uploads.length).toBeLessThanOrEqual(CALLS_MAX);
    expect(calls.map(formOf).slice(0, 3)).toEqual(['card', 'post', 'text']);
    expect(bridge.status().outbox).toBe(0);
  });

  test('that is refused as too long is a text at once: a post may not be longer than a card', async () => {
    answer = (call) => (formOf(call) === 'card' ? refused('split', 230025) : undefined);
    await ask(MARKDOWN);
    await run(LONG_MS);
    expect(calls.map(formOf)).toEqual(['card', 'text']);
  });

  test('is not shown in another form for weather that passes, or against a rule of the company', async () => {
    let tries = 0;
    answer = () => ((tries += 1) <= 3 ? refused('wait', 230020) : undefined);
    await ask(MARKDOWN);
    await run(LONG_MS);
    expect(calls.map(formOf)).toEqual(['card', 'card', 'card', 'card']);
    calls = [];
    answer = (call) => (isNotice(call) ? undefined : refused('give_up', 230028));
    await ask(MARKDOWN, { messageId: messageId('om_2') });
    await run(LONG_MS);
    expect(calls.map(formOf)).toEqual(['card', 'notice']);
  });

  test('in parts keeps its order, whichever of them is refused in a form', async () => {
    const text = Array.from({ length: 3_000 }, (_, line) => `- item **${line}** of the list`).join(
      '\n',
    );
    answer = (call) =>
      formOf(call) === 'card' && call.text.includes('**1500**')
        ? refused('fall_back_to_text', 230099)
        : undefined;
    await ask(text);
    await ask('second', { messageId: messageId('om_2') });
    await run(LONG_MS);
    expect(new Set(shown.map(formOf))).toEqual(new Set(['card', 'post', 'text']));
    const numbers = shown.flatMap((call) =>
      [...call.text.matchAll(/\*\*(\d+)\*\*/g)].map(([, number]) => Number(number)),
    );
    expect(numbers).toEqual(Array.from({ length: 3_000 }, (_, line) => line));
    expect(shown.at(-1)?.text).toBe('second');
  });
});

test('if Lark accepts only small texts, it gets the whole answer in order, with a bounded number of calls', async () => {
  const most = 6 * 1024;
  answer = ({ text }) => (bytes(text) > most ? refused('split') : undefined);
  const text = Array.from({ length: 25_000 }, (_, line) => `${line} 漢字\n`).join('');
  await ask(text);
  await run(LONG_MS);
  const words = shown.map((call) => call.text.replace(/^\d+\/\d+\n/, '')).join('\n');
  expect(words.split(/\s+/).join(' ').trim()).toBe(text.split(/\s+/).join(' ').trim());
  // Each part once as a card, once as a text, and then in pieces.
  expect(calls.length).toBeLessThan(1.6 * shown.length);
  expect(shown.length).toBeLessThan((2 * bytes(text)) / most);
});

test.each([
  ['short and plain', 'word'],
  ['short, in Markdown', '**word**\n\n| a | b |\n|---|---|\n| 1 | 2 |'],
  ['long', 'word '.repeat(3_000)],
])(
  'the answer is given up after few calls, whatever Lark refuses and in whatever order: %s',
  async (_, text) => {
    const actions: LarkAction[] = [
      'split',
      'fall_back_from_thread',
      'unsure',
      'message_gone',
      'fall_back_to_text',
      'give_up',
    ];
    const pairs = actions.flatMap((first) => actions.map((second) => [first, second] as const));
    const counts = new Map<string, number>();
    answer = ({ chatId: chat }) => {
      const count = counts.get(chat) ?? 0;
      counts.set(chat, count + 1);
      const [first, second] = pairs[Number(chat.slice(3))] ?? [];
      return refused((count % 2 === 0 ? first : second) ?? 'give_up');
    };
    const rootId = messageId('om_root');
    for (const at of pairs.keys()) {
      const ids = { messageId: messageId(`om_${at}`), chatId: chatId(`oc_${at}`) };
      await ask(text, { ...ids, threadId: 'omt_1', rootId });
    }
    await run(LONG_MS);
    expect(counts.size).toBe(pairs.length);
    expect(Math.max(...counts.values())).toBeLessThanOrEqual(CALLS_MAX);
    expect(bridge.status().outbox).toBe(0);
  },
);

test('after an unknown code an answer is tried a few times, then it is a dead letter with a notice', async () => {
  answer = (call) => (isNotice(call) ? undefined : refused('unsure', 777));
  await ask('question');
  await run(60_000);
  expect(calls.map(({ content }) => content.kind)).toEqual([
    'answer',
    'answer',
    'answer',
    'file',
    'notice',
  ]);
  expect(shown.map(isNotice)).toEqual([true]);
  expect(await journal.deadLetters({ limit: 9 })).toMatchObject([
    { body: { content: { text: 'question' } }, lastError: '777: no' },
  ]);
});

test('a refusal from something between us and Lark does not block the chat for a day', async () => {
  const blocked = { ok: false, action: 'unsure', code: undefined, detail: 'HTTP 403' } as const;
  answer = ({ text }) => (text === 'one' ? blocked : undefined);
  await ask('one');
  await ask('two', { messageId: messageId('om_2') });
  await run(5 * 60_000);
  expect(shown.map(({ text }) => text)).toEqual([]);
  await run(7 * 60_000);
  expect(shown.at(-1)?.text).toBe('two');
});
