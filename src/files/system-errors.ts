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

/** What the same codes mean when a program is started. */
const MEANINGS_AT_PROGRAMS: Readonly<Record<string, Meaning>> = {
  EAGAIN: {
    code: 'failed',
    what: 'this user may start no more processes',
    next: 'End programs of this user, or raise the limit: `ulimit -u` in the shell, `TasksMax=` in a unit of systemd.',
  },
  EACCES: {
    code: 'config_invalid',
    what: 'lark-bridge has no right to run that file',
    next: 'Make it executable for the user of lark-bridge (chmod +x), and let that user into its folders.',
  },
};

const FOLDER_GONE = {
  code: 'failed',
  what: 'the folder in which this was started no longer exists',
  next: 'Go to another folder with `cd`, and start it there.',
} as const satisfies Meaning;

/** What it means, if a person can mend it. `undefined` for everything else, which is a bug. */
export function meaningOf(error: unknown): Meaning | undefined {
  if (!isSystemError(error)) return undefined;
  const { code = '', syscall = '' } = error;
  if (syscall === 'uv_cwd') return FOLDER_GONE;
  const atPrograms = syscall.startsWith('spawn') ? MEANINGS_AT_PROGRAMS[code] : undefined;
  return atPrograms ?? MEANINGS[code];
}

/** The error of ours for it, if a person can mend it. */
export function inWords(error: unknown): BridgeError | undefined {
  const meaning = meaningOf(error);
  if (meaning === undefined) return undefined;
  const { code, what, next } = meaning;
  return new BridgeError(code, `${what} (${errorText(error)})`, { next, cause: error });
}
