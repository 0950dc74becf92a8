import { BridgeError, errorText } from '../core/errors.ts';
import { parseJsonObject } from '../files/json-text.ts';
import { Secret } from '../core/secret.ts';
import { writePrivateFile } from '../files/private-file.ts';
import { readPrivateFile } from './secret-files.ts';

/** The workspace and the hub of the token. It is not used for another workspace or hub. */
interface TokenOwner {
  readonly url: string;
  readonly workspace: string;
}

/** The file with the token that a hub gave to a workspace that had no valid token. */
export function workspaceTokenFile(path: string, { url, workspace }: TokenOwner) {
  return {
    /** Throws `config_invalid` for a file that can't be used. */
    load(): Secret | undefined {
      const kept = read(path);
      const isOurs = kept?.['platform_url'] === url && kept['workspace_id'] === workspace;
      const token = isOurs ? kept['auth_token'] : undefined;
      return typeof token === 'string' ? new Secret(token) : undefined;
    },

    /** Only the owner may read the file. Throws `config_invalid` if it can't be written. */
    save(token: Secret): void {
      const kept = { platform_url: url, workspace_id: workspace, auth_token: token.reveal() };
      try {
        writePrivateFile(path, `${JSON.stringify(kept, undefined, 2)}\n`);
      } catch (error) {
        throw unusable(path, errorText(error));
      }
    },
  };
}

function read(path: string): Readonly<Record<string, unknown>> | undefined {
  let text: string;
  try {
    text = readPrivateFile(path);
  } catch (error) {
    if (error instanceof BridgeError) throw error;
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw unusable(path, errorText(error));
  }
  try {
    return parseJsonObject(text);
  } catch (error) {
    throw unusable(path, errorText(error));
  }
}

function unusable(path: string, detail: string): BridgeError {
  return new BridgeError('config_invalid', `can't use ${path}: ${detail}`, {
    next: 'Check the rights of the state directory. A broken file may be removed. The workspace then needs a new token from the platform.',
  });
}
