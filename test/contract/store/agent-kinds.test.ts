/** Agents of every kind are stored, and come back as they were. */
import { expect, onTestFinished, test } from 'vitest';
import { join } from 'node:path';
import { workspaceId } from '../../../src/core/ids.ts';
import type { AgentSpec } from '../../../src/hub/ports/agents.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { SqliteHubStore } from '../../../src/store/sqlite/hub/hub-store.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';

const SPECS: readonly AgentSpec[] = [
  { kind: 'external' },
  { kind: 'exec', argv: ['cat'], stream: true },
  {
    kind: 'acp',
    argv: ['/usr/bin/node', '/opt/agent'],
    known: 'claude',
    folder: '/project',
    permissions: 'ask',
    places: { PATH: '/bin', HOME: '/home/me' },
  },
  { kind: 'a2a', url: 'https://agent.example.com/', isPrivate: true, tokenVariable: 'TOKEN' },
];

test.each(SPECS.map((spec) => [spec.kind, spec] as const))('%s', async (kind, spec) => {
  const path = join(temporaryFolder(), 'bridge.db');
  const db = Db.open(path, silentLog);
  onTestFinished(() => db.close());
  const store = new SqliteHubStore(db);
  const agent = { name: 'one', workspaceId: workspaceId('w-1'), spec, createdAtMs: 1 };
  expect(await store.addAgent(agent, 'hash')).toBe(true);
  const again = new SqliteHubStore(db);
  expect((await again.agents()).map(({ name }) => name)).toEqual(['echo', 'one']);
  expect(await again.agentOf(workspaceId('w-1'))).toEqual({ ...agent, builtIn: false });
  const row = db.get('SELECT run_by_hub FROM hub_workspaces WHERE id = ?', 'w-1');
  expect(row?.['run_by_hub']).toBe(kind === 'external' ? 0 : 1);
});
