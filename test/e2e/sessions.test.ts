/** A coding agent with a memory behind the bot: the built program, a real process that speaks ACP, real sockets. */
import { mkdirSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Directory } from '../../src/hub/domain/directory.ts';
import type { SimChat, SimUser } from '../../src/sim/world/model.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { SqliteFolders } from '../../src/store/sqlite/hub/folders.ts';
import { SqliteHubStore } from '../../src/store/sqlite/hub/hub-store.ts';
import { systemClock } from '../../src/time/clock.ts';
import { type FakeAcpAgent, fakeAcpAgent } from '../kit/fake-acp-agent.ts';
import { silentLog } from '../kit/log.ts';
import { type BridgeProcess, Rig } from './rig.ts';

let rig: Rig;
let agent: FakeAcpAgent;
let folder: string;
let chat: SimChat;
let user: SimUser;

beforeEach(async () => {
  rig = await Rig.open();
  agent = fakeAcpAgent(rig.home);
  folder = join(realpathSync(rig.home), 'project');
  mkdirSync(folder);
  mkdirSync(rig.stateDir, { mode: 0o700 });
  const db = Db.open(join(rig.stateDir, 'bridge.db'), silentLog);
  const spec = { kind: 'acp', argv: agent.argv, permissions: 'ask' } as const;
  await new Directory(new SqliteHubStore(db), systemClock).addAgent({ name: 'coder', spec });
  await new SqliteFolders(db).addFolder(folder, 1);
  db.close();
  ({ chat, user } = rig.direct('Mei'));
});

afterEach(async () => {
  expect(rig.bugs()).toEqual([]);
  await rig.close();
});

const say = (text: string, of = chat) => rig.cloud.say({ chat: of, from: user, text });
const textsIn = (of = chat) => rig.replies(of).map(({ text }) => text);
const shows = (text: string, of = chat) =>
  rig.cloud.waitFor(() => textsIn(of).some((one) => one.includes(text)));
const prompts = () =>
  agent.received().flatMap(({ method, params }) => {
    if (method !== 'session/prompt') return [];
    const blocks = params?.['prompt'] as readonly { readonly text?: string }[];
    return { session: params?.['sessionId'], text: blocks.map(({ text }) => text ?? '').join('') };
  });

test('R34, CG-CMD-04: a task runs in the folder that was chosen, and the next words go on with it', async () => {
  await rig.runHere();
  say('/folder 1');
  await shows(`works in ${folder}`);
  say('/task readcwd');
  await shows(`A new conversation with coder begins in ${folder}.`);
  await rig.cloud.waitFor(() => textsIn().filter((text) => text.includes(folder)).length >= 3);
  say('say and then this');
  await shows('and then this');
  const [first, second] = prompts();
  expect(first?.text).toContain('readcwd');
  expect(second?.session).toBe(first?.session);
  say('/new');
  await shows('A new conversation begins');
  say('say elsewhere');
  await shows('elsewhere');
  expect(prompts().at(-1)?.session).not.toBe(first?.session);
  say('/resume 2');
  await shows('We go on with');
  say('say back again');
  await shows('back again');
  expect(prompts().at(-1)?.session).toBe(first?.session);
});

/** An agent at work on a turn, of which something has been shown. */
async function atWork(): Promise<{ readonly bridge: BridgeProcess; readonly session: unknown }> {
  const bridge = await rig.run();
  say('say remember this');
  await shows('remember this');
  say('say half of it\nhang');
  await shows('half of it');
  return { bridge, session: prompts().at(-1)?.session };
}

test.each([
  ['R23, R24: a SIGKILL', 'SIGKILL'],
  ['R25: a clean stop', 'SIGTERM'],
] as const)(
  '%s in the middle of a turn: the chat is asked, nothing is sent again by itself, and the memory goes on',
  async (_name, signal) => {
    const { bridge, session } = await atWork();
    await bridge.stop(signal);
    const before = prompts().length;
    await rig.runHere();
    await shows('was interrupted in the middle of this');
    say('say and on');
    await shows('and on');
    expect(prompts().slice(before)).toMatchObject([{ session }]);
    say('/skip');
    await shows('Skipped.');
    expect(prompts()).toHaveLength(before + 1);
  },
);
