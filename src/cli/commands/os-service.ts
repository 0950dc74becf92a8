/** `lark-bridge service`: the bridge as a service of the machine or of one user. */
import { existsSync, statSync } from 'node:fs';
import { isAbsolute } from 'node:path';
import { locateStateDir } from '../../config/load.ts';
import { BridgeError } from '../../core/errors.ts';
import { HOW_TO_INSTALL } from '../../host/package.ts';
import {
  isReadableByAll,
  stablePath,
  stablePaths,
  whyTemporary,
} from '../../host/service/stable-path.ts';
import { type ServiceState, systemdFacts } from '../../host/service/systemd.ts';
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
import { settingRows } from '../../config/setting-rows.ts';
import type { CommandGroup, Invocation, Options, Subcommand } from '../command.ts';
import { homeOf, scopeOf, scopeOptions, systemdOf } from '../service-scope.ts';
import { serviceLogsCommand } from './logs.ts';

const unitOptions = {
  ...scopeOptions,
  'secret-file': {
    offers: 'file',
    describe: 'File with the app secret; only with --system',
  },
} as const satisfies Options;

export const install: Subcommand = {
  usage: 'install',
  isForOperator: true,
  describe: 'Start the bot now, and whenever the machine starts (systemd)',
  examples: {
    'lark-bridge service install': 'Install a service of your user',
    'sudo lark-bridge service install --system --secret-file /etc/lark-bridge/secret':
      'Install a service of the machine',
  },
  options: unitOptions,
  run: async (invocation) => {
    const { output } = invocation;
    const scope = scopeOf(invocation);
    const facts = unitFacts(invocation, scope);
    if (scope === 'system') refuseUnreadable(facts);
    const systemd = systemdOf(invocation);
    await systemd.install(await systemdUnit(invocation, scope, facts));
    const lingers = scope === 'system' || (await systemd.linger());
    if (!lingers) {
      output.note(
        'Note: it stops when you log out. To keep it running: `sudo loginctl enable-linger $USER`.',
      );
    }
    const notPassed = variablesNotPassed(invocation);
    if (notPassed.length > 0) output.note(`Note: ${notPassed.join(', ')} ${notPassedText(scope)}`);
    output.result(
      [
        `Installed and started: ${systemd.unitPath}`,
        ...placesText(scope, facts),
        'See `lark-bridge service status` and `lark-bridge service logs`.',
      ].join('\n'),
      {
        installed: true,
        scope,
        unit: systemd.unitPath,
        lingers,
        variables_not_passed: notPassed,
        ...(scope === 'user' && { path: facts.path ?? null, home: facts.home ?? null }),
      },
    );
  },
};

const uninstall: Subcommand = {
  usage: 'uninstall',
  isForOperator: true,
  describe: 'Stop the service and remove it; its state directory stays',
  examples: { 'lark-bridge service uninstall': 'Remove the service of your user' },
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

const start = verb('start', 'Start the service', 'Started.');
const stop = verb('stop', 'Stop the service until the next start', 'Stopped.');
const restart = verb('restart', 'Stop the service and start it again', 'Restarted.');

const status: Subcommand = {
  usage: 'status',
  describe: 'Show whether the service runs',
  examples: { 'lark-bridge service status': 'Show the service of your user' },
  options: scopeOptions,
  run: async (invocation) => {
    const systemd = systemdOf(invocation);
    const state = await systemd.status();
    const view = { scope: scopeOf(invocation), unit: systemd.unitPath, ...state };
    invocation.output.result(statusLines(state, systemd.unitPath).join('\n'), view);
  },
};

const TEXTS: Readonly<Record<UnitFormat, typeof systemdUnit>> = {
  systemd: systemdUnit,
  launchd: (_invocation, _scope, facts) => Promise.resolve(renderLaunchd(facts)),
  windows: (_invocation, _scope, facts) => Promise.resolve(renderWindowsTask(facts)),
};

const print: Subcommand = {
  usage: 'print',
  describe: 'Print the unit file of the service, or the file for another service manager',
  examples: {
    'lark-bridge service print': 'Print the unit for systemd',
    'lark-bridge service print --for launchd': 'Print the property list for macOS',
  },
  options: {
    ...unitOptions,
    for: {
      choices: UNIT_FORMATS,
      default: 'systemd',
      describe: 'Service manager; launchd and windows are untested',
    },
  },
  run: async (invocation) => {
    const format = invocation.options['for'] as UnitFormat;
    const scope = scopeOf(invocation);
    const facts = unitFacts(invocation, scope, () => undefined);
    const trouble = whyTemporary(facts.program) ?? whyTemporary(facts.node);
    if (trouble !== undefined)
      invocation.output.note(`This unit would not start for long: ${trouble}.`);
    const text = await TEXTS[format](invocation, scope, facts);
    invocation.output.result(text.trimEnd(), { format, scope, text });
  },
};

export const serviceCommand: CommandGroup = {
  commands: [install, uninstall, start, stop, restart, status, serviceLogsCommand, print],
};

function verb(name: 'start' | 'stop' | 'restart', describe: string, done: string): Subcommand {
  return {
    usage: name,
    describe,
    examples: { [`lark-bridge service ${name}`]: describe },
    options: scopeOptions,
    isForOperator: true,
    run: async (invocation) => {
      const systemd = systemdOf(invocation);
      await systemd[name]();
      invocation.output.result(done, { done: name, unit: systemd.unitPath });
    },
  };
}

async function systemdUnit({ env }: Invocation, scope: Scope, facts: UnitFacts): Promise<string> {
  return renderSystemd(scope, facts, await systemdFacts(scope, env));
}

/** `why`: why a path would not do. What is only shown may have any. */
export function unitFacts(
  invocation: Invocation,
  scope: Scope,
  why: (path: string) => string | undefined = whyTemporary,
): UnitFacts {
  const { env, options, program } = invocation;
  const path = env['PATH'] ?? '';
  if (scope === 'system' && options['state-dir'] !== undefined) {
    throw new BridgeError('usage', "--state-dir can't be used with the system service", {
      next: `It keeps its state in /var/lib/${SERVICE_NAME}.`,
    });
  }
  return {
    ...stablePaths({ ...program, path }, why),
    stateDir: locateStateDir(invocation.configRequest([])),
    path: stablePath(path) || undefined,
    home: homeOf(env),
    secretFile: secretFileOf(options['secret-file'], scope),
  };
}

/** Agents are programs of the person, and their logins lie in the home of the person. */
function placesText(scope: Scope, { path, home }: UnitFacts): string[] {
  if (scope === 'system' || path === undefined || home === undefined) return [];
  return [`Agents find their programs in PATH=${path}`, `and their logins in HOME=${home}`];
}

/** systemd reads the file as root, so no other user needs to read it. */
function secretFileOf(typed: unknown, scope: Scope): string | undefined {
  if (typeof typed !== 'string') return undefined;
  if (scope === 'user') {
    throw new BridgeError('usage', '--secret-file is for the system service only', {
      next: 'For your own service, `lark-bridge connect` keeps the secret in the state directory.',
    });
  }
  if (!isAbsolute(typed) || !existsSync(typed)) {
    throw new BridgeError('usage', `--secret-file must be the full path of a file, not ${typed}`, {
      next: 'Write the app secret into a file, and give its path from / on.',
    });
  }
  if ((statSync(typed).mode & 0o077) !== 0) {
    throw new BridgeError('usage', `others can read ${typed}`, { next: `Run chmod 600 ${typed}.` });
  }
  return typed;
}

/** The system service runs as another user, who can't read the homes of users. */
function refuseUnreadable({ node, program }: UnitFacts): void {
  const hidden = [node, program].filter((path) => !isReadableByAll(path));
  if (hidden.length === 0) return;
  throw new BridgeError('failed', `the system service could not read ${hidden.join(' and ')}`, {
    next: `It runs as another user. Install Node.js and lark-bridge for all users, as root (${HOW_TO_INSTALL}), or make a service of your own with --user.`,
  });
}

/** Variables of this shell that the service will not have. */
function variablesNotPassed({ env }: Invocation): string[] {
  const names = settingRows().flatMap(([name, row]) =>
    name === 'stateDir' || name === 'noColor'
      ? []
      : [...(row.env ?? []), ...(row.envFile === undefined ? [] : [row.envFile])],
  );
  return names.filter((name) => (env[name] ?? '') !== '');
}

function notPassedText(scope: Scope): string {
  const file = scope === 'user' ? `~/.config/${SERVICE_NAME}/env` : `/etc/${SERVICE_NAME}/env`;
  return `set only in this shell, not for the service. Put what it needs into ${file} (chmod 600), one NAME=value a line. Then run \`lark-bridge service restart\`.`;
}

function statusLines(state: ServiceState, unit: string): string[] {
  if (!state.installed) return [`Not installed: there is no ${unit}.`];
  const { pid, restarts, exit_code: code } = state;
  return [
    `The service is ${state.state}${pid === undefined ? '' : `, process ${pid}`}. Unit: ${unit}`,
    ...(state.status === '' ? [] : [state.status]),
    ...(restarts === 0 ? [] : [`systemd restarted it ${restarts} times.`]),
    ...(code === undefined ? [] : [`Its last run ended with exit code ${code}.`]),
    ...(state.enabled ? [] : ['It does not start by itself.']),
  ];
}
