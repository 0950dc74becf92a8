/** What an agent reads of a bundle of forwarded messages. */
import { expect, test } from 'vitest';
import { forwardedText } from '../../../src/lark/inbound/content/forwarded.ts';
import { random } from './captured.ts';

type Item = Record<string, unknown>;

const BUNDLE = 'om_bundle';
const AT_MS = 1774004563541;
let ids = 0;

const item = (over: Item = {}): Item => {
  ids += 1;
  return {
    message_id: `om_${ids}`,
    upper_message_id: BUNDLE,
    msg_type: 'text',
    create_time: String(AT_MS + ids),
    sender: { id: 'ou_tom', id_type: 'open_id', sender_type: 'user' },
    body: { content: JSON.stringify({ text: 'hello' }) },
    ...over,
  };
};
const said = (text: string, over: Item = {}) =>
  item({ body: { content: JSON.stringify({ text }) }, ...over });
const bundle = (over: Item = {}) =>
  item({ msg_type: 'merge_forward', body: { content: 'Merged and Forwarded Message' }, ...over });
const root = { message_id: BUNDLE, msg_type: 'merge_forward', body: { content: 'Merged' } };
const read = (...items: Item[]) => forwardedText([root, ...items], BUNDLE);

test('who said what, and when, in the order of time, as a quote', () => {
  const tom = [{ key: '@_user_1', id: 'ou_tom', id_type: 'open_id', name: 'Tom' }];
  const late = said('@_user_1 done?\n\nyes', {
    mentions: tom,
    create_time: String(AT_MS + 3_600_000),
    sender: { id: 'ou_ann', sender_type: 'user' },
  });
  const deploy = said('deploy it');
  const picture = item({ msg_type: 'image', body: { content: '{"image_key":"img_1"}' } });
  expect(read(late, deploy, picture)).toBe(
    [
      '[forwarded: 3 messages]',
      '> Tom, 2026-03-20 11:02 UTC:',
      '> deploy it',
      '>',
      '> Tom, 2026-03-20 11:02 UTC:',
      '> [image] [not here: Lark gives apps no files of forwarded messages]',
      '>',
      '> ou_ann, 2026-03-20 12:02 UTC:',
      '> @Tom done?',
      '>',
      '> yes',
    ].join('\n'),
  );
});

test('senders without a name, bots, recalled and damaged messages', () => {
  const text = read(
    said('a', { sender: undefined, create_time: undefined }),
    said('b', { sender: { id: 'cli_1', sender_type: 'app' } }),
    item({ deleted: true, body: { content: 'This message was recalled' } }),
    item({ body: { content: 'no JSON' } }),
    item({ msg_type: 'hologram' }),
    item({
      msg_type: 'system',
      body: { content: '{"template":"{from_user} left","from_user":["Tom"]}' },
    }),
  );
  expect(text).toMatch(/> Somebody:\n> a\n/);
  expect(text).toMatch(/> Bot cli_1, .*:\n> b\n/);
  for (const line of [
    '[recalled message]',
    '[damaged message of type text]',
    '[message of type hologram]',
    '[system: Tom left]',
  ]) {
    expect(text).toContain(`\n> ${line}`);
  }
});

test('bundles in bundles are quotes in quotes, three deep, and deeper ones are counted', () => {
  const second = bundle({ message_id: 'om_b2' });
  const third = bundle({ message_id: 'om_b3', upper_message_id: 'om_b2' });
  const fourth = bundle({ message_id: 'om_b4', upper_message_id: 'om_b3' });
  const text =
    read(
      second,
      third,
      fourth,
      said('two', { upper_message_id: 'om_b2' }),
      said('three', { upper_message_id: 'om_b3' }),
      said('four', { upper_message_id: 'om_b4' }),
    ) ?? '';
  const lines = text.split('\n').filter((line) => /[a-z]/.test(line) && !line.includes('UTC'));
  expect(lines).toEqual([
    '[forwarded: 1 message]',
    '> [forwarded: 2 messages]',
    '> > [forwarded: 2 messages]',
    '> > > [forwarded: 1 message]',
    '> > > three',
    '> > two',
  ]);
  expect(text).not.toContain('four');
});

test('a hundred messages are shown, and the others counted, over all depths', () => {
  const inner = bundle({ message_id: 'om_inner' });
  const items = Array.from({ length: 60 }, (_, at) =>
    said(`inner ${at}`, { upper_message_id: 'om_inner' }),
  );
  const after = Array.from({ length: 51 }, (_, at) => said(`outer ${at}`));
  const text = read(inner, ...items, ...after) ?? '';
  expect(text.match(/(inner|outer) \d+/g)).toHaveLength(99);
  expect(text).toMatch(/outer 38\n\[… and 12 more\]$/);
});

test('long messages are cut where all texts together are too long', () => {
  const text = read(said('a'.repeat(90_000)), said('b'.repeat(90_000)), said('c')) ?? '';
  expect(text).toContain('a'.repeat(90_000));
  expect(text).toMatch(/b…\n\[… and 1 more\]$/);
  expect(text.length).toBeLessThan(101_000);
});

test('names are on one line', () => {
  const name = 'Tom:\nhello\n\nAnn\u202E';
  const mentions = [{ key: '@_user_1', id: 'ou_tom', id_type: 'open_id', name }];
  expect(read(said('x', { mentions }))).toMatch(/^> Tom: hello Ann, 2026-.* UTC:$/m);
});

test('nothing in it', () => {
  expect(read()).toBeUndefined();
  expect(forwardedText([], BUNDLE)).toBeUndefined();
});

test('bundles that are in themselves end', () => {
  const text = read(
    bundle({ message_id: 'om_a', upper_message_id: 'om_a' }),
    bundle({ message_id: 'om_b' }),
    bundle({ message_id: 'om_c', upper_message_id: 'om_b' }),
    bundle({ message_id: 'om_b', upper_message_id: 'om_c' }),
  );
  expect(text).toContain('[forwarded: 1 message]');
});

test.each([1, 2, 3])('never throws, whatever Lark gives (SEED=%i)', (seed) => {
  const next = random(seed);
  const draw = <T>(from: readonly T[]): T => from[Math.floor(next() * from.length)] as T;
  const ID = ['om_1', 'om_2', 'om_3', BUNDLE, '', null, 7, {}, undefined];
  const TYPE = ['text', 'merge_forward', 'post', '', null, 'toString'];
  for (let round = 0; round < 500; round += 1) {
    const items = Array.from({ length: Math.floor(next() * 12) }, () => ({
      message_id: draw(ID),
      upper_message_id: draw(ID),
      msg_type: draw(TYPE),
      create_time: draw(['0', 'x', null, '99999999999999', 1774004563541]),
      sender: draw([null, [], 'x', { id: 7 }, { id: '\uD83D\n', sender_type: 'app' }]),
      body: draw([null, [], { content: 1 }, { content: '{"text":"\\ud83d"}' }]),
      mentions: draw([null, 'x', [null], [{ id: 'ou_tom', id_type: 'open_id', name: 3 }]]),
      deleted: draw([true, false, 'x']),
    }));
    expect(() => forwardedText(items, BUNDLE)).not.toThrow();
  }
});
