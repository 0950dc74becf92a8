import { BridgeError } from '../core/errors.ts';
import { acquireInstanceLock } from '../host/instance-lock.ts';
import { tryFileLock } from '../store/sqlite/file-lock.ts';

/** Keeps a state directory from being run on while a command changes it. Throws `already_running` beside a daemon. */
export function lockStopped(
  place: Pick<Parameters<typeof acquireInstanceLock>[0], 'stateDir' | 'home'>,
): ReturnType<typeof acquireInstanceLock> {
  try {
    return acquireInstanceLock({ ...place, tryLock: tryFileLock });
  } catch (error) {
    if (!(error instanceof BridgeError) || error.code !== 'already_running') throw error;
    throw new BridgeError('already_running', error.message, {
      next: 'Stop it first: `lark-bridge service stop`, or Ctrl-C where it runs.',
      cause: error,
    });
  }
}
