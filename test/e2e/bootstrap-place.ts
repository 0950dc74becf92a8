/** A plugin's folder and a workspace around it, in which daemon-bootstrap.sh runs with programs of the test's own. */
import { execFileSync } from 'node:child_process';
import {
  chmodSync,
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Boot, PACKAGE, SCRIPT } from './boot.ts';

/** What the script calls; a PATH of the test holds these and nothing else. */
const PROGRAMS = [
  'chmod',
  'cksum',
  'cp',
  'dirname',
  'env',
  'find',
  'gzip',
  'ln',
  'mkdir',
  'readlink',
  'rm',
  'sleep',
  'sort',
  'tar',
  'tr',
];

/** A program without dependencies, whose daemon tells how it was started. */
export const STUB = `
  const [, , ...words] = process.argv;
  if (words[0] === '--version') console.log('${PACKAGE.version}');
  else {
    const { env, pid } = process;
    process.on('SIGTERM', () => process.exit(0));
    console.log(JSON.stringify({ words, env, pid, cwd: process.cwd() }));
    if (env.STUB_STAYS) setInterval(() => {}, 1e6);
  }
`;

/** Node, as far as the script minds, and as the stub of the program speaks; it starts in no time. */
export const QUICK_NODE = `
  case $1 in
    -e)
      case $2 in
        *renameSync*) [ ! -e "$4" ] && exec /bin/mv "$3" "$4"; exit 1 ;;
        *) exit 0 ;;
      esac ;;
  esac
  if [ "$2" = --version ]; then echo '${PACKAGE.version}'; else echo '{"words":["run","--mode","daemon"]}'; fi`;

/** A checkout of the repository, as far as the script minds. */
export const FILES = [
  'package.json',
  'npm-shrinkwrap.json',
  'tsconfig.json',
  'tsconfig.build.json',
];

export class BootstrapPlace {
  readonly folder = mkdtempSync(join(tmpdir(), 'lark-bridge-bootstrap-'));
  readonly bin = join(this.folder, 'bin');
  readonly state = join(this.folder, 'state');
  readonly script = this.inPlugin('daemon-bootstrap.sh');
  readonly started = new Set<Boot>();
  /** npm, as far as the script minds. The install waits while there is a file `npm-waits`. */
  readonly npmStub = `
    case $1 in
      ci)
        while [ -e '${this.folder}/npm-waits' ]; do /bin/sleep 0.02; done
        exec /bin/mkdir "$3/node_modules" ;;
      run) exec /bin/mkdir "$3/dist" ;;
    esac`;

  constructor() {
    for (const name of ['bin', 'state', 'plugin/bin', 'plugin/src']) {
      mkdirSync(join(this.folder, name), { recursive: true });
    }
    copyFileSync(SCRIPT, this.script);
    for (const name of FILES) writeFileSync(this.inPlugin(name), '{}');
    writeFileSync(this.inPlugin('bin/lark-bridge.js'), STUB);
    writeFileSync(this.inPlugin('src/main.ts'), 'a source');
    for (const name of PROGRAMS) this.step(name);
    // That of the whole machine takes as long as others write.
    this.step('sync', 'exit 0');
    this.step('node', process.execPath);
    this.step('npm', this.npmStub);
  }

  async close(): Promise<void> {
    for (const one of this.started) await one.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }

  inPlugin(path: string): string {
    return join(this.folder, 'plugin', path);
  }

  packages(): string[] {
    return readdirSync(join(this.state, 'packages')).toSorted();
  }

  /** Folders of what is installed. */
  homes(): string[] {
    return this.packages().filter((name) => /^(?:files|tarball)-/.test(name));
  }

  /** What `npm pack` makes of the plugin. */
  tarball(): string {
    const path = join(this.folder, 'lark-bridge.tgz');
    mkdirSync(join(this.folder, 'packed/package/dist'), { recursive: true });
    for (const part of ['bin', 'package.json', 'npm-shrinkwrap.json']) {
      execFileSync('cp', ['-R', this.inPlugin(part), join(this.folder, 'packed/package')]);
    }
    execFileSync('tar', ['-czf', path, '-C', join(this.folder, 'packed'), 'package']);
    return path;
  }

  /**
   * A step of the script: a program on its PATH that notes its call. The call with the number in the file
   * `kill-at` ends the whole process group with SIGKILL, as a host or a power cut would.
   */
  step(name: string, body = execFileSync('which', [name], { encoding: 'utf8' }).trim()): void {
    const isPath = /^\/\S+$/.test(body);
    const script = `#!/bin/sh
    set -f
    at=1; read at <'${this.folder}/latest'
    until /bin/mkdir '${this.folder}/steps/'$at 2>/dev/null; do at=$((at + 1)); done
    echo $at >'${this.folder}/latest'
    echo ${name} $* >'${this.folder}/steps/'$at/call
    read kill_at <'${this.folder}/kill-at'
    [ $at -ne "$kill_at" ] || kill -KILL 0
    ${isPath ? `exec '${body}' "$@"` : body}`;
    rmSync(join(this.bin, name), { force: true });
    writeFileSync(join(this.bin, name), script);
    chmodSync(join(this.bin, name), 0o755);
  }

  steps(): string[] {
    return readdirSync(join(this.folder, 'steps'))
      .toSorted((one, other) => Number(one) - Number(other))
      .map((at) => join(this.folder, 'steps', at, 'call'))
      .filter((path) => existsSync(path))
      .map((path) => readFileSync(path, 'utf8').trimEnd());
  }

  callsOf(name: string): string[] {
    return this.steps().filter((line) => line.split(' ')[0] === name);
  }

  installs(): string[] {
    return this.callsOf('npm').filter((line) => line.startsWith('npm ci '));
  }

  /** Starts it as the runtime does: in the plugin's folder, as the leader of a group. */
  boot(env: Readonly<Record<string, string>> = {}, script = this.script, killAt = 0): Boot {
    rmSync(join(this.folder, 'steps'), { recursive: true, force: true });
    mkdirSync(join(this.folder, 'steps'));
    writeFileSync(join(this.folder, 'kill-at'), `${killAt}\n`);
    // Where to begin to look for a free number; folders, which are made by one alone, say which is free.
    writeFileSync(join(this.folder, 'latest'), '1\n');
    return this.bootBeside(env, script);
  }

  bootBeside(env: Readonly<Record<string, string>> = {}, script = this.script): Boot {
    const one = new Boot(['/bin/bash', script], {
      cwd: this.inPlugin(''),
      env: {
        PATH: this.bin,
        HOME: this.folder,
        MOLECULE_PLUGIN_STATE_DIR: this.state,
        ...env,
      },
    });
    this.started.add(one);
    return one;
  }
}
