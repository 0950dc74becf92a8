/** The built program as a real process, against the simulator over real sockets. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { once } from 'node:events';
import type { LarkCloud } from '../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../../src/sim/world/model.ts';
import { type LarkCloudOptions, startLarkCloud } from '../../src/sim/server.ts';
import { DaemonTable } from '../../src/store/sqlite/bridge/daemon.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { WAIT_MS } from '../kit/bounds.ts';
import { type Ended, runProgram } from '../unit/cli/program.ts';

const BIN = join(import.meta.dirname, '../../bin/lark-bridge.js');

interface RunOptions {
  readonly words?: readonly string[];
  readonly env?: Record<string, string>;
  /** No file may grow past this: the operating system refuses the write, as it does on a full disk. */
  readonly fileBytesMax?: number;
}

/** What runs a command under this limit. It takes no rights, and POSIX counts in blocks of 512 bytes. */
function limitedTo(fileBytesMax: number | undefined): string[] {
  if (fileBytesMax === undefined) return [];
  return ['sh', '-c', `ulimit -f ${fileBytesMax / 512} && exec "$@"`, 'sh'];
}

/** Resolves when no command runs in this process. */
let commandsBefore: Promise<unknown> = Promise.resolve();

export class Rig {
  readonly cloud: LarkCloud;
  readonly app: SimApp;
  readonly home = mkdtempSync(join(tmpdir(), 'lark-bridge-e2e-'));
  readonly #processes = new Set<BridgeProcess>();

  private constructor(cloud: LarkCloud) {
    this.cloud = cloud;
    this.app = cloud.addApp({ name: 'Bot' });
  }

  static async open(options: LarkCloudOptions = {}): Promise<Rig> {
    return new Rig(await startLarkCloud(options));
  }

  async close(): Promise<void> {
    for (const process of this.#processes) process.child.kill('SIGKILL');
    await this.cloud.stop();
    rmSync(this.home, { recursive: true, force: true });
  }

  get stateDir(): string {
    return join(this.home, 'state');
  }

  get env(): Record<string, string> {
    return {
      PATH: process.env['PATH'] ?? '',
      HOME: this.home,
      NO_PROXY: '127.0.0.1',
      LARK_CHANNEL_STATE_DIR: this.stateDir,
      LARK_APP_ID: this.app.appId,
      LARK_APP_SECRET: this.app.appSecret,
      LARK_OPEN_BASE_URL: this.cloud.openBaseUrl,
      LARK_PORT: '0',
    };
  }

  direct(name: string): { user: SimUser; chat: SimChat } {
    const user = this.cloud.addUser({ name });
    return { user, chat: this.cloud.directChat(user, this.app) };
  }

  /**
   * A command that ends by itself, beside whatever the rig has started. It runs in this process: starting
   * Node costs more than most commands do. What its own start is about takes `program`.
   */
  command(
    words: readonly string[],
    options: { input?: string; env?: Record<string, string> } = {},
  ): Promise<Ended> {
    const env = { ...this.env, ...options.env };
    // One after another, as the command line's parser is one for the process.
    const ended = commandsBefore.then(() => runProgram(words, env, { input: options.input ?? '' }));
    commandsBefore = ended.catch(() => {});
    return ended;
  }

  /** The same as a process of its own. */
  async program(
    words: readonly string[],
    options: { input?: string; env?: Record<string, string> } = {},
  ) {
    const child = spawn(process.execPath, [BIN, ...words], {
      env: { ...this.env, ...options.env },
      timeout: WAIT_MS,
    });
    const started = new BridgeProcess(child);
    child.stdin.end(options.input ?? '');
    const code = await started.exited;
    return { code, stdout: started.stdout, stderr: started.stderr };
  }

  /** Starts the daemon and waits until it says that it is ready. */
  async run(options: RunOptions = {}): Promise<BridgeProcess> {
    const started = this.spawn(options);
    await started.ready();
    return started;
  }

  spawn(options: RunOptions = {}): BridgeProcess {
    const words = options.words ?? ['run', '--json', '--log-format', 'json'];
    const program = [process.execPath, BIN, ...words];
    const [command = '', ...args] = [...limitedTo(options.fileBytesMax), ...program];
    const child = spawn(command, args, {
      env: { ...this.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const started = new BridgeProcess(child);
    this.#processes.add(started);
    return started;
  }

  /** Adds an agent that runs this small shell script for each turn. */
  async addAgent(name: string, script: string): Promise<void> {
    const quoted = `'${script.replaceAll("'", `'\\''`)}'`;
    const { code, stderr } = await this.program([
      'agents',
      'add',
      name,
      '--exec',
      `sh -c ${quoted}`,
    ]);
    if (code !== 0) throw new Error(stderr);
  }

  /** What any process of the rig has logged that no weather explains. */
  bugs(): string[] {
    return [...this.#processes].flatMap(({ stderr }) =>
      stderr.split('\n').filter((line) => /_bug"|unhandled/i.test(line)),
    );
  }

  /** What the daemon noted about itself last. */
  signOfLife(): unknown {
    const db = Db.openExisting(join(this.stateDir, 'bridge.db'));
    try {
      const sign = db && new DaemonTable(db).read();
      return sign && JSON.parse(sign.status);
    } finally {
      db?.close();
    }
  }

  /** What the bot has shown in a chat. */
  replies(chat: SimChat) {
    return this.cloud.shows(chat).filter(({ from }) => from.startsWith('app:'));
  }

  /** Resolves when the bot has shown so many messages in the chat. */
  async repliesIn(chat: SimChat, count: number) {
    await this.cloud.waitFor(() => this.replies(chat).length >= count);
    return this.replies(chat);
  }
}

export class BridgeProcess {
  readonly child: ChildProcess;
  readonly exited: Promise<number | null>;
  stdout = '';
  stderr = '';
  #listeners = new Set<() => void>();

  constructor(child: ChildProcess) {
    this.child = child;
    const heard = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
      this[stream] += chunk.toString();
      for (const listener of this.#listeners) listener();
    };
    child.stdout?.on('data', heard('stdout'));
    child.stderr?.on('data', heard('stderr'));
    this.exited = once(child, 'close').then(([code]) => {
      for (const listener of this.#listeners) listener();
      return code as number | null;
    });
  }

  async ready(): Promise<{ hub_url: string }> {
    await this.saw(() => this.stdout.includes('"event":"ready"'));
    const line = this.stdout.split('\n').find((text) => text.includes('"event":"ready"')) ?? '{}';
    return JSON.parse(line) as { hub_url: string };
  }

  /** Resolves when the condition on the output holds; rejects if the process ends before. */
  saw(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (done: () => void) => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        done();
      };
      const look = () => {
        if (condition()) settle(resolve);
        else if (this.child.exitCode !== null || this.child.signalCode !== null) {
          settle(() => reject(new Error(`it ended: ${this.stdout}\n${this.stderr}`)));
        }
      };
      const timer = setTimeout(() => {
        settle(() => reject(new Error(`it did not happen: ${this.stdout}\n${this.stderr}`)));
      }, WAIT_MS);
      this.#listeners.add(look);
      look();
    });
  }

  logged(event: string): boolean {
    return this.stderr.includes(`"${event}"`);
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }
}
