import { join } from 'node:path';
import { isSystemError } from '../core/errors.ts';
import { type AppId, LARK_ID_PATTERN, type OpenId, openId } from '../core/ids.ts';
import { writePrivateFile } from '../files/private-file.ts';
import { readRecord } from './secret-files.ts';

/** The person who created the bot. Lark tells this only once, when the bot is created. */
export function ownerFile(stateDir: string, app: AppId) {
  const path = join(stateDir, 'owner.json');
  return {
    /** Undefined if it is not known for this app. A person has another open id in each app. */
    load(): OpenId | undefined {
      const { app_id, open_id } = readRecord(path);
      const isOurs = app_id === app && typeof open_id === 'string' && LARK_ID_PATTERN.test(open_id);
      return isOurs ? openId(open_id) : undefined;
    },

    /** A full disk is not an error here: without the file, `connect` asks the person to write first. */
    save(owner: OpenId): void {
      try {
        const kept = { app_id: app, open_id: owner };
        writePrivateFile(path, `${JSON.stringify(kept, undefined, 2)}\n`);
      } catch (error) {
        if (!isSystemError(error)) throw error;
      }
    },
  };
}
