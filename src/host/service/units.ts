/** What each system's service manager has to know to keep the bridge running, from one table. */

export const UNIT_FORMATS = ['systemd', 'launchd', 'windows'] as const;
export type UnitFormat = (typeof UNIT_FORMATS)[number];
/** `system`: for the machine, as a user of its own. `user`: for the person who installs it. */
export type Scope = 'system' | 'user';

export const SERVICE_NAME = 'lark-bridge';
/** A unit that begins otherwise was written by somebody else. */
export const UNIT_MARK = '# Written by `lark-bridge service install`.';

/** Where things are on this machine. No secrets. */
export interface UnitFacts {
  readonly node: string;
  /** The program's JavaScript file, or a link to it. */
  readonly program: string;
  /** The system service of systemd has its own, under /var/lib. */
  readonly stateDir: string;
  /** Where a user's agents are found. */
  readonly path: string | undefined;
  /** File with the app secret, which systemd hands to the service alone. */
  readonly secretFile: string | undefined;
}

/** What is the same everywhere. */
const SERVICE = {
  description: 'lark-bridge: an AI agent in Lark / Feishu',
  run: ['run'],
  check: ['config', 'check'],
  restartSecs: 5,
  /** The bridge itself takes at most ten. */
  stopSecs: 15,
  startSecs: 60,
  watchdogSecs: 60,
  /** Exit codes that a restart can't change: configuration, and credentials that Lark refuses. */
  finalCodes: [2, 3],
} as const;

type Line = readonly [key: string, value: string];

export function renderSystemd(scope: Scope, facts: UnitFacts): string {
  const sections: readonly (readonly [string, readonly Line[]])[] = [
    ['Unit', unitLines(scope)],
    [
      'Service',
      [
        ...lifeLines(facts),
        ...(scope === 'system' ? systemPlaces(facts) : userPlaces(facts)),
        // Settings that are nobody's secret, or a file that only the owner can read.
        ['EnvironmentFile', `-%E/${SERVICE_NAME}/env`],
        ...FENCE,
        ...(scope === 'system' ? SYSTEM_FENCE : []),
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
    // A check that fails is tried again too; this ends it.
    ['StartLimitIntervalSec', '300'],
    ['StartLimitBurst', '10'],
  ];
}

function lifeLines({ node, program }: UnitFacts): Line[] {
  const command = (words: readonly string[]) =>
    [node, program, ...words].map(commandWord).join(' ');
  return [
    ['Type', 'notify'],
    // Not the bridge itself speaks, but systemd-notify on its behalf.
    ['NotifyAccess', 'all'],
    ['ExecStartPre', command(SERVICE.check)],
    ['ExecStart', command(SERVICE.run)],
    ['Restart', 'on-failure'],
    ['RestartSec', String(SERVICE.restartSecs)],
    ['RestartPreventExitStatus', SERVICE.finalCodes.join(' ')],
    ['WatchdogSec', String(SERVICE.watchdogSecs)],
    ['TimeoutStartSec', String(SERVICE.startSecs)],
    ['TimeoutStopSec', String(SERVICE.stopSecs)],
    // The bridge ends its agents itself; an agent that eats all memory must not end the bridge.
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

/** What no bridge and no agent needs. MemoryDenyWriteExecute is missing because Node compiles as it runs. */
const FENCE: readonly Line[] = [
  ['NoNewPrivileges', 'yes'],
  ['LockPersonality', 'yes'],
  ['RestrictRealtime', 'yes'],
  ['RestrictSUIDSGID', 'yes'],
  ['SystemCallArchitectures', 'native'],
  // A memory image would hold the secrets.
  ['LimitCORE', '0'],
];

/** Programs of agents can still be run, wherever others may read them; they write to the state directory alone. */
const SYSTEM_FENCE: readonly Line[] = [
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

/** `%` begins a specifier everywhere in a unit. */
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

/** Not tried on a Mac. */
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

/** Not tried on Windows. Tasks are begun again a minute after they failed: less is not to be had. */
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
