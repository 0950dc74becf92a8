/** The Python bridge (`lark-channel-molecule`), whose bot can be used here. Its folder is only read. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { Credentials } from '../core/credentials.ts';
import { BridgeError } from '../core/errors.ts';
import { loadCredentials } from './credentials.ts';
import { credentialsPath } from './credentials-file.ts';

const FOLDER = '.lark-channel-molecule';

/** Where it keeps its state by default (LCM-ENV-09). */
export function pythonBridgeFolder(home: string): string {
  return join(home, FOLDER);
}

/** A hint for a person who has a bot there and none here; otherwise empty. */
export function offerToImport(home: string): string {
  return existsSync(credentialsPath(pythonBridgeFolder(home)))
    ? `; the Python bridge has a bot in ~/${FOLDER}: use it with \`lark-bridge connect --import\``
    : '';
}

/** Its file has the same form as ours (LCM-CON-03). Throws `usage` if there is no bot that can be used. */
export function loadPythonBridge(folder: string): Credentials {
  const path = credentialsPath(folder);
  const next = 'Name the folder of the Python bridge: lark-bridge connect --import DIR';
  const loaded = loadCredentials(folder);
  if (loaded.kind === 'none') throw new BridgeError('usage', `there is no ${path}`, { next });
  if (loaded.kind === 'unusable') {
    throw new BridgeError('usage', `${path} can't be used: ${loaded.reason}`, {
      next: 'Correct that file, or give the app by hand: lark-bridge connect --app-id ID --app-secret-stdin < FILE',
    });
  }
  const { appId, appSecret, brand } = loaded.credentials;
  if (appSecret === undefined) {
    throw new BridgeError('usage', `${path} has no app_secret`, {
      next: `Give it by hand: lark-bridge connect --app-id ${appId} --app-secret-stdin < FILE`,
    });
  }
  return { appId, appSecret, brand };
}
