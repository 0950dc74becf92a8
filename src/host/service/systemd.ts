/** The service in systemd: its unit file, and calls of systemctl, journalctl and loginctl. */
import { existsSync, mkdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { BridgeError, isSystemError } from '../../core/errors.ts';
import { writePrivateFile } from '../../files/private-file.ts';
import { type Environment, runProgram, showProgram } from '../program.ts';
import { type Scope, SERVICE_NAME, type SystemdFacts, UNIT_MARK } from './units.ts';

/** systemctl waits for a start until the bridge is ready. */
const SYSTEMCTL_TIMEOUT_MS = 120_000;
/** It asks nobody. */
const VERSION_TIMEOUT_MS = 10_000;

interface SystemdOptions {
  readonly scope: Scope;
  /** Folder of the unit file. */
  readonly folder: string;
  readonly env: Environment;
}

export interface ServiceState {
  readonly installed: boolean;
  /** It starts with the machine, or when the user logs in. */
  readonly enabled: boolean;
  /** In systemd's words: active, inactive, failed, activating … */
  readonly state: string;
  readonly pid: number | undefined;
  readonly restarts: number;
  /** Exit code of its last run; undefined if it has not ended. */
  readonly exit_code: number | undefined;
  /** The text that the bridge gave to systemd. */
  readonly status: string;
}

interface LogRequest {
  readonly lines: number;
  /** Only what was logged at this time or later. */
  readonly sinceMs?: number | undefined;
  readonly follow: boolean;
  readonly json: boolean;
  readonly signal: AbortSignal;
  readonly stdout: NodeJS.WritableStream;
  readonly stderr: NodeJS.WritableStream;
}

const UNIT = `${SERVICE_NAME}.service`;
/** The variables that systemd's programs need. They get no others. */
const NEEDED = [
  'PATH',
  'HOME',
  'XDG_CONFIG_HOME',
  'XDG_RUNTIME_DIR',
  'DBUS_SESSION_BUS_ADDRESS',
] as const;
const SHOWN = 'UnitFileState,ActiveState,MainPID,NRestarts,ExecMainCode,ExecMainStatus,StatusText';

/** The folder of systemd for units of the administrator, or of the user. */
export function unitFolder(scope: Scope, { env, home }: { env: Environment; home: string }) {
  if (scope === 'system') return '/etc/systemd/system';
  const config = env['XDG_CONFIG_HOME'] ?? '';
  return join(config === '' ? join(home, '.config') : config, 'systemd/user');
}

/** Asks the program and not the manager, so that a unit can be printed where no systemd runs. */
export async function systemdFacts(scope: Scope, env: Environment): Promise<SystemdFacts> {
  const result = await runProgram('systemctl', ['--version'], {
    env: neededOf(env),
    timeoutMs: VERSION_TIMEOUT_MS,
  });
  const output = result.kind === 'ended' ? result.output : '';
  const runtime = scope === 'system' ? '/run' : (env['XDG_RUNTIME_DIR'] ?? '');
  return {
    version: Number(/^systemd (\d+)/.exec(output)?.[1] ?? 0),
    notifySocket: runtime === '' ? undefined : join(runtime, 'systemd/notify'),
  };
}

function neededOf(env: Environment): Environment {
  return {
    ...Object.fromEntries(NEEDED.map((name) => [name, env[name]])),
    // The output is parsed, so it must be in English.
    LC_ALL: 'C',
  };
}

export class Systemd {
  readonly unitPath: string;
  readonly #scope: Scope;
  readonly #env: Environment;

  constructor({ scope, folder, env }: SystemdOptions) {
    this.unitPath = join(folder, UNIT);
    this.#scope = scope;
    this.#env = neededOf(env);
  }

  /** Writes the unit, enables it and starts it. Resolves when the bridge is ready. */
  async install(text: string): Promise<void> {
    // First, so that no file is written without systemd.
    await this.#systemctl('show', '--property=Version');
    this.#refuseForeign();
    this.#write(text);
    await this.#systemctl('daemon-reload');
    await this.#systemctl('enable', UNIT);
    await this.restart();
  }

  /** Resolves to false if there was nothing to remove. */
  async uninstall(): Promise<boolean> {
    if (!existsSync(this.unitPath)) return false;
    this.#refuseForeign();
    await this.#systemctl('disable', '--now', UNIT);
    this.#touch(() => rmSync(this.unitPath));
    await this.#systemctl('daemon-reload');
    return true;
  }

  /** Lets the services of this user run when the user is not logged in. Resolves to false if that was refused. */
  async linger(): Promise<boolean> {
    const result = await runProgram('loginctl', ['--no-ask-password', 'enable-linger'], {
      env: this.#env,
      timeoutMs: SYSTEMCTL_TIMEOUT_MS,
    });
    return result.kind === 'ended' && result.code === 0;
  }

  async start(): Promise<void> {
    this.#needUnit();
    await this.#systemctl('start', UNIT);
  }

  async stop(): Promise<void> {
    this.#needUnit();
    await this.#systemctl('stop', UNIT);
  }

  async restart(): Promise<void> {
    this.#needUnit();
    await this.#systemctl('restart', UNIT);
  }

  async status(): Promise<ServiceState> {
    const text = await this.#systemctl('show', UNIT, `--property=${SHOWN}`);
    const values = new Map(
      text.split('\n').map((line) => {
        const at = line.indexOf('=');
        return [line.slice(0, at), line.slice(at + 1)] as const;
      }),
    );
    const pid = Number(values.get('MainPID') ?? 0);
    return {
      installed: existsSync(this.unitPath),
      enabled: values.get('UnitFileState') === 'enabled',
      state: values.get('ActiveState') ?? 'unknown',
      pid: pid > 0 ? pid : undefined,
      restarts: Number(values.get('NRestarts') ?? 0),
      // 1 means that it ended by itself and not by a signal.
      exit_code:
        values.get('ExecMainCode') === '1' ? Number(values.get('ExecMainStatus')) : undefined,
      status: values.get('StatusText') ?? '',
    };
  }

  /** Shows the log of the service; with `follow` until `signal` aborts. */
  async logs({ lines, sinceMs, follow, json, ...streams }: LogRequest): Promise<void> {
    this.#needUnit();
    const args = [
      ...this.#scopeFlag(),
      `--unit=${UNIT}`,
      `--lines=${lines}`,
      '--no-pager',
      ...(sinceMs === undefined ? [] : [`--since=@${Math.floor(sinceMs / 1000)}`]),
      ...(follow ? ['--follow'] : []),
      ...(json ? ['--output=json'] : []),
    ];
    const result = await showProgram('journalctl', args, { env: this.#env, ...streams });
    if (result.kind === 'missing') throw noSystemd('journalctl');
    if (result.kind === 'ended' && result.code !== 0) {
      throw new BridgeError('failed', `journalctl ended with ${result.code}`);
    }
  }

  #scopeFlag(): string[] {
    return this.#scope === 'user' ? ['--user'] : [];
  }

  #needUnit(): void {
    if (existsSync(this.unitPath)) return;
    throw new BridgeError('failed', `the service is not installed: there is no ${this.unitPath}`, {
      next: `Install it with \`lark-bridge service install --${this.#scope}\`.`,
    });
  }

  #refuseForeign(): void {
    if (!existsSync(this.unitPath)) return;
    if (this.#touch(() => readFileSync(this.unitPath, 'utf8')).startsWith(UNIT_MARK)) return;
    throw new BridgeError('failed', `${this.unitPath} was not written by lark-bridge`, {
      next: 'Move it away first. Put your own changes into a drop-in: `systemctl edit lark-bridge`.',
    });
  }

  #write(text: string): void {
    this.#touch(() => {
      mkdirSync(dirname(this.unitPath), { recursive: true, mode: 0o755 });
      // There is no secret in it, and systemd may run as another user.
      writePrivateFile(this.unitPath, text, 0o644);
    });
  }

  #touch<T>(work: () => T): T {
    try {
      return work();
    } catch (error) {
      if (!isSystemError(error)) throw error;
      const { code, message } = error;
      if (code === 'EACCES' || code === 'EPERM') throw noPermission(this.#scope, message);
      throw new BridgeError('failed', `can't change ${this.unitPath}: ${message}`);
    }
  }

  async #systemctl(...words: readonly string[]): Promise<string> {
    const args = [...this.#scopeFlag(), '--no-ask-password', ...words];
    const env = this.#env;
    const result = await runProgram('systemctl', args, { env, timeoutMs: SYSTEMCTL_TIMEOUT_MS });
    if (result.kind === 'missing') throw noSystemd('systemctl');
    const call = `systemctl ${args.join(' ')}`;
    if (result.kind === 'killed') throw new BridgeError('timed_out', `\`${call}\` takes too long`);
    if (result.code === 0) return result.output;
    throw this.#failure(call, result.errors.trim());
  }

  #failure(call: string, errors: string): BridgeError {
    if (/not been booted with systemd|Failed to connect to.* bus/i.test(errors)) {
      return noManager(this.#scope, errors);
    }
    if (/Access denied|authentication required|Permission denied|not permitted/i.test(errors)) {
      return noPermission(this.#scope, errors);
    }
    const lines = errors === '' ? '' : `: ${errors}`;
    return new BridgeError('failed', `\`${call}\` failed${lines}`, {
      next: `See \`lark-bridge service logs --${this.#scope}\`. The last lines say why.`,
    });
  }
}

function noSystemd(program: string): BridgeError {
  return new BridgeError('failed', `this system has no systemd: ${program} does not exist`, {
    next: 'Keep `lark-bridge run` running with the service manager of this system. `lark-bridge service print --for launchd` (or windows) prints its settings.',
  });
}

function noPermission(scope: Scope, detail: string): BridgeError {
  return new BridgeError('failed', `no permission for the ${scope} service: ${detail}`, {
    next:
      scope === 'system'
        ? 'Run the command with sudo, or install your own service with --user.'
        : 'Check who owns the folder.',
  });
}

function noManager(scope: Scope, detail: string): BridgeError {
  return new BridgeError('failed', `systemd does not answer: ${detail}`, {
    next:
      scope === 'user'
        ? 'Log in as this user directly, not with su or sudo. Or install a service of the machine with --system.'
        : 'It does not run this machine, as in most containers. Keep `lark-bridge run` running with another program.',
  });
}
