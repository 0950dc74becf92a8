/** One start of daemon-bootstrap.sh, as the leader of a process group. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

export const ROOT = join(import.meta.dirname, '../..');
export const SCRIPT = join(ROOT, 'daemon-bootstrap.sh');
export const PACKAGE = JSON.parse(readFileSync(join(ROOT, 'package.json'), 'utf8')) as {
  readonly name: string;
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly files: readonly string[];
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
};

/** What the stub of the package says when it became the daemon. */
export interface Daemon {
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly pid: number;
  readonly cwd: string;
}

export class Boot {
  readonly child: ChildProcess;
  readonly code: Promise<number | null>;
  stdout = '';
  stderr = '';

  constructor(command: readonly string[], options: { cwd: string; env: NodeJS.ProcessEnv }) {
    const [program = '', ...args] = command;
    const stdio = ['ignore', 'pipe', 'pipe'] as const;
    const child = spawn(program, args, { ...options, detached: true, stdio: [...stdio] });
    this.child = child;
    child.stdout?.on('data', (chunk: Buffer) => (this.stdout += chunk.toString()));
    child.stderr?.on('data', (chunk: Buffer) => (this.stderr += chunk.toString()));
    this.code = once(child, 'close').then(([code]) => code as number | null);
  }

  /** What the stub said when it became the daemon. */
  get daemon(): Daemon {
    return JSON.parse(this.stdout) as Daemon;
  }

  signalGroup(signal: NodeJS.Signals | 0): void {
    process.kill(-(this.child.pid ?? 0), signal);
  }

  /** Of the whole group nothing is left. */
  get isGone(): boolean {
    try {
      this.signalGroup(0);
      return false;
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
      return true;
    }
  }

  async kill(): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null) this.signalGroup('SIGKILL');
    await this.code;
  }
}

export function onPath(program: string): boolean {
  return (process.env['PATH'] ?? '').split(':').some((place) => existsSync(join(place, program)));
}
