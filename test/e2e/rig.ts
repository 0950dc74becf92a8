/** The program, in this process or as one of its own, against the simulator over real sockets. */
import { spawn, type ChildProcess } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { once } from 'node:events';
import type { LarkCloud } from '../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat, SimUser } from '../../src/sim/world/model.ts';
import { type LarkCloudOptions, startLarkCloud } from '../../src/sim/server.ts';
import { DaemonTable } from '../../src/store/sqlite/bridge/daemon.ts';
import { Db } from '../../src/store/sqlite/db.ts';
import { WAIT_MS } from '../kit/bounds.ts';
import { type Ended, runProgram, startProgram } from '../unit/cli/program.ts';

const BIN = join(import.meta.dirname, '../../bin/lark-bridge.js');

interface HereOptions {
  readonly words?: readonly string[];
  readonly env?: Record<string, string>;
}

interface RunOptions extends HereOptions {
  /** No file may grow past this: the operating system refuses the write, as it does on a full disk. */
  readonly fileBytesMax?: number;
  /** It may have no more files and connections open than this. */
  readonly openFilesMax?: number;
}

/** What runs a command under this limit. It takes no rights, and POSIX counts in blocks of 512 bytes. */
function limitedTo({ fileBytesMax, openFilesMax }: RunOptions): string[] {
  const limits = [
    ...(fileBytesMax === undefined ? [] : [`ulimit -f ${fileBytesMax / 512} && `]),
    ...(openFilesMax === undefined ? [] : [`ulimit -n ${openFilesMax} && `]),
  ];
  return limits.length === 0 ? [] : ['sh', '-c', `${limits.join('')}exec "$@"`, 'sh'];
}

export const RUN = ['run', '--json', '--log-format', 'json'];

// Each log that is made in this process listens for its end.
process.setMaxListeners(0);

/** Resolves when no command runs in this process. */
let commandsBefore: Promise<unknown> = Promise.resolve();

/** One after another, as the command line's parser is one for the process. */
function afterCommands<T>(start: () => Promise<T>): Promise<T> {
  const result = commandsBefore.then(start);
  commandsBefore = result.catch(() => {});
  return result;
}

export class Rig {
  readonly cloud: LarkCloud;
  readonly app: SimApp;
  readonly home = mkdtempSync(join(tmpdir(), 'lark-bridge-e2e-'));
  readonly #processes = new Set<BridgeProcess>();
  readonly #here = new Set<Bridge>();

  private constructor(cloud: LarkCloud) {
    this.cloud = cloud;
    this.app = cloud.addApp({ name: 'Bot' });
  }

  static async open(options: LarkCloudOptions = {}): Promise<Rig> {
    return new Rig(await startLarkCloud(options));
  }

  async close(): Promise<void> {
    for (const process of this.#processes) process.child.kill('SIGKILL');
    await Promise.all([...this.#here].map((bridge) => bridge.stop()));
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
      LARK_BRIDGE_LANG: 'en',
      LARK_PORT: '0',
      // The people of most tests are strangers to the bot.
      LARK_BRIDGE_ACCESS: 'open',
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
    return afterCommands(() => runProgram(words, env, { input: options.input ?? '' }));
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

  /** Starts the daemon and waits until it says that it has started. */
  async run(options: RunOptions = {}): Promise<BridgeProcess> {
    const started = this.spawn(options);
    await started.ready();
    return started;
  }

  /**
   * The same in this process, which saves a start of Node with all that the daemon loads. What is about a
   * process (its end by a kill, its limits, what it loads) takes `run`.
   */
  runHere({ words = RUN, env }: HereOptions = {}): Promise<Bridge> {
    return afterCommands(async () => {
      const started = new Bridge(startProgram(words, { ...this.env, ...env }, { input: '' }));
      this.#here.add(started);
      await started.ready();
      return started;
    });
  }

  spawn(options: RunOptions = {}): BridgeProcess {
    const program = [process.execPath, BIN, ...(options.words ?? RUN)];
    const [command = '', ...args] = [...limitedTo(options), ...program];
    const child = spawn(command, args, {
      env: { ...this.env, ...options.env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const started = new BridgeProcess(child);
    this.#processes.add(started);
    return started;
  }

  /** Adds an agent that runs this small shell script for each turn. */
  async addAgent(name: string, script: string, options: readonly string[] = []): Promise<void> {
    const quoted = `'${script.replaceAll("'", `'\\''`)}'`;
    const { code, stderr } = await this.command([
      'agents',
      'add',
      name,
      '--exec',
      `sh -c ${quoted}`,
      ...options,
    ]);
    if (code !== 0) throw new Error(stderr);
  }

  /** What any bridge of the rig has logged that no weather explains. */
  bugs(): string[] {
    return [...this.#processes, ...this.#here].flatMap(({ stderr }) =>
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

interface BridgeParts {
  readonly stdout: Readable;
  readonly stderr: Readable;
  /** Comes when all that it said was read. */
  readonly code: Promise<number | null>;
  stop(): void;
}

export class Bridge {
  readonly exited: Promise<number | null>;
  stdout = '';
  stderr = '';
  #isOver = false;
  readonly #stop: () => void;
  readonly #listeners = new Set<() => void>();

  constructor({ stdout, stderr, code, stop }: BridgeParts) {
    this.#stop = stop;
    const heard = (stream: 'stdout' | 'stderr') => (chunk: Buffer) => {
      this[stream] += chunk.toString();
      this.#changed();
    };
    stdout.on('data', heard('stdout'));
    stderr.on('data', heard('stderr'));
    this.exited = code.finally(() => {
      this.#isOver = true;
      this.#changed();
    });
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** It has started, ready or not. */
  async ready(): Promise<{ hub_url: string }> {
    const isTold = (text: string) => /"event":"(?:ready|started)"/.test(text);
    await this.saw(() => isTold(this.stdout));
    const line = this.stdout.split('\n').find(isTold) ?? '{}';
    return JSON.parse(line) as { hub_url: string };
  }

  /** Resolves when the condition on the output holds; rejects if it ends before. */
  saw(condition: () => boolean): Promise<void> {
    return new Promise((resolve, reject) => {
      const settle = (done: () => void) => {
        clearTimeout(timer);
        this.#listeners.delete(look);
        done();
      };
      const look = () => {
        if (condition()) settle(resolve);
        else if (this.isOver) {
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

  /** Asks it to end, and waits for its exit code. */
  stop(): Promise<number | null> {
    this.#stop();
    return this.exited;
  }

  #changed(): void {
    for (const listener of this.#listeners) listener();
  }
}

export class BridgeProcess extends Bridge {
  readonly child: ChildProcess;

  constructor(child: ChildProcess) {
    const { stdout, stderr } = child;
    if (stdout === null || stderr === null) throw new Error('its streams are not heard');
    const code = once(child, 'close').then(([exitCode]) => exitCode as number | null);
    super({ stdout, stderr, code, stop: () => void child.kill() });
    this.child = child;
  }

  override get isOver(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null;
  }

  override stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<number | null> {
    this.child.kill(signal);
    return this.exited;
  }
}
