/** What a person writes as a rich text on the page, as the post that Lark has of it, and back. */
import { expect, test } from 'vitest';
import { sourceOf } from '../../../src/sim/page/view/rich-text-source.ts';
import { postOf } from '../../../src/sim/page/view/rich-text.ts';
import { createRandom } from '../../../src/sim/world/random.ts';

const NAMED = [
  { id: 'ou_tom', name: 'Tom' },
  { id: 'ou_tomas', name: 'Tom As' },
  { id: 'all', name: 'all' },
];

const WRITTEN = `**Bold**, *italic*, ~~gone~~, <u>below</u> and \`a * b\`
See [the docs](https://example.com/a_b) or https://example.com
@Tom As and @Tom: look :THUMBSUP:
![Picture](img_v3_1)
---

- one
\`\`\`ts
const a = '**@Tom**';

\`\`\``;

test('a rich text becomes a post with styles, links, mentions, pictures and code', () => {
  const post = postOf({ title: 'Plan', words: WRITTEN }, NAMED);
  const plain = (text: string) => ({ tag: 'text', text, style: [] });
  expect(post).toEqual({
    title: 'Plan',
    content: [
      [
        { tag: 'text', text: 'Bold', style: ['bold'] },
        plain(', '),
        { tag: 'text', text: 'italic', style: ['italic'] },
        plain(', '),
        { tag: 'text', text: 'gone', style: ['lineThrough'] },
        plain(', '),
        { tag: 'text', text: 'below', style: ['underline'] },
        plain(' and `a * b`'),
      ],
      [
        plain('See '),
        { tag: 'a', href: 'https://example.com/a_b', text: 'the docs', style: [] },
        plain(' or '),
        { tag: 'a', href: 'https://example.com', text: 'https://example.com', style: [] },
      ],
      [
        { tag: 'at', user_id: 'ou_tomas', user_name: 'Tom As', style: [] },
        plain(' and '),
        { tag: 'at', user_id: 'ou_tom', user_name: 'Tom', style: [] },
        plain(': look '),
        { tag: 'emotion', emoji_type: 'THUMBSUP' },
      ],
      [{ tag: 'img', image_key: 'img_v3_1' }],
      [{ tag: 'hr' }],
      [],
      [plain('- one')],
      [{ tag: 'code_block', language: 'ts', text: "const a = '**@Tom**';\n" }],
    ],
  });
});

test('a post is edited as the text that makes the same post again', () => {
  const post = postOf({ title: 'Plan', words: WRITTEN }, NAMED);
  expect(sourceOf(post, NAMED)).toEqual({ title: 'Plan', words: WRITTEN });
  // Lark gives the mentions of a received post numbers.
  const received = { title: '', content: [[{ tag: 'at', user_id: '@_user_1', user_name: 'Tom' }]] };
  expect(sourceOf(received, NAMED)).toEqual({ title: '', words: '@Tom' });
});

const PIECES = [
  'word', ' ', 'snake_case', '**', '*', '_', '~~', '`', '```', '[', '](', ')', '<', '>', '\\', '&amp;', '---', '#',
  '@Tom', ':OK:', 'https://example.com', '![x](img_1)', '<u>', '</u>', '<br>', '- ', '|', '\n', '\n\n', '你好', '🙂',
]; // prettier-ignore

test('whatever is written: editing it changes nothing, and no word is lost', () => {
  for (let seed = 1; seed <= 400; seed += 1) {
    const random = createRandom(seed, 'rich text');
    const length = 1 + Math.floor(random() * 14);
    const words = Array.from(
      { length },
      () => PIECES[Math.floor(random() * PIECES.length)] ?? '',
    ).join('');
    const post = postOf({ title: '', words }, NAMED);
    const source = sourceOf(post, NAMED);
    const again = source && postOf(source, NAMED);
    expect(again, `SEED=${seed} ${JSON.stringify(words)}`).toEqual(post);
    const count = (text: string) => text.match(/word|snake_case|你好|🙂/g)?.length;
    const addresses = /"href":"[^"]*"/g;
    const shown = JSON.stringify(post).replaceAll(addresses, '');
    expect(count(shown), `SEED=${seed} ${JSON.stringify(words)}`).toBe(count(words));
  }
});

test('a post with what cannot be written here is not edited here', () => {
  const content = [[{ tag: 'media', file_key: 'file_1', image_key: 'img_1' }]];
  expect(sourceOf({ title: '', content }, [])).toBeUndefined();
  expect(sourceOf({ title: '', content: [[{ tag: 'emotion', emoji_type: 'NoSuch' }]] }, [])).toBe(
    undefined,
  );
});
