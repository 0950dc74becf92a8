/**
 * How words get to systemd (sd_notify). Node has no sockets for datagrams to a path, so there are two ways.
 * A unit with `OpenFile=` (systemd 253) hands over a socket that is connected already: the process itself
 * writes to it, and systemd need not listen to any other. Elsewhere the program `systemd-notify` speaks.
 */
import { fstatSync, write } from 'node:fs';
import { type Environment, runProgram } from './program.ts';

/** The name of the socket in `OpenFile=`. */
export const NOTIFY_SOCKET_NAME = 'notify';
/** The first descriptor that systemd hands over (sd_listen_fds). */
const FIRST_DESCRIPTOR = 3;
/** systemd takes a message within milliseconds, unless it is busy with all of its units. */
const NOTIFY_TIMEOUT_MS = 3_000;

export interface SystemdWords {
  readonly way: 'socket' | 'systemd-notify';
  /** Resolves with what went wrong, or with undefined. */
  send(lines: readonly string[]): Promise<string | undefined>;
}

/** Undefined if systemd wants no words. */
export function wordsTo(main: {
  readonly env: Environment;
  readonly pid: number;
}): SystemdWords | undefined {
  const { env } = main;
  if ((env['NOTIFY_SOCKET'] ?? '') === '') return undefined;
  const descriptor = handedOver(main);
  return descriptor === undefined ? new ByProgram(env) : new BySocket(descriptor);
}

/** Children don't get it: Node marks the descriptors that it finds at its start (close-on-exec). */
function handedOver({ env, pid }: { env: Environment; pid: number }): number | undefined {
  if (env['LISTEN_PID'] !== String(pid)) return undefined;
  const at = (env['LISTEN_FDNAMES'] ?? '').split(':').indexOf(NOTIFY_SOCKET_NAME);
  if (at < 0 || at >= Number(env['LISTEN_FDS'])) return undefined;
  const descriptor = FIRST_DESCRIPTOR + at;
  return isSocket(descriptor) ? descriptor : undefined;
}

function isSocket(descriptor: number): boolean {
  try {
    return fstatSync(descriptor).isSocket();
  } catch {
    return false; // It is closed.
  }
}

/** systemd waits in this socket with a full queue when it hangs itself, so a thread writes and not the event loop. */
class BySocket implements SystemdWords {
  readonly way = 'socket';
  readonly #descriptor: number;
  #isWriting = false;

  constructor(descriptor: number) {
    this.#descriptor = descriptor;
  }

  send(lines: readonly string[]): Promise<string | undefined> {
    // A second one would take another thread.
    if (this.#isWriting) return Promise.resolve('systemd does not read');
    this.#isWriting = true;
    return new Promise((resolve) => {
      const timer = setTimeout(() => resolve('systemd does not read'), NOTIFY_TIMEOUT_MS).unref();
      write(this.#descriptor, lines.join('\n'), (error) => {
        this.#isWriting = false;
        clearTimeout(timer);
        resolve(error?.message);
      });
    });
  }
}

class ByProgram implements SystemdWords {
  readonly way = 'systemd-notify';
  readonly #env: Environment;

  constructor(env: Environment) {
    // It needs no more, and must get no secrets.
    this.#env = { PATH: env['PATH'], NOTIFY_SOCKET: env['NOTIFY_SOCKET'] };
  }

  async send(lines: readonly string[]): Promise<string | undefined> {
    const result = await runProgram(this.way, lines, {
      env: this.#env,
      timeoutMs: NOTIFY_TIMEOUT_MS,
    });
    if (result.kind !== 'ended') return result.kind;
    return result.code === 0 ? undefined : result.errors.trim();
  }
}
