/** `lark-bridge service`: the bridge as a service of the machine, or of the person. */
import { existsSync, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { isAbsolute } from 'node:path';
import type { Options } from 'yargs';
import { locateStateDir } from '../../config/load.ts';
import { BridgeError } from '../../core/errors.ts';
import { HOW_TO_INSTALL } from '../../host/package.ts';
import { isOpenToAll, stablePath, stablePaths } from '../../host/service/stable-path.ts';
import { type ServiceState, Systemd, unitFolder } from '../../host/service/systemd.ts';
import {
  renderLaunchd,
  renderSystemd,
  renderWindowsTask,
  type Scope,
  SERVICE_NAME,
  UNIT_FORMATS,
  type UnitFacts,
  type UnitFormat,
} from '../../host/service/units.ts';
import { settingRows } from '../../config/settings.ts';
import type { CommandGroup, Invocation, LeafCommand } from '../command.ts';

const LINES_DEFAULT = 100;
const LINES_MAX = 100_000;

const scopeOptions = {
  user: { type: 'boolean', describe: 'For you alone (what is meant unless you are root)' },
  system: { type: 'boolean', describe: 'For the machine, as a user of its own' },
} as const satisfies Record<string, Options>;

const unitOptions = {
  ...scopeOptions,
  'secret-file': {
    type: 'string',
    requiresArg: true,
    describe: 'File with the app secret, handed to the --system service alone',
  },
} as const satisfies Record<string, Options>;

const install: LeafCommand = {
  usage: 'install',
  describe: 'make it start by itself, now and from now on (systemd)',
  options: unitOptions,
  run: async (invocation) => {
    const { output } = invocation;
    const scope = scopeOf(invocation);
    const facts = factsOf(invocation, scope);
    if (scope === 'system') refuseHidden(facts);
    const systemd = systemdOf(invocation);
    await systemd.install(renderSystemd(scope, facts));
    const lingers = scope === 'system' || (await systemd.linger());
    if (!lingers) {
      output.note(
        'Note: it stops when you log out. To keep it: `sudo loginctl enable-linger $USER`.',
      );
    }
    const unseen = unseenVariables(invocation);
    if (unseen.length > 0) output.note(`Note: ${unseen.join(', ')} ${unseenText(scope)}`);
    output.result(
      `Installed and started: ${systemd.unitPath}\nSee \`lark-bridge service status\` and \`lark-bridge service logs\`.`,
      { installed: true, scope, unit: systemd.unitPath, lingers, variables_not_passed: unseen },
    );
  },
};

const uninstall: LeafCommand = {
  usage: 'uninstall',
  describe: 'stop it and take it away; its state directory stays',
  options: scopeOptions,
  run: async (invocation) => {
    const systemd = systemdOf(invocation);
    const removed = await systemd.uninstall();
    invocation.output.result(
      removed ? `Removed ${systemd.unitPath}.` : `There is no ${systemd.unitPath}.`,
      { removed, unit: systemd.unitPath },
    );
  },
};

const start = verb('start', 'start the service', 'Started.');
const stop = verb('stop', 'stop the service until the next start', 'Stopped.');
const restart = verb('restart', 'stop it and start it again', 'Restarted.');

const status: LeafCommand = {
  usage: 'status',
  describe: 'show whether the service runs',
  options: scopeOptions,
  run: async (invocation) => {
    const systemd = systemdOf(invocation);
    const state = await systemd.status();
    const view = { scope: scopeOf(invocation), unit: systemd.unitPath, ...state };
    invocation.output.result(sentences(state, systemd.unitPath).join('\n'), view);
  },
};

const logs: LeafCommand = {
  usage: 'logs',
  describe: 'show what the service has logged',
  options: {
    ...scopeOptions,
    follow: { type: 'boolean', alias: 'f', describe: 'Go on with what it logs now' },
    lines: {
      type: 'number',
      alias: 'n',
      requiresArg: true,
      default: LINES_DEFAULT,
      describe: 'At most so many of the latest lines',
    },
  },
  run: async (invocation) => {
    const { options, output, signal, stdout, stderr } = invocation;
    await systemdOf(invocation).logs({
      lines: linesOf(options['lines']),
      follow: options['follow'] === true,
      json: output.json,
      signal,
      stdout,
      stderr,
    });
  },
};

const print: LeafCommand = {
  usage: 'print',
  describe: 'print the unit, or what other service managers want instead',
  options: {
    ...unitOptions,
    for: {
      choices: UNIT_FORMATS,
      default: 'systemd',
      requiresArg: true,
      describe: 'Service manager; launchd and windows are untested',
    },
  },
  run: (invocation) => {
    const format = invocation.options['for'] as UnitFormat;
    const scope = scopeOf(invocation);
    const text = textFor(format, scope, factsOf(invocation, scope));
    invocation.output.result(text.trimEnd(), { format, scope, text });
    return Promise.resolve();
  },
};

export const serviceCommand: CommandGroup = {
  usage: 'service',
  describe: 'keep the bot alive as a service of the system',
  commands: [install, uninstall, start, stop, restart, status, logs, print],
};

function verb(name: 'start' | 'stop' | 'restart', describe: string, done: string): LeafCommand {
  return {
    usage: name,
    describe,
    options: scopeOptions,
    run: async (invocation) => {
      const systemd = systemdOf(invocation);
      await systemd[name]();
      invocation.output.result(done, { done: name, unit: systemd.unitPath });
    },
  };
}

function textFor(format: UnitFormat, scope: Scope, facts: UnitFacts): string {
  switch (format) {
    case 'systemd':
      return renderSystemd(scope, facts);
    case 'launchd':
      return renderLaunchd(facts);
    case 'windows':
      return renderWindowsTask(facts);
  }
}

function scopeOf({ options }: Invocation): Scope {
  const { user, system } = options;
  if (user === true && system === true) {
    throw new BridgeError('usage', '--user and --system exclude each other');
  }
  if (user !== true && system !== true) return process.getuid?.() === 0 ? 'system' : 'user';
  return system === true ? 'system' : 'user';
}

function systemdOf(invocation: Invocation): Systemd {
  const { env } = invocation;
  const scope = scopeOf(invocation);
  return new Systemd({ scope, env, folder: unitFolder(scope, { env, home: homeOf(env) }) });
}

function homeOf(env: Invocation['env']): string {
  const home = env['HOME'] ?? '';
  return home === '' ? homedir() : home;
}

function factsOf(invocation: Invocation, scope: Scope): UnitFacts {
  const { env, options, program } = invocation;
  const path = env['PATH'] ?? '';
  if (scope === 'system' && options['state-dir'] !== undefined) {
    throw new BridgeError('usage', '--state-dir is not for the system service', {
      next: `It keeps its state in /var/lib/${SERVICE_NAME}.`,
    });
  }
  return {
    ...stablePaths({ ...program, path }),
    stateDir: locateStateDir(invocation.configRequest([])),
    path: path === '' ? undefined : stablePath(path),
    secretFile: secretFileOf(options['secret-file'], scope),
  };
}

/** systemd reads the file as root, so nobody else has to be able to. */
function secretFileOf(typed: unknown, scope: Scope): string | undefined {
  if (typeof typed !== 'string') return undefined;
  if (scope === 'user') {
    throw new BridgeError('usage', '--secret-file is for the system service only', {
      next: 'For your own service `lark-bridge connect` keeps the secret in the state directory.',
    });
  }
  if (!isAbsolute(typed) || !existsSync(typed)) {
    throw new BridgeError('usage', `--secret-file must be the full path of a file, not ${typed}`);
  }
  if ((statSync(typed).mode & 0o077) !== 0) {
    throw new BridgeError('usage', `others can read ${typed}`, { next: `Run chmod 600 ${typed}.` });
  }
  return typed;
}

/** The system service is another user, who can't look into homes. */
function refuseHidden({ node, program }: UnitFacts): void {
  const hidden = [node, program].filter((path) => !isOpenToAll(path));
  if (hidden.length === 0) return;
  throw new BridgeError('failed', `the system service could not read ${hidden.join(' and ')}`, {
    next: `It runs as a user of its own. Install Node.js and lark-bridge for all users, as root (${HOW_TO_INSTALL}), or make a service of your own with --user.`,
  });
}

/** Settings of this shell, which the service will not have. */
function unseenVariables({ env }: Invocation): string[] {
  const names = settingRows().flatMap(([name, row]) =>
    name === 'stateDir' || name === 'noColor'
      ? []
      : [...(row.env ?? []), ...(row.envFile === undefined ? [] : [row.envFile])],
  );
  return names.filter((name) => (env[name] ?? '') !== '');
}

function unseenText(scope: Scope): string {
  const file = scope === 'user' ? `~/.config/${SERVICE_NAME}/env` : `/etc/${SERVICE_NAME}/env`;
  return `set in this shell only, and not for the service. What it needs goes into ${file} (chmod 600), one NAME=value a line; then \`lark-bridge service restart\`.`;
}

function sentences(state: ServiceState, unit: string): string[] {
  if (!state.installed) return [`Not installed: there is no ${unit}.`];
  const { pid, restarts, exit_code: code } = state;
  return [
    `The service is ${state.state}${pid === undefined ? '' : `, process ${pid}`}. Unit: ${unit}`,
    ...(state.status === '' ? [] : [state.status]),
    ...(restarts === 0 ? [] : [`Restarted by systemd: ${restarts} times.`]),
    ...(code === undefined ? [] : [`Its last run ended with ${code}.`]),
    ...(state.enabled ? [] : ['It does not start by itself.']),
  ];
}

function linesOf(typed: unknown): number {
  const lines = Number(typed);
  if (Number.isInteger(lines) && lines > 0 && lines <= LINES_MAX) return lines;
  throw new BridgeError('usage', `--lines must be a whole number from 1 to ${LINES_MAX}`);
}
