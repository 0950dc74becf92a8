/** The files for service managers that keep the bridge running. All of them come from one table. */

export const UNIT_FORMATS = ['systemd', 'launchd', 'windows'] as const;
export type UnitFormat = (typeof UNIT_FORMATS)[number];
/** `system`: for the machine, with its own user. `user`: for the person who installs it. */
export type Scope = 'system' | 'user';

export const SERVICE_NAME = 'lark-bridge';
/** A unit without this first line was not written by lark-bridge. */
export const UNIT_MARK = '# Written by `lark-bridge service install`.';

/** The paths on this machine. They contain no secrets. */
export interface UnitFacts {
  readonly node: string;
  /** The program's JavaScript file, or a link to it. */
  readonly program: string;
  /** Not used by the system service: its state directory is under /var/lib. */
  readonly stateDir: string;
  /** Where the programs of a user's agents are. */
  readonly path: string | undefined;
  /** File with the app secret. systemd gives it only to the service. */
  readonly secretFile: string | undefined;
}

/** The same for all service managers. */
const SERVICE = {
  description: 'lark-bridge: an AI agent in Lark / Feishu',
  run: ['run'],
  check: ['config', 'check'],
  restartSecs: 5,
  /** The bridge itself needs at most ten. */
  stopSecs: 15,
  startSecs: 60,
  watchdogSecs: 60,
  /** A restart does not help after these exit codes: wrong configuration, and credentials that Lark refuses. */
  finalCodes: [2, 3],
} as const;

type Line = readonly [key: string, value: string];

export function renderSystemd(scope: Scope, facts: UnitFacts): string {
  const sections: readonly (readonly [string, readonly Line[]])[] = [
    ['Unit', unitLines(scope)],
    [
      'Service',
      [
        ...runLines(facts),
        ...(scope === 'system' ? systemPlaces(facts) : userPlaces(facts)),
        // Settings without secrets, or a file that only the owner can read.
        ['EnvironmentFile', `-%E/${SERVICE_NAME}/env`],
        ...LIMITS,
        ...(scope === 'system' ? SYSTEM_LIMITS : []),
      ],
    ],
    ['Install', [['WantedBy', scope === 'system' ? 'multi-user.target' : 'default.target']]],
  ];
  const texts = sections.map(([name, lines]) =>
    [`[${name}]`, ...lines.map(([key, value]) => `${key}=${value}`), ''].join('\n'),
  );
  const own = `# Your own changes: systemctl ${scope === 'user' ? '--user ' : ''}edit ${SERVICE_NAME}`;
  return [UNIT_MARK, own, ...texts].join('\n');
}

function unitLines(scope: Scope): Line[] {
  return [
    ['Description', SERVICE.description],
    ...(scope === 'system'
      ? ([
          ['Wants', 'network-online.target'],
          ['After', 'network-online.target'],
        ] as const)
      : []),
    // systemd also tries again after a failed check. This limits the tries.
    ['StartLimitIntervalSec', '300'],
    ['StartLimitBurst', '10'],
  ];
}

function runLines({ node, program }: UnitFacts): Line[] {
  const command = (words: readonly string[]) =>
    [node, program, ...words].map(commandWord).join(' ');
  return [
    ['Type', 'notify'],
    // The messages come from systemd-notify, and not from the bridge itself.
    ['NotifyAccess', 'all'],
    ['ExecStartPre', command(SERVICE.check)],
    ['ExecStart', command(SERVICE.run)],
    ['Restart', 'on-failure'],
    ['RestartSec', String(SERVICE.restartSecs)],
    ['RestartPreventExitStatus', SERVICE.finalCodes.join(' ')],
    ['WatchdogSec', String(SERVICE.watchdogSecs)],
    ['TimeoutStartSec', String(SERVICE.startSecs)],
    ['TimeoutStopSec', String(SERVICE.stopSecs)],
    // The bridge ends its agents itself. An agent that uses all memory must not end the bridge.
    ['KillMode', 'mixed'],
    ['OOMPolicy', 'continue'],
    ['SyslogIdentifier', SERVICE_NAME],
  ];
}

function systemPlaces({ secretFile }: UnitFacts): Line[] {
  const state = `%S/${SERVICE_NAME}`;
  return [
    ['DynamicUser', 'yes'],
    ['User', SERVICE_NAME],
    ['StateDirectory', SERVICE_NAME],
    ['StateDirectoryMode', '0700'],
    ['Environment', `HOME=${state}`],
    ['Environment', `LARK_CHANNEL_STATE_DIR=${state}`],
    ...(secretFile === undefined
      ? []
      : ([
          ['LoadCredential', `app-secret:${escaped(secretFile)}`],
          ['Environment', 'LARK_APP_SECRET_FILE=%t/credentials/%n/app-secret'],
        ] as const)),
  ];
}

function userPlaces({ stateDir, path }: UnitFacts): Line[] {
  return [
    ['Environment', settingWord('LARK_CHANNEL_STATE_DIR', stateDir)],
    ...(path === undefined ? [] : [['Environment', settingWord('PATH', path)] as const]),
  ];
}

/** Forbids what neither the bridge nor an agent needs. MemoryDenyWriteExecute is not set: Node compiles at run time. */
const LIMITS: readonly Line[] = [
  ['NoNewPrivileges', 'yes'],
  ['LockPersonality', 'yes'],
  ['RestrictRealtime', 'yes'],
  ['RestrictSUIDSGID', 'yes'],
  ['SystemCallArchitectures', 'native'],
  // A core dump would contain the secrets.
  ['LimitCORE', '0'],
];

/** Programs of agents can still run if every user may read them. They can write only to the state directory. */
const SYSTEM_LIMITS: readonly Line[] = [
  ['ProtectSystem', 'strict'],
  ['ProtectHome', 'read-only'],
  ['UMask', '0077'],
  ['PrivateTmp', 'yes'],
  ['PrivateDevices', 'yes'],
  ['ProtectClock', 'yes'],
  ['ProtectControlGroups', 'yes'],
  ['ProtectHostname', 'yes'],
  ['ProtectKernelLogs', 'yes'],
  ['ProtectKernelModules', 'yes'],
  ['ProtectKernelTunables', 'yes'],
  ['ProtectProc', 'invisible'],
  ['RemoveIPC', 'yes'],
  ['RestrictAddressFamilies', 'AF_UNIX AF_INET AF_INET6 AF_NETLINK'],
  ['CapabilityBoundingSet', ''],
  ['SystemCallFilter', '~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap'],
  ['SystemCallErrorNumber', 'EPERM'],
];

/** `%` starts a specifier everywhere in a unit. */
function escaped(text: string): string {
  return text.replaceAll('%', '%%');
}

function quoted(text: string): string {
  return /^[\w%+,./:=@$-]+$/.test(text)
    ? text
    : `"${text.replaceAll('\\', String.raw`\\`).replaceAll('"', String.raw`\"`)}"`;
}

function commandWord(word: string): string {
  return quoted(escaped(word).replaceAll('$', '$$$$'));
}

function settingWord(name: string, value: string): string {
  return quoted(`${name}=${escaped(value)}`);
}

/** Not tested on a Mac. */
export function renderLaunchd({ node, program, stateDir, path }: UnitFacts): string {
  const words = [node, program, ...SERVICE.run];
  const variables = [
    ['LARK_CHANNEL_STATE_DIR', stateDir],
    ...(path === undefined ? [] : [['PATH', path]]),
  ];
  const log = `<string>${xml(`${stateDir}/service.log`)}</string>`;
  return `<?xml version="1.0" encoding="UTF-8"?>
<!DOCTYPE plist PUBLIC "-//Apple//DTD PLIST 1.0//EN" "http://www.apple.com/DTDs/PropertyList-1.0.dtd">
<!-- Untested. ~/Library/LaunchAgents/${SERVICE_NAME}.plist; then launchctl load -w that file. -->
<plist version="1.0">
<dict>
  <key>Label</key><string>${SERVICE_NAME}</string>
  <key>ProgramArguments</key>
  <array>
${words.map((word) => `    <string>${xml(word)}</string>`).join('\n')}
  </array>
  <key>EnvironmentVariables</key>
  <dict>
${variables.map(([name = '', value = '']) => `    <key>${name}</key><string>${xml(value)}</string>`).join('\n')}
  </dict>
  <key>RunAtLoad</key><true/>
  <key>KeepAlive</key><dict><key>SuccessfulExit</key><false/></dict>
  <key>ThrottleInterval</key><integer>${SERVICE.restartSecs}</integer>
  <key>ExitTimeOut</key><integer>${SERVICE.stopSecs}</integer>
  <key>Umask</key><integer>63</integer>
  <key>StandardOutPath</key>${log}
  <key>StandardErrorPath</key>${log}
</dict>
</plist>
`;
}

/** Not tested on Windows. A failed task starts again after a minute, which is the shortest time there. */
export function renderWindowsTask({ node, program, stateDir }: UnitFacts): string {
  const words = [program, ...SERVICE.run, '--state-dir', stateDir];
  const args = words.map((word) => (/[\s"]/.test(word) ? `"${word}"` : word)).join(' ');
  return `<?xml version="1.0"?>
<!-- Untested. Save as ${SERVICE_NAME}.xml, then schtasks /create /tn ${SERVICE_NAME} /xml ${SERVICE_NAME}.xml -->
<Task version="1.2" xmlns="http://schemas.microsoft.com/windows/2004/02/mit/task">
  <RegistrationInfo><Description>${xml(SERVICE.description)}</Description></RegistrationInfo>
  <Triggers><LogonTrigger><Enabled>true</Enabled></LogonTrigger></Triggers>
  <Settings>
    <MultipleInstancesPolicy>IgnoreNew</MultipleInstancesPolicy>
    <DisallowStartIfOnBatteries>false</DisallowStartIfOnBatteries>
    <StopIfGoingOnBatteries>false</StopIfGoingOnBatteries>
    <ExecutionTimeLimit>PT0S</ExecutionTimeLimit>
    <RestartOnFailure><Interval>PT1M</Interval><Count>999</Count></RestartOnFailure>
  </Settings>
  <Actions>
    <Exec><Command>${xml(node)}</Command><Arguments>${xml(args)}</Arguments></Exec>
  </Actions>
</Task>
`;
}

function xml(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}
