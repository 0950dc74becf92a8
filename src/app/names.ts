/** Names for completion in a shell: what is stored, and the agents whose name is enough. */
import { existsSync } from 'node:fs';
import { KNOWN_AGENTS } from '../agents/known-agents.ts';
import { type NameKind, type StoredName, storedNames } from '../store/sqlite/names.ts';

export type { NameKind } from '../store/sqlite/names.ts';

/** Empty if there is no database, or if it can't be read: whoever presses Tab wants no error. */
export function namesOf(kind: NameKind | 'known_agent', dbPath: string): StoredName[] {
  if (kind === 'known_agent')
    return KNOWN_AGENTS.map(({ id, name }) => ({ name: id, about: name }));
  if (!existsSync(dbPath)) return [];
  try {
    return storedNames(dbPath, kind);
  } catch {
    return [];
  }
}
