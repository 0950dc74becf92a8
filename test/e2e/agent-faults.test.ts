/** What goes wrong around agents with a memory, and what people and the operator see of it. */
import { mkdirSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { afterEach, beforeEach, expect, test } from 'vitest';
import type { SimChat, SimUser } from '../../src/sim/world/model.ts';
import { fakeAcpAgent } from '../kit/fake-acp-agent.ts';
import { isProcessAlive, processesIn } from '../kit/processes.ts';
import { addAcpAgent } from './acp-agents.ts';
import { Rig } from './rig.ts';

let rig: Rig;
let chat: SimChat;
let user: SimUser;

beforeEach(async () => {
  rig = await Rig.open();
  ({ chat, user } = rig.direct('Mei'));
});

afterEach(async () => {
  expect(rig.bugs()).toEqual([]);
  await rig.close();
});

const say = (text: string) => rig.cloud.say({ chat, from: user, text });
const texts = () => rig.replies(chat).map(({ text }) => text);
const shows = (part: string) =>
  rig.cloud.waitFor(() => texts().some((text) => text.includes(part)));

/** Allows what the agent asks for, once it asks. */
async function allow(): Promise<void> {
  const [messageId, index] = await rig.cloud.waitFor(() => {
    for (const { messageId: id, card } of rig.replies(chat)) {
      const at = card?.buttons.findIndex(({ label }) => label.endsWith('Yes')) ?? -1;
      if (at >= 0) return [id, at] as const;
    }
    return undefined;
  });
  await rig.cloud.pressOnCard(messageId, user, { index });
}

test('R24: an agent whose own store is gone is told once what was said, and so is the person', async () => {
  const agent = fakeAcpAgent(rig.home);
  await addAcpAgent(rig, 'coder', agent);
  const prompts = () =>
    agent
      .received()
      .filter(({ method }) => method === 'session/prompt')
      .map(({ params }) => JSON.stringify(params));
  const first = await rig.runHere();
  say('say the colour is blue');
  await shows('the colour is blue');
  await first.stop();
  rmSync(join(rig.home, 'sessions'), { recursive: true });

  await rig.runHere();
  say('say and now');
  await shows('and now');
  say('say and then');
  await shows('and then');
  const told = texts().filter((text) => text.includes('could not go on with its memory'));
  expect(told).toHaveLength(1);
  expect(prompts().map((prompt) => prompt.includes('the colour is blue'))).toEqual([
    true,
    true,
    false,
  ]);
});

test('R34: a folder that is gone is told, and works again when it is back', async () => {
  const folder = join(realpathSync(rig.home), 'project');
  mkdirSync(folder);
  await addAcpAgent(rig, 'coder', fakeAcpAgent(rig.home));
  expect(await rig.command(['folders', 'add', folder])).toMatchObject({ code: 0 });
  await rig.runHere();
  say('/folder 1');
  await shows(`works in ${folder}`);
  rmSync(folder, { recursive: true });
  say('say nothing');
  await shows(`${folder} is not there any more`);
  mkdirSync(folder);
  say('/folder 1');
  await rig.repliesIn(chat, 3);
  say('readcwd');
  await rig.cloud.waitFor(() => texts()[3]?.includes(folder));
});

test('R27: a program that says on stdout why it ends is heard by the owner and kept for `trace`', async () => {
  await addAcpAgent(rig, 'coder', fakeAcpAgent(rig.home, 'deadstart=1'));
  const owner = { app_id: rig.app.appId, open_id: user.openId };
  writeFileSync(join(rig.stateDir, 'owner.json'), JSON.stringify(owner), { mode: 0o600 });
  await rig.runHere();
  const asked = say('say hello');
  await shows("The agent's program ended with exit code 1.");
  await shows('Its last words:\nPlease log in');
  const { stdout } = await rig.command(['trace', asked.messageId]);
  expect(stdout).toContain('stdout="Please log in"');
});

test('the clock set back during a question: it is answered once, and the memory goes on, also in the next process', async () => {
  const agent = fakeAcpAgent(rig.home);
  await addAcpAgent(rig, 'coder', agent);
  const file = join(rig.home, 'clock-offset');
  const preload = pathToFileURL(join(import.meta.dirname, 'clock-preload.js')).href;
  const first = await rig.run({
    env: { NODE_OPTIONS: `--import=${preload}`, CLOCK_OFFSET_FILE: file },
  });
  say('perm once ls');
  await rig.cloud.waitFor(() => rig.replies(chat).some(({ type }) => type === 'interactive'));
  const offsetMs = -2 * 60 * 60 * 1000;
  writeFileSync(file, String(offsetMs));
  first.child.kill('SIGUSR2');
  await first.saw(() => first.stderr.includes(`"clock_set":${offsetMs}\n`));
  await allow();
  await shows('allow-once');
  say('say during');
  await shows('during');
  await first.stop();

  await rig.run();
  say('say after');
  await shows('after');
  const prompted = agent.received().filter(({ method }) => method === 'session/prompt');
  expect(prompted).toHaveLength(3);
  expect(new Set(prompted.map(({ params }) => params?.['sessionId'])).size).toBe(1);
  for (const part of ['allow-once', 'during', 'after']) {
    expect(texts().filter((text) => text.includes(part))).toHaveLength(1);
  }
});

test('R1: a second daemon, on the same state directory or beside it, leaves the agents of the first alone', async () => {
  const other = await Rig.open();
  try {
    const agent = fakeAcpAgent(rig.home);
    await addAcpAgent(rig, 'coder', agent);
    await addAcpAgent(other, 'coder', agent);
    const first = await rig.run();
    say('perm once ls');
    await rig.cloud.waitFor(() => rig.replies(chat).some(({ type }) => type === 'interactive'));
    const programs = processesIn(rig.home);

    expect(await rig.program(['run'])).toMatchObject({
      code: 5,
      stderr: expect.stringContaining('another lark-bridge runs on'),
    });
    const beside = await other.run();
    const there = other.direct('Tom');
    other.cloud.say({ chat: there.chat, from: there.user, text: 'say hello' });
    await other.repliesIn(there.chat, 1);
    await beside.stop('SIGKILL');
    await other.run();
    other.cloud.say({ chat: there.chat, from: there.user, text: 'say again' });
    await other.repliesIn(there.chat, 2);

    expect(programs.filter((pid) => !isProcessAlive(pid))).toEqual([]);
    await allow();
    await shows('allow-once');
    expect(first.child.exitCode).toBe(null);
    const started = agent.received().filter(({ method }) => method === 'initialize');
    expect(started).toHaveLength(3);
    expect(other.bugs()).toEqual([]);
  } finally {
    await other.close();
  }
});
