/** Files of answers, from the folder of a program to the chat, by the built program. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rig } from './rig.ts';

/** One pixel. */
const PNG =
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg==';

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
  writeFileSync(join(rig.home, 'picture.png'), Buffer.from(PNG, 'base64'));
  writeFileSync(join(rig.home, 'report.pdf'), '%PDF-1.4 report');
});

afterEach(() => rig.close());

const WITH_BOTH = `cp "$HOME/picture.png" "$HOME/report.pdf" "$LARK_OUTPUT_DIR"
echo "Here **it** is:"; echo; echo "![A diagram](picture.png)"; echo; echo "And ![b](https://example.com/b.png)."`;

const outFolders = () => readdirSync(join(rig.stateDir, 'attachments', 'out'));
const uploadsOf = (kind: 'image' | 'file') =>
  [...rig.cloud.world.uploads.values()].filter((upload) => upload.kind === kind);
const contentOf = (messageId: string) => rig.cloud.world.messages.get(messageId)?.content ?? '';

test('a picture that the Markdown names is shown in place and not a second time, and a PDF follows the answer', async () => {
  await rig.addAgent('drawing', WITH_BOTH);
  await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  const asked = rig.cloud.say({ chat, from: user, text: 'draw' });
  const [card, file] = await rig.repliesIn(chat, 2);
  const [image] = uploadsOf('image');
  expect(card).toMatchObject({ type: 'interactive', replyTo: asked.messageId });
  expect(JSON.parse(contentOf(card?.messageId ?? ''))).toMatchObject({
    body: {
      elements: [
        { tag: 'markdown', content: 'Here **it** is:' },
        { tag: 'img', img_key: image?.key, alt: { content: 'A diagram' } },
        { tag: 'markdown', content: 'And [b](https://example.com/b.png).' },
      ],
    },
  });
  expect(file).toMatchObject({ type: 'file', replyTo: asked.messageId });
  expect(uploadsOf('image')).toHaveLength(1);
  expect(uploadsOf('file').map(({ fileName, bytes }) => [fileName, bytes.toString()])).toEqual([
    ['report.pdf', '%PDF-1.4 report'],
  ]);
  // Lark has them, so they need no place here.
  await expect.poll(outFolders).toEqual([]);
  expect(rig.replies(chat)).toHaveLength(2);
});

test('a program may answer with a file alone; what can not be sent is named', async () => {
  await rig.addAgent(
    'filing',
    `cd "$LARK_OUTPUT_DIR"; cp "$HOME/picture.png" "p q.png"; : > empty.txt; ln -s /etc/passwd link`,
  );
  await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  rig.cloud.say({ chat, from: user, text: 'draw' });
  const [image, notice] = await rig.repliesIn(chat, 2);
  expect(image?.type).toBe('image');
  expect(notice?.text).toMatch(/empty\.txt.*link/);
});

test.each([
  ['after an upload of which no answer came', '/im/v1/files', 2],
  ['after a send of which no answer came', '/reply', 1],
])('a SIGKILL %s: the file is shown once', async (_, path, uploads) => {
  await rig.addAgent('filing', 'cp "$HOME/report.pdf" "$LARK_OUTPUT_DIR"');
  const first = await rig.run();
  const { user, chat } = rig.direct('Mei');
  rig.cloud.faults.inject({ kind: 'response_hang', path });
  rig.cloud.say({ chat, from: user, text: 'work' });
  await rig.cloud.waitFor(() =>
    path === '/reply' ? rig.replies(chat).length === 1 : uploadsOf('file').length === 1,
  );
  await first.stop('SIGKILL');
  await rig.runHere();
  await rig.repliesIn(chat, 1);
  await expect.poll(outFolders).toEqual([]);
  expect(rig.replies(chat).map(({ type }) => type)).toEqual(['file']);
  expect(uploadsOf('file')).toHaveLength(uploads);
});

test('refusals at every rung: the answer comes as a file, and what Lark refuses of the files is named', async () => {
  await rig.addAgent('both', WITH_BOTH);
  await rig.runHere();
  const { user, chat } = rig.direct('Mei');
  // The card, the post and the text.
  rig.cloud.faults.inject({ kind: 'business_error', path: '/reply', code: 230001, times: 3 });
  rig.cloud.say({ chat, from: user, text: 'draw' });
  const replies = await rig.repliesIn(chat, 4);
  expect(replies.map(({ type }) => type)).toEqual(['text', 'file', 'image', 'file']);
  expect(uploadsOf('file').map(({ fileName }) => fileName)).toEqual(['answer.md', 'report.pdf']);

  rig.cloud.faults.inject({ kind: 'business_error', path: '/im/v1/files', code: 234006 });
  rig.cloud.say({ chat, from: user, text: 'draw' });
  const all = await rig.repliesIn(chat, 6);
  expect(all.slice(4).map(({ type }) => type)).toEqual(['interactive', 'text']);
  expect(all.at(-1)?.text).toContain('report.pdf');
});
