/** `connect` as people start it, and the cloud that it connects to. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { expect } from 'vitest';
import type { LarkCloud } from '../../src/sim/control/lark-cloud.ts';
import { type LarkCloudOptions, startLarkCloud } from '../../src/sim/server.ts';
import { WAIT_MS } from '../kit/bounds.ts';
import { startProgram } from '../unit/cli/program.ts';

const BIN = join(import.meta.dirname, '../../bin/lark-bridge.js');
/** Seconds; short, so that a test does not wait for the next poll. */
const INTERVAL = 0.1;
export const EVENTUALLY = { timeout: WAIT_MS };

export interface Run {
  /** Of the process; unknown for a command that runs in this one. */
  readonly pid: number | undefined;
  readonly code: Promise<number | null>;
  out: string;
  err: string;
  isOver: boolean;
  /** Asks it to end: a process by this signal. */
  stop(signal?: NodeJS.Signals): void;
  /** The events of --json so far. */
  events(): Record<string, unknown>[];
  /** The link of the verification number `index`, once it is shown. */
  link(index?: number): Promise<string>;
}

interface StartOptions {
  readonly base?: string;
  /** `open`: it is there, and nobody types. */
  readonly stdin?: string | { readonly open: true };
  readonly env?: Readonly<Record<string, string>>;
}

export class ConnectRig {
  readonly root = mkdtempSync(join(tmpdir(), 'lark-bridge-connect-'));
  readonly stateDir = join(this.root, 'state');
  readonly #running: ChildProcess[] = [];
  readonly #commands: Run[] = [];
  #lark: LarkCloud | undefined;

  async startCloud(accounts: LarkCloudOptions['accounts'] = {}): Promise<LarkCloud> {
    this.#lark = await startLarkCloud({ accounts: { interval: INTERVAL, ...accounts } });
    return this.#lark;
  }

  async close(): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL');
    for (const run of this.#commands) run.stop();
    await Promise.all(this.#commands.map(({ code }) => code));
    await this.#lark?.stop();
    rmSync(this.root, { recursive: true, force: true });
  }

  /**
   * Runs in this process: starting Node costs more than the command does. What a signal or the streams of a
   * process are about takes `program`.
   */
  connect(args: readonly string[] = [], options: StartOptions = {}): Run {
    return this.command(['connect', ...args], options);
  }

  command(words: readonly string[], options: StartOptions = {}): Run {
    const { stdout, stderr, code, stop } = startProgram(
      [...words, '--state-dir', this.stateDir],
      this.#env(options),
      typeof options.stdin === 'object' ? {} : { input: options.stdin ?? '' },
    );
    const run = watched({ stdout, stderr, code, stop, pid: undefined });
    this.#commands.push(run);
    return run;
  }

  /** The same with the built program, as a process of its own. */
  program(words: readonly string[], options: StartOptions = {}): Run {
    const child = spawn(process.execPath, [BIN, ...words, '--state-dir', this.stateDir], {
      env: this.#env(options),
    });
    this.#running.push(child);
    if (typeof options.stdin !== 'object') child.stdin.end(options.stdin ?? '');
    const { stdout, stderr, pid } = child;
    const code = new Promise<number | null>((resolve) => child.once('close', resolve));
    return watched({ stdout, stderr, pid, code, stop: (signal) => child.kill(signal) });
  }

  #env(options: StartOptions): Record<string, string> {
    const base = options.base ?? this.#lark?.openBaseUrl ?? '';
    const env = Object.entries(process.env).filter(
      ([name, value]) => value !== undefined && !/^(?:LARK|MOLECULE|WORKSPACE)/.test(name),
    );
    return {
      ...(Object.fromEntries(env) as Record<string, string>),
      // For the lock of the app, which is in the home of the user.
      HOME: this.root,
      LARK_ACCOUNTS_BASE_URL: base,
      LARK_OPEN_BASE_URL: base,
      LARK_PORT: '0',
      ...options.env,
    };
  }

  credentials(): Record<string, unknown> {
    const text = readFileSync(join(this.stateDir, 'credentials.json'), 'utf8');
    return JSON.parse(text) as Record<string, unknown>;
  }
}

interface Watchable {
  readonly pid: number | undefined;
  readonly stdout: Readable;
  readonly stderr: Readable;
  readonly code: Promise<number | null>;
  stop(signal?: NodeJS.Signals): void;
}

function watched({ stdout, stderr, code, pid, stop }: Watchable): Run {
  const run: Run = {
    pid,
    out: '',
    err: '',
    isOver: false,
    stop,
    code: code.finally(() => {
      run.isOver = true;
    }),
    events: () =>
      run.out
        .split('\n')
        .slice(0, -1)
        .map((line) => JSON.parse(line) as Record<string, unknown>),
    async link(index = 0) {
      const links = () => run.out.match(/https?:\/\/[^\s"]+\/page\/cli\?[^\s"]+/g) ?? [];
      await expect.poll(() => links().length, EVENTUALLY).toBeGreaterThan(index);
      return links()[index] ?? '';
    },
  };
  stdout.setEncoding('utf8').on('data', (text: string) => (run.out += text));
  stderr.setEncoding('utf8').on('data', (text: string) => (run.err += text));
  return run;
}
