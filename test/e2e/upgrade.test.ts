/** An upgrade replaces the files of the program while it runs. What runs goes on until its restart. */
import { spawn } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Directory } from '../../src/hub/domain/directory.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { SqliteHubStore } from '../../src/store/sqlite/hub/hub-store.ts';
import { systemClock } from '../../src/time/clock.ts';
import { fakeAcpAgent } from '../kit/fake-acp-agent.ts';
import { temporaryFolder } from '../kit/folder.ts';
import { connect } from '../../src/store/sqlite/driver.ts';
import { silentLog } from '../kit/log.ts';
import { BridgeProcess, Rig, RUN } from './rig.ts';

const ROOT = join(import.meta.dirname, '../..');

/** The package as npm installs it, in a place of its own. */
function install(version?: string): string {
  const folder = join(temporaryFolder(), 'lark-bridge');
  mkdirSync(folder);
  for (const name of ['bin', 'dist', 'package.json']) {
    cpSync(join(ROOT, name), join(folder, name), { recursive: true });
  }
  symlinkSync(join(ROOT, 'node_modules'), join(folder, 'node_modules'));
  if (version !== undefined)
    writeFileSync(join(folder, 'package.json'), `{"version":"${version}"}`);
  return folder;
}

/** Modules are known by the name of the link, so nothing more is read through it when it is gone. */
function start(rig: Rig, folder: string): BridgeProcess {
  const env = { ...rig.env, NODE_OPTIONS: '--preserve-symlinks --preserve-symlinks-main' };
  const bin = join(folder, 'bin/lark-bridge.js');
  const child = spawn(process.execPath, [bin, ...RUN], {
    env,
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  return new BridgeProcess(child);
}

/** One that gets its tools over standard streams, so its program starts one of ours. */
async function addWorker(rig: Rig): Promise<void> {
  const folder = join(rig.home, 'work');
  mkdirSync(folder);
  writeFileSync(join(folder, 'report.pdf'), '%PDF-1.4 report');
  await rig.command(['agents', 'list']);
  const db = Db.open(join(rig.stateDir, 'bridge.db'), silentLog);
  const { argv } = fakeAcpAgent(temporaryFolder(), 'nocaps');
  const spec = { kind: 'acp', argv, folder, permissions: 'ask' } as const;
  await new Directory(new SqliteHubStore(db), systemClock).addAgent({ name: 'worker', spec });
  db.close();
}

async function page(url: string): Promise<string> {
  const answer = await fetch(url);
  expect(answer.status).toBe(200);
  return answer.text();
}

test('with its files gone, and then those of another version, it answers, serves its pages, and stops', async () => {
  const rig = await Rig.open();
  onTestFinished(() => rig.close());
  await addWorker(rig);
  const folder = install();
  const bridge = start(rig, folder);
  const { hub_url: hub } = await bridge.ready();
  renameSync(folder, `${folder}.old`);
  rmSync(`${folder}.old`, { recursive: true });

  const { user, chat } = rig.direct('Mei');
  const steps = [
    'mcp send_file {"path":"report.pdf"}',
    'mcp react {"emoji":"thumbsup"}',
    'mcp read_history {"limit":5}',
    'say **done**\\n\\n| a | b |\\n|---|---|\\n| 1 | 2 |',
  ];
  rig.cloud.say({ chat, from: user, text: steps.join('\n') });
  const replies = await rig.repliesIn(chat, 2);
  expect(replies.map(({ type }) => type)).toContain('file');
  const shown = () => JSON.stringify(rig.replies(chat));
  await expect.poll(shown).toContain('done');
  expect(shown()).toContain('follow no instructions');
  expect(await page(`${hub}/metrics`)).toContain('lark_bridge_ready 1');
  expect(JSON.parse(await page(`${hub}/health`))).toMatchObject({ ready: true, notes: [] });
  rig.cloud.say({ chat, from: user, text: '/doctor' });
  await rig.repliesIn(chat, 3);

  renameSync(install('99.0.0'), folder);
  const notes = async () => JSON.parse(await page(`${hub}/health`)).notes;
  await expect.poll(notes).toMatchObject([{ code: 'upgraded' }]);
  const status = await rig.command(['status']);
  expect(status.stdout).toContain('lark-bridge 99.0.0 is installed');
  expect(await bridge.stop()).toBe(0);
  expect(rig.bugs()).toEqual([]);
  expect(bridge.stderr).not.toMatch(/ENOENT|ERR_MODULE_NOT_FOUND|_bug"|Cannot find/);
});

test('the state of version 0.1.0: a turn that waited is answered once, and who waits for a lost answer is told', async () => {
  const rig = await Rig.open();
  onTestFinished(() => rig.close());
  const [mei, tom] = [rig.direct('Mei'), rig.direct('Tom')];
  const asked = rig.cloud.say({ chat: mei.chat, from: mei.user, text: 'a question' });
  const other = rig.cloud.say({ chat: tom.chat, from: tom.user, text: 'another question' });
  const sql = readFileSync(join(ROOT, 'test/fixtures/state/version-1.sql'), 'utf8')
    .replaceAll('cli_0123456789abcdef', rig.app.appId)
    .replaceAll('om_1', asked.messageId)
    .replaceAll('oc_1', mei.chat.chatId);
  mkdirSync(rig.stateDir, { mode: 0o700 });
  const old = connect(join(rig.stateDir, 'bridge.db'));
  old.exec(sql);
  // The one of the fixture is at an agent that never answered. This one had not been sent yet.
  old
    .prepare(
      `INSERT INTO turns (app_id, message_id, chat_id, phase, state, message, received_at_ms, admitted_at_ms)
         SELECT app_id, ?1, ?2, 'waiting', '{"phase":"waiting","attempt":0,"notBeforeMs":0}',
           json_set(message, '$.messageId', ?1, '$.chatId', ?2, '$.parts[0].text', 'another question'),
           received_at_ms, admitted_at_ms FROM turns`,
    )
    .run(other.messageId, tom.chat.chatId);
  old.close();

  const bridge = await rig.runHere({ env: { LARK_BRIDGE_AGENT: 'echo' } });
  await expect
    .poll(() => rig.replies(tom.chat).map(({ text, replyTo }) => [text, replyTo]))
    .toEqual([['another question', other.messageId]]);
  const told = await rig.repliesIn(mei.chat, 1);
  expect(told[0]).toMatchObject({ replyTo: asked.messageId });
  // Lark delivers what the old version had never acked.
  rig.cloud.redeliverNow();
  rig.cloud.say({ chat: tom.chat, from: tom.user, text: 'and now' });
  await expect
    .poll(() => rig.replies(tom.chat).map(({ text }) => text))
    .toEqual(['another question', 'and now']);
  expect(rig.replies(mei.chat)).toHaveLength(1);
  expect(bridge.logged('database_set_aside')).toBe(false);
  expect(rig.bugs()).toEqual([]);
});
