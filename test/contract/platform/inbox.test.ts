/** The inbox of a workspace that polls: which rows are handed over, and how far it was read. */
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { workspaceId } from '../../../src/core/ids.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { SqliteCursor } from '../../../src/store/sqlite/bridge/cursors.ts';
import { error, type PlatformDouble } from './double.ts';
import { clientOf, eventually, NEVER, openDouble, quickClock, textsOf, turnFor } from './rig.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';

let platform: PlatformDouble;

beforeEach(async () => {
  platform = await openDouble();
});

async function reading(options: Parameters<typeof clientOf>[1] = {}) {
  const made = clientOf(platform, { clock: quickClock, ...options });
  await made.client.start();
  return made;
}

/** The looks that were no probe. */
const looks = () =>
  platform
    .callsOf('activity')
    .map(({ query }) => query)
    .filter((query) => !query.get('since_id')?.startsWith('00000000'));

const lastRowOf = (rows: readonly { readonly id: string }[]) => rows.at(-1)?.id;

describe('a look', () => {
  test('MOL-ACT-01, MOL-INB-01: the first one is at the last ten minutes, the next are at what follows', async () => {
    const row = platform.say('one');
    const { memory } = await reading();
    await eventually(() => looks().length).toBeGreaterThan(1);
    expect(Object.fromEntries(looks()[0] ?? [])).toEqual({
      type: 'a2a_receive',
      include: 'peer_info',
      limit: '500',
      since_secs: '600',
    });
    expect(Object.fromEntries(looks()[1] ?? [])).toEqual({
      type: 'a2a_receive',
      include: 'peer_info',
      limit: '100',
      since_id: row.id,
    });
    expect(memory.cursor).toBe(row.id);
  });

  test('MOL-INB-01, MOL-CC-01: comes every five seconds', async () => {
    const delaysMs = new Set<number>();
    await reading({
      clock: {
        nowMs: () => Date.now(),
        after: (delayMs, run) => {
          delaysMs.add(delayMs);
          return quickClock.after(delayMs, run);
        },
      },
    });
    await eventually(() => looks().length).toBeGreaterThan(2);
    expect([...delaysMs].toSorted((a, b) => a - b)).toEqual([5_000, 25_000]);
  });

  test('MOL-ACT-03: the backlog comes newest first, and is handed over oldest first', async () => {
    const words = ['1', '2', '3', '4'];
    for (const text of words) platform.say(text);
    const { received } = await reading();
    await eventually(() => textsOf(received)).toEqual(words);
  });

  test('MOL-ACT-04: as many as there are are read, page by page, without a pause', async () => {
    const first = platform.say('first');
    const words = Array.from({ length: 250 }, (_, number) => `row ${number}`);
    for (const text of words) platform.say(text);
    const delaysMs: number[] = [];
    const made = clientOf(platform, {
      clock: {
        nowMs: () => Date.now(),
        after: (delayMs, run) => {
          if (delayMs < 20_000) delaysMs.push(delayMs);
          return quickClock.after(delayMs, run);
        },
      },
    });
    made.memory.cursor = first.id;
    await made.client.start();
    await eventually(() => textsOf(made.received)).toEqual(words);
    await eventually(() => delaysMs.slice(0, 4)).toEqual([5_000, 0, 0, 5_000]);
    expect(made.memory.saved).toHaveLength(3);
  });
});

describe('an answer', () => {
  test('MOL-INB-09: is a message of the target with an id of its own, and is handed over as from it', async () => {
    const { client, received } = await reading();
    const turn = turnFor(platform);
    expect(await client.send(turn, NEVER)).toEqual({ kind: 'accepted_uncorrelated' });
    const row = platform.say('the answer');
    await eventually(() => received).toHaveLength(1);
    // Nothing in it says which message it answers.
    expect(JSON.stringify(row)).not.toContain(turn.messageId);
    expect(received).toEqual([{ id: row.id, from: platform.target, text: 'the answer' }]);
  });

  test('MOL-CC-02: of a person at the platform is not for us, of a peer it says from whom', async () => {
    const { received } = await reading();
    platform.say('from the canvas', { source_id: null });
    platform.say('from another peer', { source_id: 'peer-2' });
    platform.say('from the target');
    await eventually(() => received).toHaveLength(2);
    expect(received).toMatchObject([
      { from: 'peer-2', text: 'from another peer' },
      { from: platform.target, text: 'from the target' },
    ]);
  });
});

describe('the place in the inbox', () => {
  test('MOL-INB-02: passes rows that are not for us, too', async () => {
    platform.say('a person at the platform', { source_id: null });
    const { memory, received } = await reading();
    const last = platform.say('my own words', { source_id: platform.own });
    await eventually(() => memory.cursor).toBe(last.id);
    expect(received).toEqual([]);
  });

  test('MOL-INB-02, MOL-CC-02: is kept only after the rows before it are; what was not kept comes again', async () => {
    let fails = 2;
    const kept: string[] = [];
    const { memory } = await reading({
      receive: ({ text }) => {
        if (text === 'two' && (fails -= 1) >= 0) {
          return Promise.reject(new BridgeError('store_unavailable', 'the disk is full'));
        }
        kept.push(text);
        return Promise.resolve();
      },
    });
    const rows = ['one', 'two', 'three'].map((text) => platform.say(text));
    await eventually(() => memory.cursor).toBe(lastRowOf(rows));
    expect(memory.saved).toHaveLength(1);
    expect(kept).toEqual(['one', 'one', 'one', 'two', 'three']);
  });

  test('MOL-INB-02, MOL-CC-01: is kept in the database, durably', async () => {
    const folder = temporaryFolder();
    const path = join(folder, 'bridge.db');
    let db = Db.open(path, silentLog);
    const { client, received } = await reading({
      cursor: new SqliteCursor(db, workspaceId(platform.own)),
    });
    const row = platform.say('one');
    await eventually(() => received.length).toBe(1);
    await client.stop();
    db.close();
    db = Db.open(path, silentLog);
    expect(await new SqliteCursor(db, workspaceId(platform.own)).load()).toBe(row.id);
    expect(await new SqliteCursor(db, workspaceId('another')).load()).toBeUndefined();
    db.close();
  });

  test('MOL-ACT-05, MOL-INB-03: that is gone is kept until the backlog was taken up', async () => {
    const made = clientOf(platform, { clock: quickClock });
    made.memory.cursor = 'gone';
    // Two probes, then the cursor; what follows is the backlog.
    const gone = error(410, 'gone');
    platform.script('activity', gone, gone, gone, error(500, 'no'));
    const row = platform.say('meanwhile');
    await made.client.start();
    await eventually(() => textsOf(made.received)).toEqual(['meanwhile']);
    await eventually(() => made.memory.saved).toEqual([row.id]);
    const resets = looks().filter((query) => query.has('since_secs'));
    expect(resets.map((query) => query.get('limit'))).toEqual(['500', '500']);
    expect(Number(resets[0]?.get('since_secs'))).toBeGreaterThanOrEqual(600);
  });

  test('MOL-ACT-05: that is gone for good with all rows is no trouble', async () => {
    const made = clientOf(platform, { clock: quickClock });
    made.memory.cursor = 'gone';
    await made.client.start();
    await eventually(() => looks().length).toBeGreaterThan(5);
    platform.say('at last');
    await eventually(() => textsOf(made.received)).toEqual(['at last']);
    const told = made.log.lines.filter(({ event }) => event === 'inbox_cursor_lost');
    expect(told).toHaveLength(1);
  });

  test('MOL-ACT-07: is told to the platform, forward only', async () => {
    platform.say('one');
    await reading();
    await eventually(() => platform.acked).toBe(1);
    platform.say('two');
    await eventually(() => platform.acked).toBe(2);
    expect(platform.callsOf('ack').map(({ body }) => body)).toEqual([
      { acked_seq: 1 },
      { acked_seq: 2 },
    ]);
  });

  test('MOL-ACT-07: an old server, which has no place for it, is asked once', async () => {
    platform.knowsAcks = false;
    platform.say('one');
    const { received, log } = await reading();
    await eventually(() => received.length).toBe(1);
    platform.say('two');
    await eventually(() => received.length).toBe(2);
    await eventually(() => looks().length).toBeGreaterThan(3);
    expect(platform.callsOf('ack')).toHaveLength(1);
    expect(log.lines.filter(({ level }) => level !== 'info')).toEqual([]);
  });

  test('LCM-MODE-02: in the inbox of a host nothing is marked as read', async () => {
    platform.say('for the host');
    const { received } = await reading({ inherited: { readsInbox: true } });
    await eventually(() => received.length).toBe(1);
    await eventually(() => looks().length).toBeGreaterThan(2);
    expect(platform.callsOf('ack')).toEqual([]);
  });
});

describe('an old server without cursors', () => {
  beforeEach(() => {
    platform.knowsCursors = false;
  });

  test('MOL-ACT-06: is found out and told at the start; every look is at the newest rows', async () => {
    platform.say('one');
    const { log, received, memory } = await reading();
    expect(log.lines).toContainEqual(
      expect.objectContaining({ event: 'platform_found_wanting', finding: 'no_cursors' }),
    );
    await eventually(() => looks().length).toBeGreaterThan(3);
    expect(looks().filter((query) => query.has('since_id'))).toEqual([]);
    expect(Number(looks().at(-1)?.get('since_secs'))).toBeLessThan(600);
    // The same row every time: whoever takes it knows it by its id (MOL-INB-04).
    expect(received.length).toBeGreaterThan(1);
    expect(new Set(received.map(({ id }) => id)).size).toBe(1);
    expect(memory.saved).toEqual([]);
    expect(platform.callsOf('ack')).toHaveLength(1);
  });

  test('that takes no notice of the time either does not bring back what is long over', async () => {
    const atMs = (agoMs: number) => ({ created_at: new Date(Date.now() - agoMs).toISOString() });
    platform.script(
      'activity',
      { json: [] },
      { json: [] },
      {
        json: [
          platform.say('new', { ...atMs(1_000), activity_type: 'shown once' }),
          platform.say('old', { ...atMs(86_400_000), activity_type: 'shown once' }),
        ],
      },
    );
    const { received } = await reading();
    await eventually(() => textsOf(received)).toEqual(['new']);
    await eventually(() => looks().length).toBeGreaterThan(2);
    expect(textsOf(received)).toEqual(['new']);
  });
});

describe('a row', () => {
  const parts = [{ kind: 'text', text: 'hi' }];
  const bare = { request_body: undefined, summary: undefined };

  test.each([
    ['params.message.parts', { request_body: { params: { message: { parts } } } }, 'hi'],
    ['params.parts', { request_body: { params: { parts } } }, 'hi'],
    ['parts', { request_body: { parts } }, 'hi'],
    [
      'a body that is text',
      { request_body: JSON.stringify({ params: { message: { parts } } }) },
      'hi',
    ],
    ['parts of the old form', { request_body: { parts: [{ type: 'text', text: 'hi' }] } }, 'hi'],
    ['many parts', { request_body: { parts: [...parts, { kind: 'file' }, ...parts] } }, 'hi\nhi'],
    ['the summary', { ...bare, summary: 'short' }, 'short'],
    ['nothing', bare, '(empty A2A message)'],
  ])('MOL-INB-08: its text is in %s', async (_where, more, text) => {
    platform.say('x', more);
    const { received } = await reading();
    await eventually(() => textsOf(received)).toEqual([text]);
  });

  const status = (state: string) => ({ status: { state, message: { parts } } });

  test.each([
    ['the message', { params: { message: { parts, ...status('working') } } }],
    ['the params', { params: { message: { parts }, ...status('submitted') } }],
    ['a task', { params: { task: status('working') } }],
    [
      'a status update',
      { method: 'tasks/status', params: { kind: 'status-update', ...status('working') } },
    ],
    ['a response', { jsonrpc: '2.0', result: { kind: 'task', ...status('TASK_STATE_WORKING') } }],
    ['the body itself', { kind: 'task', ...status('working') }],
    ['a body that is text', JSON.stringify({ kind: 'task', ...status('working') })],
  ])('MOL-RES-16: that tells in %s of a task at work is no answer', async (_where, body) => {
    platform.say('x', { request_body: body });
    platform.say('the answer');
    const { received } = await reading();
    await eventually(() => textsOf(received)).toEqual(['the answer']);
  });

  test.each([
    ['[re:k3m9x2p7] the answer', 'the answer'],
    ['[re:K3M9X2P7]\n\nthe answer', 'the answer'],
    [' **[re: k3m9x2p7]** the answer', 'the answer'],
    ['[re:k3m9x2p7]\n  indented\n', '  indented\n'],
  ])(
    'LCM-OUT-09: that begins with a token is told with it and shown without: %j',
    async (said, text) => {
      platform.say(said);
      const { received } = await reading();
      await eventually(() => received).toEqual([
        { id: expect.any(String), from: platform.target, text, replyToken: 'k3m9x2p7' },
      ]);
    },
  );

  test('LCM-OUT-09, MOL-RES-02: behind the token may stand what went wrong', async () => {
    platform.say('[re:k3m9x2p7] Agent error: no model');
    const { received } = await reading();
    await eventually(() => received).toMatchObject([
      { replyToken: 'k3m9x2p7', failure: 'no model' },
    ]);
  });

  test('MOL-RES-16: with the result of what was delegated may be unfinished too', async () => {
    const method = 'delegate_result';
    platform.say('Thinking…', { method, response_body: { result: status('working') } });
    platform.say('done', { method, response_body: { result: status('completed') } });
    const { received } = await reading();
    await eventually(() => textsOf(received)).toEqual(['done']);
  });

  test('MOL-RES-16: of a task that is over or asks is what the task is', async () => {
    for (const state of ['completed', 'failed', 'input-required', 'auth-required']) {
      platform.say('x', { request_body: { kind: 'task', ...status(state) } });
    }
    const { received } = await reading();
    const common = { id: expect.any(String), from: platform.target, text: 'hi' };
    await eventually(() => received).toEqual([
      common,
      { ...common, failure: 'hi' },
      { ...common, wants: 'input' },
      { ...common, wants: 'sign_in' },
    ]);
  });

  test('MOL-ACT-02, LCM-OUT-11: with files names them, from its parts and its attachments, each once', async () => {
    const file = { kind: 'file', file: { uri: 'workspace:/a.txt', name: 'a.txt' } };
    const attachments = [
      { kind: 'file', uri: 'workspace:/a.txt', mime_type: 'text/plain', name: 'a.txt' },
      { kind: 'image', uri: 'workspace:/b.png', mime_type: 'image/png', name: 'b.png' },
    ];
    const body = { params: { message: { parts: [file] } } };
    platform.say('x', { request_body: body, summary: undefined, attachments });
    const { received } = await reading();
    await eventually(() => received).toEqual([
      { id: expect.any(String), from: platform.target, text: '', files: ['a.txt', 'b.png'] },
    ]);
  });

  test('MOL-INB-05: of another workspace is handed over, of a person at the platform it is not', async () => {
    platform.say('a person', { source_id: null });
    platform.say('a stranger', { source_id: 'someone' });
    const { received } = await reading();
    await eventually(() => received).toEqual([
      { id: expect.any(String), from: 'someone', text: 'a stranger' },
    ]);
  });

  test('MOL-INB-05, MOL-INB-07: with the result of what was delegated is of whom it was delegated to', async () => {
    const method = 'delegate_result';
    platform.say('by name', { method, source_id: platform.own, target_id: platform.target });
    platform.say('by itself', { method, source_id: platform.target });
    platform.say('of nobody', { method, source_id: platform.own, target_id: null });
    const { received } = await reading();
    await eventually(() => textsOf(received)).toEqual(['by name', 'by itself']);
    expect(received.map(({ from }) => from)).toEqual([platform.target, platform.target]);
  });

  test('MOL-INB-06: with a notice of our own is not handed over', async () => {
    platform.say('notice', { method: 'notify', source_id: null });
    platform.say('word');
    const { received } = await reading();
    await eventually(() => textsOf(received)).toEqual(['word']);
  });

  test('MOL-INB-07: of our own is not, however our id is written', async () => {
    platform.say('echo', { source_id: platform.own.toUpperCase() });
    platform.say('word');
    const { received } = await reading();
    await eventually(() => textsOf(received)).toEqual(['word']);
  });

  test('MOL-RES-02: that says what went wrong is no answer', async () => {
    platform.say('Agent error: out of memory');
    const { received } = await reading();
    await eventually(() => received).toEqual([
      expect.objectContaining({
        text: 'Agent error: out of memory',
        failure: 'out of memory',
      }),
    ]);
  });

  test('MOL-ACT-02: that is broken is passed over, and the others are taken', async () => {
    platform.script(
      'activity',
      { status: 410, json: {} },
      { status: 410, json: {} },
      {
        json: [
          null,
          7,
          {},
          { id: '' },
          { id: 'r1', source_id: platform.target, summary: 'good', seq: 'x' },
        ],
      },
    );
    const { received, memory } = await reading();
    await eventually(() => textsOf(received)).toEqual(['good']);
    await eventually(() => memory.cursor).toBe('r1');
  });
});

describe('trouble', () => {
  test.each([
    ['HTTP 500', error(500, 'no')],
    ['HTTP 401', error(401, 'invalid workspace auth token')],
    ['a web page', { text: '<html></html>' }],
    ['something that is no list', { json: { rows: [] } }],
    ['an empty body', { text: '' }],
  ])('MOL-INB-03: %s is warned of once, and tried again', async (_name, answer) => {
    const made = clientOf(platform, { clock: quickClock });
    made.memory.cursor = platform.say('read').id;
    await made.client.start();
    await eventually(() => looks().length).toBeGreaterThan(0);
    platform.script('activity', answer, answer, answer);
    platform.say('not lost');
    await eventually(() => textsOf(made.received)).toEqual(['not lost']);
    const told = made.log.lines.filter(({ event }) => event.startsWith('inbox_'));
    expect(told.map(({ event }) => event)).toEqual(['inbox_not_read', 'inbox_read_again']);
  });

  test('MOL-INB-03: a hub that is away is no reason to end', async () => {
    const url = platform.url;
    const made = clientOf(platform, { clock: quickClock });
    await made.client.start();
    await platform.close();
    await eventually(() => made.client.status().reachable).toBe(false);
    await platform.open(Number(new URL(url).port));
    platform.say('hello again');
    await eventually(() => textsOf(made.received)).toEqual(['hello again']);
  });

  test('a bug with one row is logged as an error, and does not end the process', async () => {
    let isBroken = true;
    const kept: string[] = [];
    const { log } = await reading({
      receive: ({ text }) => {
        if (isBroken) return Promise.reject(new TypeError('a bug'));
        kept.push(text);
        return Promise.resolve();
      },
    });
    platform.say('one');
    const bugs = () => log.lines.filter(({ event }) => event === 'inbox_failed');
    await eventually(() => bugs().length).toBeGreaterThan(0);
    expect(bugs()[0]).toMatchObject({ level: 'error', error: 'a bug' });
    expect(String(bugs()[0]?.['stack'])).toContain('inbox.test.ts');
    isBroken = false;
    await eventually(() => kept).toEqual(['one']);
  });

  test('MOL-ACT-04: a backlog that is longer than a hub gives is told of', async () => {
    for (let row = 0; row < 501; row += 1) platform.say(`row ${row}`);
    const { log, received } = await reading();
    await eventually(() => received.length).toBe(500);
    expect(log.lines).toContainEqual(expect.objectContaining({ event: 'inbox_backlog_cut' }));
  });

  test('MOL-RES-12: rows too large for one page are read by fewer', async () => {
    const sizes: string[] = [];
    const large = (count: number) => 'x'.repeat(Math.floor((65 * 1024 * 1024) / count));
    const made = clientOf(platform, { clock: quickClock });
    made.memory.cursor = platform.say('read').id;
    for (let row = 0; row < 3; row += 1) platform.say(`row ${row}`, { filler: large(3) });
    await made.client.start();
    await eventually(() => textsOf(made.received)).toEqual(['row 0', 'row 1', 'row 2']);
    sizes.push(...looks().map((query) => query.get('limit') ?? ''));
    // On a busy machine a look takes too long, and is repeated.
    expect([...new Set(sizes)]).toEqual(['100', '10', '1']);
    expect(JSON.stringify(made.log.lines)).toContain('larger than 64 MB');
  });
});
