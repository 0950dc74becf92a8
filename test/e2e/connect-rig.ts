/** `connect` as people start it: the built program as a process, and the cloud that it connects to. */
import { type ChildProcess, spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import type { LarkCloud } from '../../src/sim/control/lark-cloud.ts';
import { type LarkCloudOptions, startLarkCloud } from '../../src/sim/server.ts';

const BIN = join(import.meta.dirname, '../../bin/lark-bridge.js');
/** Seconds; short, so that a test does not wait for the next poll. */
const INTERVAL = 0.1;
export const EVENTUALLY = { timeout: 15_000 };

export interface Run {
  readonly child: ChildProcess;
  readonly code: Promise<number | null>;
  out: string;
  err: string;
  /** The events of --json so far. */
  events(): Record<string, unknown>[];
  /** The link of the verification number `index`, once it is shown. */
  link(index?: number): Promise<string>;
}

interface StartOptions {
  readonly base?: string;
  readonly stdin?: string;
  readonly env?: Readonly<Record<string, string>>;
}

export class ConnectRig {
  readonly root = mkdtempSync(join(tmpdir(), 'lark-bridge-connect-'));
  readonly stateDir = join(this.root, 'state');
  readonly #running: ChildProcess[] = [];
  #lark: LarkCloud | undefined;

  async startCloud(accounts: LarkCloudOptions['accounts'] = {}): Promise<LarkCloud> {
    this.#lark = await startLarkCloud({ accounts: { interval: INTERVAL, ...accounts } });
    return this.#lark;
  }

  async close(): Promise<void> {
    for (const child of this.#running) child.kill('SIGKILL');
    await this.#lark?.stop();
    rmSync(this.root, { recursive: true, force: true });
  }

  connect(args: readonly string[] = [], options: StartOptions = {}): Run {
    return this.start(['connect', ...args], options);
  }

  start(words: readonly string[], options: StartOptions = {}): Run {
    const base = options.base ?? this.#lark?.openBaseUrl ?? '';
    const env = Object.fromEntries(
      Object.entries(process.env).filter(([name]) => !/^(?:LARK|MOLECULE|WORKSPACE)/.test(name)),
    );
    const child = spawn(process.execPath, [BIN, ...words, '--state-dir', this.stateDir], {
      env: {
        ...env,
        // For the lock of the app, which is in the home of the user.
        HOME: this.root,
        LARK_ACCOUNTS_BASE_URL: base,
        LARK_OPEN_BASE_URL: base,
        LARK_PORT: '0',
        ...options.env,
      },
    });
    this.#running.push(child);
    child.stdin.end(options.stdin ?? '');
    return watched(child);
  }

  credentials(): Record<string, unknown> {
    const text = readFileSync(join(this.stateDir, 'credentials.json'), 'utf8');
    return JSON.parse(text) as Record<string, unknown>;
  }
}

function watched(child: ReturnType<typeof spawn>): Run {
  const run: Run = {
    child,
    out: '',
    err: '',
    code: new Promise((resolve) => child.once('close', resolve)),
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
  child.stdout?.setEncoding('utf8').on('data', (text: string) => (run.out += text));
  child.stderr?.setEncoding('utf8').on('data', (text: string) => (run.err += text));
  return run;
}
