/** What people meet in a chat, one thing after another, at one daemon of the built program for each language. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { publishMessage } from '../../src/sim/socket/events.ts';
import type { Language } from '../../src/core/language.ts';
import type { SimChat, SimUser } from '../../src/sim/world/model.ts';
import { Rig } from './rig.ts';

/** Does what the text says. With `work` it works until somebody ends it. */
const AGENT = String.raw`
const { writeFileSync } = require('node:fs');
const say = (line) => console.log(JSON.stringify(line));
require('node:readline').createInterface({ input: process.stdin }).once('line', (line) => {
  const { text } = JSON.parse(line);
  if (text === 'work') {
    say({ type: 'step', id: '1', title: 'step', status: 'done' });
    say({ type: 'text', text: 'half' });
    return;
  }
  if (text === 'exit') process.exit(3);
  if (text === 'files') writeFileSync(process.env.LARK_OUTPUT_DIR + '/empty.txt', '');
  say({ type: 'final', text: text === 'nothing' ? '' : 'got ' + text });
  process.exit(0);
});`;

const STALE_MS = 31 * 60_000;
/** What is the same in both languages: names, ids, codes, commands, files, and what people and the agent say. */
const SAME = [
  /\b(?:Mei|Tom|Lin|Lark|AI|Open id|CODE|new_type|step|half)\b/g,
  /\bou_\w+|\b[\da-f-]{36}\b|\b[\da-f]{8}\b|\b[3-9A-Z]{8}\b|\b\w+\.txt\b|got .*|@name/g,
  /\/follow (?:turns|errors|questions|tools)|\/\w+(?: en \| zh \| auto)?/g,
  // Words that people type after a command.
  /\[turns \| errors \| questions \| tools\]|\b(?:reset|always|remove|off|UTC|echo)\b|lark-bridge folders add|\d\. a$/gm,
];

type Pair = readonly [en: string, zh: string];

interface Place {
  readonly user: SimUser;
  readonly chat: SimChat;
}

const LANGUAGES = ['en', 'zh'] as const;

interface Scene {
  readonly rig: Rig;
  readonly owner: Place;
  readonly guest: Place;
}

const scenes = new Map<Language, Scene>();

async function open(lang: Language): Promise<void> {
  const rig = await Rig.open({ rateLimits: false });
  const [owner, guest] = [rig.direct('Mei'), rig.direct('Tom')];
  scenes.set(lang, { rig, owner, guest });
  rig.app.subscriptions.add('im.message.updated_v1');
  const script = join(rig.home, 'agent.cjs');
  writeFileSync(script, AGENT);
  const exec = `'${process.execPath}' '${script}'`;
  const words = ['agents', 'add', 'a', '--stream', '--exec', exec];
  expect(await rig.command(words)).toMatchObject({ code: 0 });
  mkdirSync(rig.stateDir, { recursive: true, mode: 0o700 });
  const note = JSON.stringify({ app_id: rig.app.appId, open_id: owner.user.openId });
  writeFileSync(join(rig.stateDir, 'owner.json'), note, { mode: 0o600 });
  await rig.run({
    env: {
      LARK_BRIDGE_LANG: lang,
      LARK_BRIDGE_ACCESS: 'pairing',
      LARK_BRIDGE_BURST_WAIT_SECS: '0',
      LARK_BRIDGE_CALL_LIMITS: 'off',
    },
  });
}

beforeAll(() => Promise.all(LANGUAGES.map(open)));

afterAll(() => Promise.all([...scenes.values()].map(({ rig }) => rig.close())));

describe.each([
  ['en', 0, /\p{Script=Han}/u],
  ['zh', 1, /[a-z]{2}/i],
] as const)('in %s', (lang, at, foreign) => {
  let rig: Rig;
  let owner: Place;
  let guest: Place;

  beforeAll(() => {
    const scene = scenes.get(lang);
    if (scene === undefined) throw new Error('nothing was opened');
    ({ rig, owner, guest } = scene);
  });

  afterAll(() => {
    expect(rig.bugs()).toEqual([]);
  });

  /** Does something, and waits until the chat shows a message that says this and did not say it before. */
  async function shows({ chat }: Pick<Place, 'chat'>, pair: Pair, act: () => unknown) {
    const fits = () => rig.replies(chat).filter(({ text }) => text.includes(pair[at]));
    const before = new Set(fits().map(({ messageId }) => messageId));
    await act();
    return rig.cloud.waitFor(() => fits().find(({ messageId }) => !before.has(messageId)));
  }

  const say = ({ chat, user: from }: Place, text: string) => rig.cloud.say({ chat, from, text });
  const asks = (text: string, pair: Pair) => shows(owner, pair, () => say(owner, text));
  const press = (messageId: string, index: number) =>
    rig.cloud.pressOnCard(messageId, owner.user, { index });

  test('people are welcomed, and the owner lets them in and keeps them out', async () => {
    await shows(owner, ['Just write here.', '直接在这里写即可。'], () =>
      rig.cloud.openDirectChat(owner.user, rig.app),
    );
    const request = await shows(owner, ['wants to talk to me.', '想和我对话。'], () =>
      shows(guest, ['Your code is ', '你的配对码是 '], () => say(guest, 'keep this')),
    );
    const labels = request.card?.buttons.map(({ label }) => label);
    expect(labels).toEqual(at === 0 ? ['Allow', 'Block'] : ['允许', '屏蔽']);
    await shows(owner, ['may talk to me now.', '现在可以和我对话了。'], () =>
      shows(guest, ['got keep this', 'got keep this'], () => press(request.messageId, 0)),
    );

    const lin = rig.cloud.addUser({ name: 'Lin' });
    const members = [owner.user, guest.user, lin];
    const chat = rig.cloud.addGroup({ name: 'Team', members, apps: [rig.app] });
    const mention = (from: SimUser, text: string, ...others: readonly SimUser[]) =>
      rig.cloud.say({ chat, from, text, mentions: [rig.app, ...others] });
    await shows({ chat }, ["I don't know you yet", '我还不认识你'], () => mention(lin, 'hello'));
    await shows({ chat }, ['got hello', 'got hello'], () => mention(owner.user, '/allow'));
    await shows({ chat }, ['I do not answer there', '我不再回答'], () =>
      mention(owner.user, '/block'),
    );
    await shows({ chat }, ['the permission is taken back', '已撤销许可'], () =>
      mention(owner.user, '{0} /revoke {1}', guest.user),
    );
    const own = rig.cloud.addGroup({ name: 'Own', members });
    await shows({ chat: own }, ['Everybody here may do so.', '这里的每个人都可以。'], () =>
      rig.cloud.addBot(own, rig.app, owner.user),
    );
  });

  test('each command has its answer, by word and by the menu', async () => {
    const nothing: Pair = ['Nothing of yours waits', '这里没有需要你决定的消息'];
    const idle: Pair = ['Nothing of yours is at work', '这里没有正在处理的你的消息'];
    const begins: Pair = ['new conversation begins', '新的对话从这里开始'];
    const help: Pair = ['These words are for me', '以下命令由我处理'];
    const state: Pair = ['Connection to Lark: up', '与 Lark 的连接：已保持'];
    const usage: Pair = ['Please write it like this', '请这样输入'];
    const answers: Readonly<Record<string, Pair>> = {
      '/help': help,
      '/status': state,
      '/whoami': ['Rights: owner of this bot', '权限：机器人的所有者'],
      '/queue': ['Waiting here: nothing', '排队：无'],
      '/new': begins,
      '/stop': idle,
      '/retry': nothing,
      '/run': nothing,
      '/skip': nothing,
      '/lang xx': usage,
      '/lang auto': ['the language of this bot', '机器人的默认语言'],
      '/allow': ['needs more', '需要更多内容'],
      '/allow ABCDEFGH': ['no such person or code', '不认识这个人或这个配对码'],
      '/hlep': ['Did you mean /help?', '你是想输入 /help 吗？'],
      '/sessions': ['There is no conversation here yet', '这里还没有对话'],
      '/resume zzz': ['no such conversation', '没有找到你可以在这里回到的对话'],
      '/search 8765': ['Nothing that was said lately', '最近的对话中没有找到'],
      '/today': ['Nothing happened here today', '今天这里没有任何活动'],
      '/agent': ['Agents. Write /agent', '智能体列表'],
      '/agent 8765': ["I don't know an agent", '我不认识智能体'],
      '/folder': ['No folders can be chosen', '没有可以选择的文件夹'],
      '/mode': ['The agent says what can be chosen', '才会说明可以选择什么'],
      '/model': ['The agent says what can be chosen', '才会说明可以选择什么'],
      '/task': usage,
      '/approve': ['No agent asks here', '没有智能体在请求许可'],
      '/approvals': ['Nothing is allowed always', '没有始终允许的操作'],
      '/follow': ['follows nothing of other chats', '没有关注其他会话'],
      '/follow errors': ['what went wrong', '出现的问题'],
      '/follow errors off': ['follows nothing', '没有关注'],
      '/report 8:765': usage,
      '/report 18:00': ['I send a report here each day', '在这里发送报告'],
      '/report off': ['I send no report here any more', '我不再在这里发送报告'],
    };
    for (const [word, pair] of Object.entries(answers)) await asks(word, pair);
    for (const [key, pair] of Object.entries({ help, new: begins, stop: idle, status: state })) {
      await shows(owner, pair, () => rig.cloud.chooseMenu(rig.app, owner.user, key));
    }
  });

  test('a turn at work has a card, may be changed, stopped and withdrawn', async () => {
    const working: Pair = ['Working · ', '正在处理 · '];
    const asked = () => rig.replies(owner.chat).at(-1)?.replyTo ?? '';
    const card = await asks('work', working);
    expect(card.card?.buttons.map(({ label }) => label)).toEqual([['Stop', '停止'][at]]);
    await shows(owner, ['already working on your message', '已经在处理修改前的消息'], () =>
      rig.cloud.edit(asked(), { text: 'work 2' }),
    );
    await shows(owner, ['Stopped.', '已停止。'], () => press(card.messageId, 0));
    await asks('work', working);
    await shows(owner, ['This work is over.', '处理已结束。'], () => rig.cloud.recall(asked()));
  });

  test('whatever goes wrong is told', async () => {
    await asks('nothing', ['finished without an answer', '没有给出回答']);
    await asks('files', ['empty.txt (empty)', 'empty.txt（内容为空）']);
    const ended: Pair = ['ended with exit code 3', '退出码为 3'];
    await asks('exit', ended);
    await asks('/retry', ended);
    // The text, and the file that takes its place.
    const answer = { path: '/reply', body: 'got hello' };
    rig.cloud.faults.inject({ kind: 'business_error', ...answer, code: 230001 });
    rig.cloud.faults.inject({ kind: 'business_error', path: '/im/v1/files', code: 234006 });
    await asks('hello', ['Lark refused to show the answer', 'Lark 拒绝显示这个回答']);
    await asks('\u200B', ['I see no question', '没有看到问题']);

    const sender = { kind: 'user', openId: owner.user.openId } as const;
    const sent = (msgType: string, content: string) => () =>
      publishMessage(
        rig.cloud.cloud,
        rig.cloud.world.post({ chat: owner.chat, sender, msgType, content }),
      );
    await shows(owner, ["can't read messages of this kind", '无法读取这种类型的消息'], () => {
      sent('new_type', '{}')();
    });
    await shows(owner, ['reached me damaged', '到达时已损坏'], sent('text', '{}'));
    const { key } = rig.cloud.addUpload({ kind: 'file', owner: sender, bytes: Buffer.alloc(0) });
    const file = JSON.stringify({ file_key: key, file_name: 'none.txt' });
    await shows(owner, ['none.txt (it is empty)', 'none.txt（内容为空）'], sent('file', file));
  });

  test('old messages wait for a decision', async () => {
    const { chat, user: from } = owner;
    const atMs = rig.cloud.cloud.clock.nowMs() - STALE_MS;
    const card = await shows(owner, ['I was away', '我不在线'], () =>
      rig.cloud.say({ chat, from, text: 'late', atMs }),
    );
    const labels = card.card?.buttons.map(({ label }) => label);
    expect(labels).toEqual(at === 0 ? ['Run', 'Skip'] : ['运行', '跳过']);
    await shows(owner, ['got late', 'got late'], () => press(card.messageId, 0));
  });

  test('nothing was said in another language, except to whom has chosen one', () => {
    const chats = [...rig.cloud.world.chats.values()];
    const shown = chats.flatMap((chat) =>
      rig
        .replies(chat)
        .flatMap(({ text, card }) => [text, ...(card?.before ?? []).map((one) => one.text)]),
    );
    const own = shown.map((text) => SAME.reduce((rest, same) => rest.replaceAll(same, ''), text));
    expect(shown.length).toBeGreaterThan(40);
    expect(own.filter((text) => foreign.test(text))).toEqual([]);
  });

  test('who has chosen the other language reads that', async () => {
    const { chat } = owner;
    const other = lang === 'en' ? 'zh' : 'en';
    const [chosen = '', state = ''] =
      other === 'zh'
        ? ['从现在起我用中文回复你。', '权限：机器人的所有者']
        : ['From now on I write to you in English.', 'Rights: owner of this bot'];
    await shows({ chat }, [chosen, chosen], () => say(owner, `/lang ${other}`));
    await shows({ chat }, [state, state], () => say(owner, '/whoami'));
  });
});
