/** The program at a remote platform whose target takes turns without a ticket and answers into the inbox. */
import { renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { PlatformDouble } from '../contract/platform/double.ts';
import { type Bridge, Rig } from './rig.ts';

let rig: Rig;
let platform: PlatformDouble;
let env: Record<string, string>;

beforeEach(async () => {
  rig = await Rig.open();
  platform = await new PlatformDouble().open();
  env = {
    PLATFORM_URL: platform.url,
    WORKSPACE_ID: platform.own,
    MOLECULE_WORKSPACE_TOKEN: platform.token ?? '',
    MOLECULE_TARGET_WORKSPACE_ID: platform.target,
  };
});

afterEach(async () => {
  await rig.close();
  await platform.close();
});

const run = (more: Record<string, string> = {}): Promise<Bridge> =>
  rig.runHere({ env: { ...env, ...more } });

/** Somebody asks, and the target gets it. */
async function ask({ user, chat }: ReturnType<Rig['direct']>, text: string): Promise<void> {
  const before = platform.turns.length;
  rig.cloud.say({ chat, from: user, text });
  await expect.poll(() => platform.turns.length).toBe(before + 1);
  expect(platform.turns.at(-1)?.text).toContain(text);
}

const textsIn = ({ chat }: ReturnType<Rig['direct']>) => rig.replies(chat).map(({ text }) => text);

async function lateAnswers(): Promise<string[]> {
  const { stdout } = await rig.command(['dead-letters', 'late', '--json', '--text']);
  const { late_answers: kept } = JSON.parse(stdout) as { late_answers: { text: string }[] };
  return kept.map(({ text }) => text);
}

test('LCM-OUT-01, LCM-OUT-02, LCM-IN-11, MOL-INB-09: one turn at a time, its answer found in the inbox; a late one stays aside', async () => {
  await rig.runHere({ env, words: ['run', '--json', '--turn-timeout-secs', '8'] });
  const [one, two] = [rig.direct('Mei'), rig.direct('Tom')];
  await ask(one, 'first');
  expect(platform.turns[0]?.text).toMatch(/^\[lark-channel\] brand=feishu .*\nfirst$/);
  rig.cloud.say({ chat: two.chat, from: two.user, text: 'second' });
  platform.say('answer to first');
  const [answer] = await rig.repliesIn(one.chat, 1);
  expect(answer?.text).toBe('answer to first');
  expect(answer?.replyTo).toBeDefined();
  // The second one gets no answer in its time; the third one's answer comes after the late one.
  await expect.poll(() => platform.turns.length).toBe(2);
  rig.cloud.say({ chat: one.chat, from: one.user, text: 'third' });
  await expect.poll(() => platform.turns.length).toBe(3);
  platform.say('late answer to second');
  platform.say('answer to third');
  await expect.poll(() => textsIn(one)).toContain('answer to third');
  expect(await lateAnswers()).toEqual(['late answer to second']);
  expect([...textsIn(one), ...textsIn(two)].join('\n')).not.toContain('late answer');
  expect(textsIn(two).join()).toContain('took too long');
});

test('LCM-OUT-09, MOL-RES-16: answers that name their question by its token, in any order; progress is no answer', async () => {
  await run();
  const [mei, tom] = [rig.direct('Mei'), rig.direct('Tom')];
  await ask(mei, 'first');
  const token = / reply_token=(\S+)\nfirst$/.exec(platform.turns[0]?.text ?? '')?.[1] ?? '';
  expect(token).not.toBe('');
  const parts = [{ kind: 'text', text: 'Thinking…' }];
  const status = { state: 'working', message: { parts } };
  platform.say('x', { request_body: { jsonrpc: '2.0', result: { kind: 'task', status } } });
  platform.say(`[re:${token}] answer to first`);
  await expect.poll(() => textsIn(mei)).toEqual(['answer to first']);
  await ask(tom, 'second');
  const [, wish] = platform.turns[1]?.text.split('\n') ?? [];
  const other = /begin your answer.*\[re:(\S+)\]$/.exec(wish ?? '')?.[1] ?? '';
  platform.say(`[re:${token}] and one thing more`);
  const file = { kind: 'file', file: { uri: 'workspace:/plan.pdf', name: 'plan.pdf' } };
  const said = { kind: 'text', text: `[re:${other}] answer to second` };
  platform.say('x', { request_body: { params: { message: { parts: [said, file] } } } });
  await expect.poll(() => textsIn(tom).length).toBe(1);
  expect(textsIn(tom)[0]).toMatch(/^answer to second\n\n.*plan\.pdf$/);
  await expect.poll(() => textsIn(mei)).toEqual(['answer to first', 'and one thing more']);
  const [one, more] = rig.replies(mei.chat);
  expect(more?.replyTo).toBe(one?.replyTo);
  expect(await lateAnswers()).toEqual([]);
});

test('LCM-OUT-05, LCM-ENV-08: what the target says unasked, and an answer that came while nobody was there', async () => {
  const [ops, mei] = [rig.direct('Ops'), rig.direct('Mei')];
  const more = { LARK_DEFAULT_CHAT_ID: ops.chat.chatId };
  const first = await rig.run({ env: { ...env, ...more, LARK_LOG_LEVEL: 'debug' } });
  platform.say('nobody has written yet');
  await expect.poll(() => textsIn(ops)).toEqual(['nobody has written yet']);
  await ask(mei, 'first');
  // That the platform has the turn is known before the kill: else it would be in doubt.
  await first.saw(() => first.stderr.includes('"on":"sent"'));
  // The answer comes while nobody is there to take it, and something unasked after it.
  await first.stop('SIGKILL');
  platform.say('answer to first');
  await run(more);
  await expect.poll(() => textsIn(mei)).toEqual(['answer to first']);
  platform.say('unasked');
  await expect.poll(() => textsIn(mei)).toEqual(['answer to first', 'unasked']);
  expect(rig.replies(mei.chat).at(-1)?.replyTo).toBeUndefined();
  expect(textsIn(ops)).toEqual(['nobody has written yet']);
  expect(platform.turns).toHaveLength(1);
  expect(rig.bugs()).toEqual([]);
});

test('MOL-ACT-05, MOL-INB-03: a platform that forgets the place in the inbox costs nothing', async () => {
  const mei = rig.direct('Mei');
  const bridge = await run();
  await ask(mei, 'first');
  platform.say('answer to first');
  await expect.poll(() => textsIn(mei)).toEqual(['answer to first']);
  platform.forgetRows();
  await expect.poll(() => bridge.logged('inbox_cursor_lost')).toBe(true);
  await ask(mei, 'second');
  platform.say('answer to second');
  await expect.poll(() => textsIn(mei)).toEqual(['answer to first', 'answer to second']);
});

test('MOL-HDR-10, MOL-REG-06: a platform that comes late and a token that changes cost no message', async () => {
  const file = join(rig.home, 'token');
  writeFileSync(file, `${platform.token}\n`);
  const { MOLECULE_WORKSPACE_TOKEN: _, ...others } = env;
  const port = Number(new URL(platform.url).port);
  await platform.close();
  const bridge = await rig.runHere({ env: { ...others, MOLECULE_WORKSPACE_TOKEN_FILE: file } });
  expect(bridge.logged('register_failed')).toBe(true);
  const mei = rig.direct('Mei');
  rig.cloud.say({ chat: mei.chat, from: mei.user, text: 'first' });
  await platform.open(port);
  await expect.poll(() => platform.turns.length).toBe(1);
  platform.token = 'wst-second';
  await expect.poll(() => bridge.logged('token_refused')).toBe(true);
  platform.say('answer to first');
  writeFileSync(`${file}.new`, 'wst-second');
  renameSync(`${file}.new`, file);
  await expect.poll(() => textsIn(mei)).toEqual(['answer to first']);
  expect(bridge.logged('token_accepted')).toBe(true);
  expect(bridge.stderr).not.toContain('wst-');
});

test('MOL-RES-09, MOL-ACT-06, MOL-CC-01: what is wrong between the workspaces is told at the start, and runs as far as it can', async () => {
  platform.mayTalk = false;
  platform.knowsCursors = false;
  const bridge = await run();
  const told = bridge.stderr.split('\n').filter((line) => line.includes('platform_found_wanting'));
  expect(told.map((line) => (JSON.parse(line) as { finding: string }).finding)).toEqual([
    'target_forbidden',
    'no_cursors',
  ]);
  const mei = rig.direct('Mei');
  rig.cloud.say({ chat: mei.chat, from: mei.user, text: 'first' });
  await rig.repliesIn(mei.chat, 1);
  expect(textsIn(mei).join()).toContain('could not pass your message to the agent: access denied');
  platform.mayTalk = true;
  await ask(mei, 'second');
  platform.say('answer to second');
  await expect.poll(() => textsIn(mei).at(-1)).toBe('answer to second');
});

test('LCM-ENV-03: a token that the platform refuses ends with 3', async () => {
  const { code, stderr } = await rig.command(['run'], {
    env: { ...env, MOLECULE_WORKSPACE_TOKEN: 't-wrong' },
  });
  expect(code).toBe(3);
  expect(stderr).toContain('MOLECULE_WORKSPACE_TOKEN');
  expect(stderr).not.toContain('t-wrong');
});
