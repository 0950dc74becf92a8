/** A real systemd in namespaces of its own, with a cgroup, for tests. It needs root, and changes nothing outside. */
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { vi } from 'vitest';
import { WAIT_MS } from '../kit/bounds.ts';
import { createCgroup, removeCgroups, whyNoCgroups } from '../kit/cgroup.ts';

const ROOT = join(import.meta.dirname, '../..');
const MANAGER = '/lib/systemd/systemd';
const NAMESPACES = ['--mount', '--pid', '--cgroup', '--fork', '--kill-child', '--mount-proc'];
/** Where the program and Node.js are for it: the service may read neither /tmp nor the home of root. */
const PLACE = '/run/place';
const PROGRAM = [`${PLACE}/node`, `${PLACE}/lark-bridge/bin/lark-bridge.js`];
/** If the tests are killed, it ends by itself. */
const LIFE_SECS = 300;

/** Everything that it writes to is a file system of its own. It hands mounts over to services, as that of a machine. */
const SURROUNDINGS = `
mount -t tmpfs tmpfs /run && mkdir -p ${PLACE}/lark-bridge && touch ${PLACE}/node || exit
mount --bind "$2" ${PLACE}/node && mount --rbind "$3" ${PLACE}/lark-bridge || exit
mount -t tmpfs tmpfs /var/lib && mount -t tmpfs tmpfs /etc/systemd/system || exit
mount -t cgroup2 cgroup2 /sys/fs/cgroup && mount --make-rshared / || exit
`;
const START = `
echo $$ > "$1/cgroup.procs" || exit
exec timeout -k 1 ${LIFE_SECS} unshare ${NAMESPACES.join(' ')} sh -c '${SURROUNDINGS}
exec env -i container=test PATH="$PATH" SYSTEMD_UNIT_PATH="$1:/etc/systemd/system" ${MANAGER} --system \
  --unit=test.target --log-target=console --show-status=no --default-standard-output=null
' sh "$2" "$3" "$4"
`;
/** What services and the manager itself expect. They do nothing. */
const TARGETS = ['test', 'sysinit', 'basic', 'shutdown', 'multi-user', 'network-online'];

/** Why there can be none here; undefined if there can. */
export function whyNoManager(): string | undefined {
  if (process.platform !== 'linux') return 'not Linux';
  if (process.getuid?.() !== 0) return 'not root';
  if (!existsSync(MANAGER)) return 'no systemd';
  const version = Number(/\d+/.exec(said(MANAGER, ['--version']))?.[0] ?? 0);
  if (version < 250) return `systemd ${version}, which is too old`;
  const why = whyNoCgroups();
  if (why !== undefined) return why;
  if (spawnSync('nsenter', ['--version']).status !== 0) return 'no nsenter';
  const words = ['sh', '-c', SURROUNDINGS, 'sh', '', process.execPath, ROOT];
  const trial = spawnSync('unshare', [...NAMESPACES, ...words], { encoding: 'utf8' });
  return trial.status === 0 ? undefined : `no namespaces: ${trial.stderr}`;
}

function said(program: string, words: readonly string[]): string {
  return spawnSync(program, words, { encoding: 'utf8' }).stdout ?? '';
}

export class SystemdManager {
  /** Its cgroup, with those of its services. */
  readonly cgroup = createCgroup();
  readonly #child: ChildProcess;
  #output = '';

  private constructor(folder: string) {
    const units = join(folder, 'units');
    mkdirSync(units);
    for (const name of TARGETS) {
      writeFileSync(join(units, `${name}.target`), '[Unit]\nDefaultDependencies=no\n');
    }
    const words = ['-c', START, 'sh', this.cgroup, units, process.execPath, ROOT];
    this.#child = spawn('sh', words, { stdio: ['ignore', 'pipe', 'pipe'] });
    for (const stream of [this.#child.stdout, this.#child.stderr]) {
      stream?.on('data', (chunk: Buffer) => {
        this.#output += chunk.toString();
      });
    }
  }

  /** Resolves when it takes orders. */
  static async start(folder: string): Promise<SystemdManager> {
    const manager = new SystemdManager(folder);
    try {
      await waitFor(async () => {
        const { stdout, stderr } = await manager.run(['systemctl', 'is-system-running']);
        if (stdout !== 'running\n') throw new Error(`${stdout}${stderr}${manager.#output}`);
      });
      return manager;
    } catch (error) {
      await manager.stop();
      throw error;
    }
  }

  /** Runs a command beside its services. */
  async run(words: readonly string[]) {
    const target = `--target=${this.#first() ?? ''}`;
    const child = spawn('nsenter', [target, '--mount', '--pid', '--', ...words]);
    const heard = { stdout: '', stderr: '' };
    for (const name of ['stdout', 'stderr'] as const) {
      child[name].on('data', (chunk: Buffer) => {
        heard[name] += chunk.toString();
      });
    }
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, ...heard };
  }

  /** Runs `lark-bridge`. */
  bridge(words: readonly string[], settings: readonly string[] = []) {
    return this.run(['env', ...settings, ...PROGRAM, ...words]);
  }

  /** What it knows about a service. */
  async show(unit: string, name: string): Promise<string> {
    const words = ['systemctl', 'show', unit, `--property=${name}`, '--value'];
    return (await this.run(words)).stdout.trim();
  }

  async stop(): Promise<void> {
    const ended = once(this.#child, 'close');
    writeFileSync(join(this.cgroup, 'cgroup.kill'), '1');
    await ended;
    await waitFor(() => {
      const events = readFileSync(join(this.cgroup, 'cgroup.events'), 'utf8');
      if (!events.includes('populated 0')) throw new Error(`something lives in ${this.cgroup}`);
    });
    removeCgroups(this.cgroup);
  }

  /** The process of systemd, as it is called outside of its namespace. */
  #first(): number | undefined {
    const list = join(this.cgroup, 'init.scope/cgroup.procs');
    return existsSync(list) ? Number.parseInt(readFileSync(list, 'utf8'), 10) : undefined;
  }
}

function waitFor(fact: () => void | Promise<void>): Promise<void> {
  return vi.waitFor(fact, { timeout: WAIT_MS });
}
