/** Whether a database has everything that this program asks for. Somebody may have changed it by hand. */
import { BridgeError } from '../../core/errors.ts';
import { quoted } from '../../files/rights.ts';
import { connect, type Connection } from './driver.ts';
import { MIGRATIONS } from './migrations.ts';

/** Tables, indexes and columns by name. What is there besides them does no harm. */
const PARTS = `
  SELECT type || ' ' || name AS part FROM sqlite_schema WHERE type IN ('table', 'index')
  UNION ALL
  SELECT 'column ' || c.name || ' of the table ' || m.name
  FROM sqlite_schema AS m JOIN pragma_table_info(m.name) AS c WHERE m.type = 'table'`;

let wanted: readonly string[] | undefined;

/** Throws `state_corrupt` if something is missing: nothing could be stored there, and each write would fail. */
export function mustBeComplete(connection: Connection, path: string): void {
  wanted ??= partsOfNew();
  const found = new Set(partsOf(connection));
  const missing = wanted.filter((part) => !found.has(part));
  if (missing.length === 0) return;
  const named = missing.slice(0, 3).join(', ');
  const more = missing.length > 3 ? ` and ${missing.length - 3} more` : '';
  throw new BridgeError(
    'state_corrupt',
    `the database ${path} was changed by another program: it lacks the ${named}${more}`,
    {
      next: `Put a backup back with \`lark-bridge restore FILE\`. Without one, move it away, and the next start makes a new one: mv ${quoted(path)} ${quoted(`${path}.old`)}`,
    },
  );
}

function partsOfNew(): string[] {
  const connection = connect(':memory:');
  try {
    for (const sql of MIGRATIONS) connection.exec(sql);
    return partsOf(connection);
  } finally {
    connection.close();
  }
}

function partsOf(connection: Connection): string[] {
  return connection
    .prepare(PARTS)
    .all()
    .map(({ part }) => String(part));
}
