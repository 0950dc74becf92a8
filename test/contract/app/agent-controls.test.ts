/** What people can choose of the agents on this machine: the real hub's parts on a real database and real folders. */
import { mkdirSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { EmbeddedControls, limitMsOf } from '../../../src/app/agent-controls.ts';
import type { RuntimeSessions, SessionOption } from '../../../src/agents/runtime.ts';
import type { Config } from '../../../src/config/load.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import { Directory } from '../../../src/hub/domain/directory.ts';
import { SessionChoices } from '../../../src/hub/domain/session-choices.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { SqliteFolders } from '../../../src/store/sqlite/hub/folders.ts';
import { SqliteHubStore } from '../../../src/store/sqlite/hub/hub-store.ts';
import { systemClock } from '../../../src/time/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';

const MODE: SessionOption = {
  id: 'mode',
  name: 'Mode',
  is: 'mode',
  current: 'ask',
  values: [
    { id: 'ask', name: 'Ask' },
    { id: 'auto', name: 'Auto' },
  ],
};

let base: string;
let folders: SqliteFolders;
let directory: Directory;
let controls: EmbeddedControls;
let sessions: RuntimeSessions;

beforeEach(async () => {
  base = realpathSync(temporaryFolder());
  for (const path of ['projects/deep', 'own', 'elsewhere']) {
    mkdirSync(join(base, path), { recursive: true });
  }
  const db = Db.open(join(base, 'bridge.db'), silentLog);
  onTestFinished(() => db.close());
  const store = new SqliteHubStore(db);
  folders = new SqliteFolders(db);
  directory = new Directory(store, systemClock);
  await folders.addFolder(join(base, 'projects'), 1);
  const spec = { kind: 'acp', argv: ['agent'], permissions: 'ask' } as const;
  await directory.addAgent({ name: 'coder', spec: { ...spec, folder: join(base, 'own') } });
  sessions = {
    options: () => [MODE],
    choose: () => Promise.resolve(),
    close: () => Promise.resolve(),
  };
  controls = new EmbeddedControls({
    directory,
    folders,
    choices: new SessionChoices({ store, runtimes: { sessionsOf: () => sessions } }),
    agent: (name) => (name === undefined ? directory.defaultAgent() : directory.agentNamed(name)),
    home: base,
  });
});

test('the agents are those of the hub, with the one that gets the turns', async () => {
  expect(await controls.agents()).toEqual([
    { name: 'echo', isUsual: false },
    { name: 'coder', isUsual: true },
  ]);
});

describe('R34: folders', () => {
  test('are those that the owner added, alone or with an agent, and all below them', async () => {
    expect(await controls.folders()).toEqual([join(base, 'projects'), join(base, 'own')]);
    const deep = { ok: true, path: join(base, 'projects/deep') };
    expect(await controls.folderOf(join(base, 'projects/deep'), undefined)).toEqual(deep);
    expect(await controls.folderOf('~/projects/deep', undefined)).toEqual(deep);
    expect(await controls.folderOf('deep', undefined)).toEqual(deep);
    expect(await controls.folderOf('..', join(base, 'projects/deep'))).toEqual({
      ok: true,
      path: join(base, 'projects'),
    });
  });

  test('nothing leads out of them, and what is wrong is said', async () => {
    symlinkSync(join(base, 'elsewhere'), join(base, 'projects/link'));
    const outside = { ok: false, why: 'outside' };
    for (const path of [
      '/etc',
      '../elsewhere',
      'link',
      join(base, 'projects/link'),
      '~/elsewhere',
    ]) {
      expect(await controls.folderOf(path, undefined), path).toEqual(outside);
    }
    expect(await controls.folderOf('none', undefined)).toEqual({ ok: false, why: 'missing' });
  });

  test('one that was removed, or replaced by a link, can not be had any more', async () => {
    const folder = join(base, 'projects/deep');
    expect(await controls.goneOf({ folder })).toBeUndefined();
    rmSync(folder, { recursive: true });
    symlinkSync(join(base, 'own'), folder);
    expect(await controls.goneOf({ folder })).toEqual({ folder });
    await folders.removeFolder(join(base, 'projects'));
    expect(await controls.goneOf({ folder: join(base, 'projects') })).toEqual({
      folder: join(base, 'projects'),
    });
  });
});

test('an agent that was removed can not be had any more', async () => {
  expect(await controls.goneOf({ agent: 'coder' })).toBeUndefined();
  await directory.removeAgent('coder');
  expect(await controls.goneOf({ agent: 'coder' })).toEqual({ agent: 'coder' });
});

test('what was chosen for a session is kept, unless its agent refuses', async () => {
  const session = { id: 's', isNew: false, agent: 'coder' };
  await controls.choose(session, 'mode', 'auto');
  expect(await controls.options(session)).toMatchObject([{ current: 'auto' }]);
  expect(await controls.options({ ...session, id: 'other' })).toMatchObject([{ current: 'ask' }]);
  sessions = {
    ...sessions,
    choose: () => Promise.reject(new BridgeError('failed', 'not now')),
  };
  await expect(controls.choose(session, 'mode', 'ask')).rejects.toThrow('not now');
  expect(await controls.options(session)).toMatchObject([{ current: 'auto' }]);
});

test('R30: turns of agents with a memory have their own time', async () => {
  const config = { agentTurnLimitSecs: 7_200 } as Config;
  expect(limitMsOf(await directory.agentNamed('coder'), config)).toBeGreaterThan(7_200_000);
  expect(limitMsOf(await directory.agentNamed('echo'), config)).toBeUndefined();
});
