/** What can be named on a command line, for completion. It reads a few columns, and loads nothing else. */
import { openReadOnly } from './reading.ts';

/** The newest are what people look for. A list that is longer helps nobody. */
const NAMES_MAX = 100;

const NAMES = {
  agent: 'SELECT name, kind AS about FROM hub_agents ORDER BY created_at_ms DESC',
  turn: 'SELECT message_id AS name, phase AS about FROM turns ORDER BY seq DESC',
  dead_letter: `SELECT key AS name, last_error AS about FROM outbox WHERE phase = 'dead'
    ORDER BY seq DESC`,
  chat: `SELECT chat_id AS name, record ->> '$.name' AS about FROM access_groups`,
  person: `SELECT open_id AS name, record ->> '$.name' AS about FROM access_people
    WHERE state IS NOT NULL`,
  webhook: 'SELECT id AS name, kinds AS about FROM webhooks ORDER BY added_at_ms DESC',
  shared_folder: "SELECT path AS name, '' AS about FROM folders ORDER BY path",
} as const;

export type NameKind = keyof typeof NAMES;

export interface StoredName {
  readonly name: string;
  /** A word or two that help to choose; may be empty. */
  readonly about: string;
}

/** Throws if the file can't be read, or has another schema. */
export function storedNames(path: string, kind: NameKind): StoredName[] {
  const connection = openReadOnly(path);
  try {
    return connection
      .prepare(`${NAMES[kind]} LIMIT ${NAMES_MAX}`)
      .all()
      .map((row) => ({ name: String(row['name']), about: String(row['about'] ?? '') }));
  } finally {
    connection.close();
  }
}
