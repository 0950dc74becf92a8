import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { promptOf } from '../../../../src/agents/acp/prompt.ts';
import type { LarkContext } from '../../../../src/core/message.ts';
import type { Attachment } from '../../../../src/core/turn-details.ts';
import { turnOf } from '../../../contract/agents/agent-contract.ts';
import { temporaryFolder } from '../../../kit/folder.ts';

const ALL = { image: true, embedded: true };
const GROUP: LarkContext = {
  brand: 'lark',
  chatId: 'oc_1',
  chatType: 'group',
  senderOpenId: 'ou_1',
  messageId: 'om_1',
};

test('the words of the person come first, as they are', async () => {
  const prompt = await promptOf(turnOf('/compact now'), { abilities: ALL, saidBefore: '' });
  expect(prompt).toEqual([{ type: 'text', text: '/compact now' }]);
});

test('in a group it is said who wrote', async () => {
  const details = { senderName: 'Ada' };
  const given = { abilities: ALL, saidBefore: '' };
  const inGroup = await promptOf(turnOf('hi', { lark: GROUP, details }), given);
  expect(inGroup).toEqual([
    { type: 'text', text: 'hi' },
    { type: 'text', text: '[Written by Ada]' },
  ]);
  const lark = { ...GROUP, chatType: 'p2p' } as const;
  expect(await promptOf(turnOf('hi', { lark, details }), given)).toHaveLength(1);
});

test('what was said before is a document, or text for agents that take none', async () => {
  const details = {
    quoted: { senderName: 'Bo', text: 'the plan' },
    thread: [{ senderName: 'Cy', text: 'first' }],
  };
  const turn = turnOf('go', { details });
  const documents = await promptOf(turn, { abilities: ALL, saidBefore: 'Ada: hello' });
  expect(
    documents.map((block) => (block['resource'] as { text: string } | undefined)?.text),
  ).toEqual([undefined, 'Ada: hello', 'Cy: first', 'Bo: the plan']);
  const abilities = { image: false, embedded: false };
  const texts = await promptOf(turn, { abilities, saidBefore: 'Ada: hello' });
  expect(texts.map(({ type }) => type)).toEqual(['text', 'text', 'text', 'text']);
  expect(texts[1]?.['text']).toBe(
    '[The conversation before, which you do not remember:]\nAda: hello',
  );
});

test('files are linked and named, and pictures are shown to agents that see', async () => {
  const folder = temporaryFolder();
  const file = (name: string, mimeType: string, bytes: number): Attachment => {
    const path = join(folder, name);
    writeFileSync(path, Buffer.alloc(Math.min(bytes, 10)));
    return { kind: 'file', name, path, mimeType, bytes };
  };
  const attachments = [
    file('a b.txt', 'text/plain', 3),
    file('p.png', 'image/png', 10),
    file('large.png', 'image/png', 6 * 1024 * 1024),
    { ...file('x.png', 'image/png', 10), path: join(folder, 'gone.png') },
  ];
  const turn = turnOf('look', { details: { attachments } });
  const prompt = await promptOf(turn, { abilities: ALL, saidBefore: '' });
  expect(prompt.map(({ type }) => type)).toEqual([
    'text',
    'text',
    'resource_link',
    'resource_link',
    'resource_link',
    'resource_link',
    'image',
  ]);
  expect(prompt[1]?.['text']).toContain(`- ${join(folder, 'a b.txt')} (text/plain, 3 bytes)`);
  expect(prompt[2]).toMatchObject({ name: 'a b.txt', uri: `file://${folder}/a%20b.txt`, size: 3 });
  const blind = { image: false, embedded: true };
  const unseen = await promptOf(turn, { abilities: blind, saidBefore: '' });
  expect(unseen.map(({ type }) => type)).not.toContain('image');
});
