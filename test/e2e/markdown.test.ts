/** What people see of an agent that answers in Markdown. */
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Rig } from './rig.ts';

const ANSWER = [
  '## Results',
  '',
  '| test | time |',
  '|------|-----:|',
  '| fast | 3 ms |',
  '',
  '```js',
  'const sum = 1 + 1;',
  '```',
].join('\n');

let rig: Rig;

beforeEach(async () => {
  rig = await Rig.open();
  await rig.addAgent('writer', `cat <<'END'\n${ANSWER}\nEND`);
});

afterEach(() => rig.close());

async function ask() {
  await rig.runHere({ env: { LARK_BRIDGE_AGENT: 'writer' } });
  const { user, chat } = rig.direct('Mei');
  rig.cloud.say({ chat, from: user, text: 'How fast is it?' });
  const [reply] = await rig.repliesIn(chat, 1);
  return { reply, chat };
}

const refuse = (code: number, times: number) =>
  rig.cloud.faults.inject({ kind: 'business_error', code, msg: 'refused', path: '/reply', times });

test('a table and code are shown as a card', async () => {
  const { reply } = await ask();
  expect(reply?.type).toBe('interactive');
  expect(reply?.card?.json['body']).toMatchObject({
    elements: [
      { tag: 'markdown', content: '## Results' },
      { tag: 'table', rows: [{ c1: 'fast', c2: '3 ms' }] },
      { tag: 'markdown', content: '```javascript\nconst sum = 1 + 1;\n```' },
    ],
  });
});

test('a plain answer stays a text, also with signs that mean nothing', async () => {
  await rig.addAgent('plain', 'echo "[image] 1 < 2"');
  await rig.runHere({ env: { LARK_BRIDGE_AGENT: 'plain' } });
  const { user, chat } = rig.direct('Mei');
  rig.cloud.say({ chat, from: user, text: 'hello' });
  expect(await rig.repliesIn(chat, 1)).toMatchObject([{ type: 'text', text: '[image] 1 < 2' }]);
});

test.each([
  ['a card', 1, 'post'],
  ['a card and a post', 2, 'text'],
])('if Lark refuses %s, the answer is shown in the next form, once', async (_, times, type) => {
  refuse(230099, times);
  const { reply, chat } = await ask();
  expect(reply?.type).toBe(type);
  expect(reply?.text).toContain('const sum = 1 + 1;');
  expect(reply?.text).toContain('fast | 3 ms');
  expect(rig.replies(chat)).toHaveLength(1);
  expect(rig.cloud.calls({ path: '/reply' })).toHaveLength(times + 1);
});
