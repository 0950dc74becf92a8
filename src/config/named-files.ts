/** Files with secrets that a person names in the settings, or that systemd hands over. */
import { type Stats, statSync } from 'node:fs';
import { resolve, sep } from 'node:path';
import { errorText, isSystemError } from '../core/errors.ts';
import { withOpened } from '../files/opened-file.ts';
import { namedSecretTrouble, type OpenSecret } from '../files/rights.ts';

type Environment = Readonly<Record<string, string | undefined>>;

type Judged =
  | { readonly kind: 'used'; readonly open: OpenSecret | undefined }
  /** `problem` completes a sentence that begins with what names the file. */
  | { readonly kind: 'refused'; readonly problem: string };

type Read =
  | { readonly raw: string; readonly open: OpenSecret | undefined }
  | { readonly problem: string };

/** What such a file holds, if it is of this user or of root. Throws the errors of the system. */
export function readNamedFile(path: string, env: Environment): Read {
  return withOpened(path, ({ stat, read }) => {
    const judged = judge(path, stat, env);
    return judged.kind === 'refused' ? judged : { raw: read().trim(), open: judged.open };
  });
}

/** The same judgement of a file that another part reads. */
export function judgeNamedFile(path: string, env: Environment): Judged {
  try {
    return judge(path, statSync(path), env);
  } catch (error) {
    if (!isSystemError(error)) throw error;
    return { kind: 'refused', problem: `names a file that can't be read (${errorText(error)})` };
  }
}

function judge(path: string, stat: Stats, env: Environment): Judged {
  // A pipe or a device keeps nothing, and its rights are the system's.
  if (!stat.isFile()) return { kind: 'used', open: undefined };
  const trouble = namedSecretTrouble(path, stat, { handedOver: isHandedOver(path, env) });
  if (trouble?.kind === 'foreign') {
    const problem = `can't be used: ${path}: ${trouble.what}. ${trouble.next}`;
    return { kind: 'refused', problem };
  }
  const { what, next } = trouble ?? {};
  const open = what === undefined || next === undefined ? undefined : { path, detail: what, next };
  return { kind: 'used', open };
}

/** Below the folders in which systemd puts the credentials of services, of this one or another. */
function isHandedOver(path: string, env: Environment): boolean {
  const { CREDENTIALS_DIRECTORY: own = '', XDG_RUNTIME_DIR: runtime = '' } = env;
  const folders = ['/run/credentials', own, runtime === '' ? '' : `${runtime}/credentials`];
  return folders.some((folder) => folder !== '' && resolve(path).startsWith(resolve(folder) + sep));
}
