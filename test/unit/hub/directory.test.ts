import { join } from 'node:path';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { Directory } from '../../../src/hub/domain/directory.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { SqliteHubStore } from '../../../src/store/sqlite/hub/hub-store.ts';
import { silentLog } from '../../kit/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { clockWithoutTimers } from '../../kit/clock.ts';

let folder: string;
let db: Db;
let directory: Directory;
const time = { nowMs: 1000 };

beforeEach(() => {
  folder = temporaryFolder();
  db = Db.open(join(folder, 'bridge.db'), silentLog);
  const clock = clockWithoutTimers(() => time.nowMs);
  directory = new Directory(new SqliteHubStore(db), clock);
});
afterEach(() => {
  db.close();
});

const exec = { kind: 'exec', argv: ['./answer.sh', '--short', 'two words'] } as const;
const external = { kind: 'external' } as const;

async function errorOf(work: Promise<unknown>): Promise<BridgeError> {
  const thrown: unknown = await work.catch((error: unknown) => error);
  expect(thrown).toBeInstanceOf(BridgeError);
  return thrown as BridgeError;
}

test('echo is there from the first moment and can not be removed', async () => {
  const [echo] = await directory.listAgents();
  expect(echo).toMatchObject({ name: 'echo', spec: { kind: 'echo' }, builtIn: true });
  expect(await directory.defaultAgent()).toEqual(echo);
  expect((await errorOf(directory.removeAgent('echo'))).message).toContain('built in');
  expect(await directory.listAgents()).toHaveLength(1);
});

test('the default agent is the newest that was added, or echo when all are gone', async () => {
  const added = await directory.addAgent({ name: 'first', spec: exec });
  expect(added.apiKey.reveal()).toMatch(/^lr_[0-9a-f]{64}$/);
  // In the same millisecond the order of adding decides.
  await directory.addAgent({ name: 'a-second', spec: external });
  expect((await directory.defaultAgent()).name).toBe('a-second');
  await directory.removeAgent('a-second');
  expect(await directory.defaultAgent()).toEqual({
    name: 'first',
    workspaceId: added.workspaceId,
    spec: exec,
    createdAtMs: time.nowMs,
    builtIn: false,
  });
  await directory.removeAgent('first');
  expect((await directory.defaultAgent()).name).toBe('echo');
});

test('a name can be used again, for another workspace', async () => {
  const before = await directory.addAgent({ name: 'again', spec: exec });
  await directory.removeAgent('again');
  const after = await directory.addAgent({ name: 'again', spec: external });
  expect(after.workspaceId).not.toBe(before.workspaceId);
  expect((await directory.agentNamed('again')).spec).toEqual(external);
});

test.each(['', 'Upper', 'with space', 'ümlaut', 'x'.repeat(41), '../x', 'a_b'])(
  'the name %j is refused',
  async (name) => {
    const error = await errorOf(directory.addAgent({ name, spec: exec }));
    expect(error.code).toBe('usage');
    expect(error.next).toContain('1 to 40');
  },
);

test('a name that is taken, an empty command and an unknown agent are refused with the way out', async () => {
  await directory.addAgent({ name: 'x'.repeat(40), spec: exec });
  const taken = await errorOf(directory.addAgent({ name: 'x'.repeat(40), spec: external }));
  expect(taken.next).toContain('agents remove');
  expect((await errorOf(directory.addAgent({ name: 'echo', spec: exec }))).code).toBe('usage');
  for (const argv of [[], [''], ['a\0b']]) {
    const error = await errorOf(directory.addAgent({ name: 'y', spec: { kind: 'exec', argv } }));
    expect(error.code).toBe('usage');
  }
  expect((await errorOf(directory.removeAgent('nobody'))).next).toContain('agents list');
  const unknown = await errorOf(directory.agentNamed('nobody'));
  expect([unknown.code, unknown.exitCode]).toEqual(['config_invalid', 2]);
});
