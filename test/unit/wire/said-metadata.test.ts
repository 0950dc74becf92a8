import { expect, test } from 'vitest';
import { saidIn, saidMetadata } from '../../../src/wire/said-metadata.ts';

const said = (text: string) => ({ senderName: 'Mei', text });

test('what was said comes back as it was', () => {
  const details = { quoted: said('look'), thread: [said('one'), said('two')] };
  expect(saidIn({ ...saidMetadata(details) })).toEqual(details);
  expect(saidMetadata()).toEqual({});
});

test('it stays within 15 KB, whatever the characters are: the oldest of the thread are left out', () => {
  for (const sign of ['x', '字', '"', '\u0001']) {
    const thread = Array.from({ length: 20 }, (_, at) => said(`${at}${sign.repeat(4_000)}`));
    const given = saidMetadata({ quoted: said(sign.repeat(20_000)), thread });
    expect(Buffer.byteLength(JSON.stringify(given))).toBeLessThanOrEqual(15 * 1024);
    expect(given.quoted).toBeDefined();
    if (sign === 'x') expect(given.thread?.at(-1)?.['text']).toMatch(/^19x/);
  }
});

test('what has another form is left out', () => {
  expect(saidIn({ quoted: 'x', thread: [{ sender_name: 1, text: 'x' }, null] })).toBeUndefined();
  expect(saidIn({ thread: { length: 3 } })).toBeUndefined();
});
