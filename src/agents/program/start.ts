/** Starts the program of a run. */
import {
  type ChildProcessWithoutNullStreams,
  spawn,
  type SpawnOptionsWithoutStdio,
} from 'node:child_process';
import { randomBytes } from 'node:crypto';
import type { ProgramUser } from '../program-user.ts';

/** What is held becomes the program later: a shell, because every system has one. */
export const HOLDER = '/bin/sh';
/** Where it waits. */
const GATE = 3;
/** Variables that shells set by themselves. */
const OF_SHELLS = ['PWD', 'OLDPWD', 'SHLVL'];
/** Exit codes of a shell that can't start a program (POSIX), and the errors that they stand for. */
const FAILED: Readonly<Record<number, string>> = { 126: 'EACCES', 127: 'ENOENT' };

export interface Started {
  readonly child: ChildProcessWithoutNullStreams;
  /** The program starts now, if it was held. */
  readonly letGo: () => void;
  /** Why it could not start, if its end means that. `stderr`: the last that was written there. */
  readonly failure: (exitCode: number | null, stderr: string) => NodeJS.ErrnoException | undefined;
}

interface StartOptions {
  readonly env: Record<string, string>;
  readonly user: ProgramUser | undefined;
  /** Where it starts. Undefined: the home of its user if that is another one, else the folder of the bridge. */
  readonly folder?: string | undefined;
  /**
   * The process exists at once, and waits until it is let go. Meanwhile it can be moved into a cgroup: it has started
   * nothing that would stay outside.
   */
  readonly isHeld: boolean;
}

export function startProgram(
  argv: readonly string[],
  { env, user, folder = user?.folder, isHeld }: StartOptions,
): Started {
  const options: SpawnOptionsWithoutStdio = {
    env,
    // A process group of its own, so that the whole tree can be stopped.
    detached: true,
    windowsHide: true,
    // With another user the program has none of the bridge's groups either.
    ...(user !== undefined && { uid: user.uid, gid: user.gid }),
    ...(folder !== undefined && { cwd: folder }),
  };
  if (isHeld) return startHeld(argv, options);
  const [program = '', ...args] = argv;
  const child = spawn(program, args, options);
  return { child, letGo: () => {}, failure: () => undefined };
}

function startHeld(argv: readonly string[], options: SpawnOptionsWithoutStdio): Started {
  // The shell begins its own messages with this name. The program never sees it.
  const name = `lark-bridge-start-${randomBytes(8).toString('hex')}`;
  const unset = OF_SHELLS.filter((one) => options.env?.[one] === undefined).join(' ');
  // If the bridge dies first, there is nothing to read, and the program does not start.
  const script = `read -r go <&${GATE} || exit; unset ${unset}; exec "$@" ${GATE}<&-`;
  const child = spawn(HOLDER, ['-c', script, name, ...argv], {
    ...options,
    stdio: ['pipe', 'pipe', 'pipe', 'pipe'],
  });
  const gate = child.stdio[GATE] as typeof child.stdin | null | undefined;
  // It may have ended before it is let go.
  gate?.on('error', () => {});
  return {
    child,
    letGo: () => gate?.end('\n', () => gate.destroy()),
    failure: (exitCode, stderr) => failureOf(name, { exitCode, stderr }),
  };
}

function failureOf(
  name: string,
  { exitCode, stderr }: { exitCode: number | null; stderr: string },
) {
  const code = FAILED[exitCode ?? 0];
  const last = stderr.trimEnd().split('\n').at(-1) ?? '';
  if (code === undefined || !last.startsWith(`${name}:`)) return undefined;
  const message = `spawn ${code}: ${last.slice(name.length + 1).trim()}`;
  return Object.assign(new Error(message), { code, syscall: 'spawn' });
}
