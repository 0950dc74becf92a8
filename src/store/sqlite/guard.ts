/** How a database is used and left that may be damaged, or whose files may be gone. */
import { BridgeError } from '../../core/errors.ts';
import { quoted } from '../../files/rights.ts';
import type { Connection, Statement } from './driver.ts';
import type { Loss, Place } from './place.ts';

/** A statement whose errors pass through `judge`. */
export function guarded(statement: Statement, judge: (error: unknown) => unknown): Statement {
  const guard = <T>(work: () => T): T => {
    try {
      return work();
    } catch (error) {
      throw judge(error);
    }
  };
  return {
    run: (...values) => guard(() => statement.run(...values)),
    get: (...values) => guard(() => statement.get(...values)),
    all: (...values) => guard(() => statement.all(...values)),
  };
}

export function lossError({ what, isRemoved }: Loss, path: string, kept: string | undefined) {
  const ofContent = !isRemoved
    ? 'All that was stored is kept in it'
    : kept === undefined
      ? 'What was stored is lost, as its folder is gone too'
      : `What was stored is kept in ${kept}`;
  const back =
    kept === undefined
      ? 'Put the files back in their place, or leave them if that was meant.'
      : `To go on with it: mv ${quoted(kept)} ${quoted(path)}`;
  return new BridgeError('store_unavailable', `${what}. ${ofContent}`, {
    next: `${back} Then start lark-bridge again: only a new start reads what is there now.`,
  });
}

/**
 * SQLite moves the log into the database as it closes, but not into one that was renamed: its log would stay
 * behind under the old name. And it deletes whatever has the name of the log, also one that is not its own.
 */
export function closeConnection(connection: Connection, place: Place): void {
  if (place.loss() === undefined) {
    connection.close();
    return;
  }
  try {
    connection.exec('PRAGMA wal_checkpoint(TRUNCATE)');
  } finally {
    place.keepingForeignLog(() => connection.close());
  }
}
