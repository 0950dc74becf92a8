/** What an agent gets of every message type that a person can send. The agent here says what it got. */
import { afterAll, beforeAll, expect, test } from 'vitest';
import { SAMPLE_TYPES } from '../../src/sim/control/sample-content.ts';
import { Rig } from './rig.ts';

let rig: Rig;

beforeAll(async () => {
  rig = await Rig.open();
  // Pictures and files don't wait for words here.
  await rig.runHere({ env: { LARK_BRIDGE_BURST_WAIT_SECS: '0' } });
});

afterAll(() => rig.close());

const MEETING = /^\[calendar event: Weekly meeting, 20\d\d-.* UTC to .* UTC\]$/;

/** By type: what the agent gets. A bundle and a note of Lark itself have tests of their own. */
const LINES: Readonly<Record<string, string | RegExp>> = {
  image: '[image]',
  file: '[file notes.txt]',
  folder: '[folder: papers]',
  audio: '[audio, 2 s]',
  media: '[video clip.mp4, 2 s]',
  sticker: '[sticker]',
  share_chat: /^\[shared chat: oc_\w+\]$/,
  share_user: /^\[shared contact: ou_\w+\]$/,
  location: '[location: Main street 1]',
  todo: /^\[todo: Water the plants, due 20\d\d-.* UTC\]$/,
  vote: '[vote: Lunch, Noodles / Rice]',
  calendar: MEETING,
  general_calendar: MEETING,
  share_calendar_event: MEETING,
  video_chat: /^\[video meeting: Weekly meeting, 20\d\d-.* UTC\]$/,
  hongbao: '[red packet]',
};

const ELSEWHERE = ['merge_forward', 'system'];

test('every type with a sample has a row', () => {
  expect([...Object.keys(LINES), ...ELSEWHERE].toSorted()).toEqual([...SAMPLE_TYPES].toSorted());
});

test.each(Object.entries(LINES))('LCM-IN-06: %s becomes a turn', async (messageType, line) => {
  const { user, chat } = rig.direct(`Mei ${messageType}`);
  const said = rig.cloud.say({ chat, from: user, messageType });
  const [reply] = await rig.repliesIn(chat, 1);
  expect(reply?.replyTo).toBe(said.messageId);
  if (typeof line === 'string') expect(reply?.text).toBe(line);
  else expect(reply?.text).toMatch(line);
});

test('a post in a group: without the mention of the bot, with its formats and its picture', async () => {
  const mei = rig.cloud.addUser({ name: 'Mei' });
  const tom = rig.cloud.addUser({ name: 'Tom' });
  const chat = rig.cloud.addGroup({ name: 'Team', members: [mei, tom], apps: [rig.app] });
  const owner = { kind: 'user', openId: mei.openId } as const;
  const bytes = Buffer.from('GIF89a');
  const picture = rig.cloud.addUpload({ kind: 'image', owner, bytes });
  const content = {
    title: '',
    content: [
      [
        { tag: 'at', user_id: rig.app.botOpenId },
        { tag: 'text', text: ' ask ' },
        { tag: 'at', user_id: tom.openId },
        { tag: 'text', text: ' about ' },
        { tag: 'a', text: 'this', href: 'https://x.example/' },
      ],
      [{ tag: 'code_block', language: 'PYTHON', text: 'if a:\n    b()' }],
      [{ tag: 'img', image_key: picture.key }],
    ],
  };
  rig.cloud.say({ chat, from: mei, messageType: 'post', content });
  const [reply] = await rig.repliesIn(chat, 1);
  // The agent gets `@Tom`, and its answer calls a member of the group by that.
  expect(reply?.text).toContain(`ask <at id=${tom.openId}></at> about`);
  expect(reply?.text).toContain('[image]');
});

test('forwarded messages come with the turn', async () => {
  const { user, chat } = rig.direct('Lea');
  const one = rig.cloud.say({ chat, from: user, text: 'is **this** right?', silent: true });
  rig.cloud.forward({ chat, from: user, messages: [one] });
  const [reply] = await rig.repliesIn(chat, 1);
  expect(reply?.text).toContain('[forwarded: 1 message]');
  expect(reply?.text).toContain('right?');
});

test('forwarded messages that can not be read are told, and not passed over', async () => {
  const { user, chat } = rig.direct('Noa');
  const one = rig.cloud.say({ chat, from: user, text: 'secret', silent: true });
  rig.cloud.faults.inject({
    kind: 'business_error',
    code: 230027,
    msg: 'no permission',
    path: '/im/v1/messages/',
    method: 'GET',
  });
  rig.cloud.forward({ chat, from: user, messages: [one] });
  const [reply] = await rig.repliesIn(chat, 1);
  expect(reply?.text).toBe('[forwarded messages could not be read: Lark refused with code 230027]');
});

test('a note of Lark itself starts no turn', async () => {
  const { user, chat } = rig.direct('Kim');
  rig.cloud.say({ chat, from: user, messageType: 'system' });
  rig.cloud.say({ chat, from: user, text: 'and now?' });
  const replies = await rig.repliesIn(chat, 1);
  expect(replies.map(({ text }) => text)).toEqual(['and now?']);
});

test('killed while it reads forwarded messages, the next start reads them and answers once', async () => {
  const other = await Rig.open();
  try {
    const first = await other.run();
    const { user, chat } = other.direct('Ida');
    const one = other.cloud.say({ chat, from: user, text: 'keep this', silent: true });
    const path = '/im/v1/messages/';
    other.cloud.faults.inject({ kind: 'response_hang', path, method: 'GET' });
    const bundle = other.cloud.forward({ chat, from: user, messages: [one] });
    const reads = () => other.cloud.calls({ path: `${path}${bundle.messageId}`, method: 'GET' });
    await other.cloud.waitFor(() => reads().length === 1);
    await first.stop('SIGKILL');
    await other.run();
    const [reply] = await other.repliesIn(chat, 1);
    expect(reply?.text).toContain('keep this');
    expect(reply?.replyTo).toBe(bundle.messageId);
    expect(reads()).toHaveLength(2);
    expect(other.replies(chat)).toHaveLength(1);
  } finally {
    await other.close();
  }
});
