/** The agents of a state directory, read without the hub: nothing is created, and a running daemon is not disturbed. */
import type { Config } from '../config/load.ts';
import { workspaceId } from '../core/ids.ts';
import type { AgentRecord } from '../hub/ports/agents.ts';
import { Db } from '../store/sqlite/db.ts';
import { AgentsTable } from '../store/sqlite/hub/agents.ts';

/** As a new database has it. */
const WITHOUT_DATABASE: readonly AgentRecord[] = [
  {
    name: 'echo',
    workspaceId: workspaceId('ec400000-0000-4000-8000-000000000001'),
    spec: { kind: 'echo' },
    createdAtMs: 0,
    builtIn: true,
  },
];

export function lookAtAgents({ dbPath }: Pick<Config, 'dbPath'>): readonly AgentRecord[] {
  const db = Db.openExisting(dbPath);
  if (db === undefined) return WITHOUT_DATABASE;
  try {
    return new AgentsTable(db).all();
  } finally {
    db.close();
  }
}
