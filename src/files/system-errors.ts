/** What errors of the operating system mean for people: what happened, and what to do about it. */
import { BridgeError, type ErrorCode, errorText, isSystemError } from '../core/errors.ts';

interface Meaning {
  readonly code: ErrorCode;
  readonly what: string;
  readonly next: string;
}

const NO_RIGHT = {
  code: 'config_invalid',
  what: 'this user has no right to do that',
  next: 'Correct the rights, or run lark-bridge as the user who has them.',
} as const satisfies Meaning;

const DISK_FULL = {
  code: 'store_unavailable',
  what: 'there is no room left on the disk',
  next: 'Make room on it (or raise the quota of this user), then try again.',
} as const satisfies Meaning;

/** Only what the machine or its settings cause. Anything else is a bug of the program and stays one. */
const MEANINGS: Readonly<Record<string, Meaning>> = {
  EMFILE: {
    code: 'failed',
    what: 'this process has reached its limit of open files',
    next: 'Raise the limit: `ulimit -n 4096` in the shell, `LimitNOFILE=4096` in a unit of systemd. Then start lark-bridge again.',
  },
  ENFILE: {
    code: 'failed',
    what: 'this machine has reached its limit of open files',
    next: 'End programs that hold many files, or raise the limit: sudo sysctl fs.file-max=1000000',
  },
  ENOSPC: DISK_FULL,
  EDQUOT: DISK_FULL,
  EFBIG: {
    code: 'store_unavailable',
    what: 'this process may write no larger files',
    next: 'Raise the limit: `ulimit -f unlimited` in the shell, no `LimitFSIZE=` in a unit of systemd.',
  },
  EROFS: {
    code: 'store_unavailable',
    what: 'the file system is read-only',
    next: 'Mount it for writing, or choose a folder elsewhere with --state-dir.',
  },
  EIO: {
    code: 'store_unavailable',
    what: 'the disk reports an error',
    next: 'Check the disk, for example in the log of the kernel: journalctl -k',
  },
  ENOMEM: {
    code: 'failed',
    what: 'this machine has no memory left',
    next: 'End other programs, or raise the limit of memory of this one.',
  },
  EACCES: NO_RIGHT,
  EPERM: NO_RIGHT,
};

const FOLDER_GONE = {
  code: 'failed',
  what: 'the folder in which this was started no longer exists',
  next: 'Go to another folder with `cd`, and start it there.',
} as const satisfies Meaning;

/** The same in words, if a person can mend it. `undefined` for everything else, which is a bug. */
export function inWords(error: unknown): BridgeError | undefined {
  if (!isSystemError(error)) return undefined;
  const meaning = error.syscall === 'uv_cwd' ? FOLDER_GONE : MEANINGS[error.code ?? ''];
  if (meaning === undefined) return undefined;
  const { code, what, next } = meaning;
  return new BridgeError(code, `${what} (${errorText(error)})`, { next, cause: error });
}
