/** The files for service managers that keep the bridge running. All of them come from one table. */
import { NOTIFY_SOCKET_NAME } from '../notify-words.ts';

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
  /** Where their logins are. Not used by the system service, which has a home of its own. */
  readonly home?: string;
  /** File with the app secret. systemd gives it only to the service. */
  readonly secretFile: string | undefined;
}

/** What is known of the systemd that reads a unit. */
export interface SystemdFacts {
  /** 0 if it is unknown: then the unit has only what every systemd reads. */
  readonly version: number;
  /** Where it listens for words of its services. `OpenFile=` knows no `%t`. */
  readonly notifySocket: string | undefined;
}

/** The first versions that know these settings. */
const OPEN_FILE_VERSION = 253;
const RESTART_STEPS_VERSION = 254;
const UNKNOWN: SystemdFacts = { version: 0, notifySocket: undefined };

/** The same for all service managers. */
const SERVICE = {
  description: 'lark-bridge: an AI agent in Lark / Feishu',
  run: ['run'],
  restartSecs: 5,
  /**
   * Where systemd can wait longer after each failure. It counts the failures since the last start by hand, so
   * months later too: the longest wait must be one that does no harm then.
   */
  restartSteps: 4,
  restartSecsMax: 60,
  /** The bridge itself needs at most ten. */
  stopSecs: 15,
  startSecs: 60,
  watchdogSecs: 60,
  /** A restart does not help after these exit codes: wrong configuration, and credentials that Lark refuses. */
  finalCodes: [2, 3],
} as const;

type Line = readonly [key: string, value: string];

export function renderSystemd(
  scope: Scope,
  facts: UnitFacts,
  systemd: SystemdFacts = UNKNOWN,
): string {
  const sections: readonly (readonly [string, readonly Line[]])[] = [
    ['Unit', unitLines(scope)],
    [
      'Service',
      [
        ...runLines(facts),
        ...wordLines(systemd),
        ...restartLines(systemd),
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
    // A full disk lasts for hours. What no new start can mend ends with one of the final codes.
    ['StartLimitIntervalSec', '0'],
  ];
}

function runLines({ node, program }: UnitFacts): Line[] {
  return [
    ['Type', 'notify'],
    // No `config check` before it: RestartPreventExitStatus is for the main process only, which checks as well.
    ['ExecStart', [node, program, ...SERVICE.run].map(commandWord).join(' ')],
    ['WatchdogSec', String(SERVICE.watchdogSecs)],
    ['TimeoutStartSec', String(SERVICE.startSecs)],
    ['TimeoutStopSec', String(SERVICE.stopSecs)],
    // The bridge ends its agents itself. An agent that uses all memory must not end the bridge.
    ['KillMode', 'mixed'],
    ['OOMPolicy', 'continue'],
    // Each run of an agent gets a cgroup below that of the service, which holds all that it starts. No controllers
    // are named: the limits are those of the service.
    ['Delegate', 'yes'],
    ['SyslogIdentifier', SERVICE_NAME],
  ];
}

/** Who may tell systemd how the service is. */
function wordLines({ version, notifySocket = '' }: SystemdFacts): Line[] {
  const canBeHandedOver = version >= OPEN_FILE_VERSION && /^\/[\w./-]+$/.test(notifySocket);
  return canBeHandedOver
    ? [
        ['NotifyAccess', 'main'],
        ['OpenFile', `${notifySocket}:${NOTIFY_SOCKET_NAME}`],
      ]
    : // The words come from systemd-notify, which is a child of the bridge.
      [['NotifyAccess', 'all']];
}

function restartLines({ version }: SystemdFacts): Line[] {
  return [
    ['Restart', 'on-failure'],
    ['RestartSec', String(SERVICE.restartSecs)],
    ...(version < RESTART_STEPS_VERSION
      ? []
      : ([
          ['RestartSteps', String(SERVICE.restartSteps)],
          ['RestartMaxDelaySec', String(SERVICE.restartSecsMax)],
        ] as const)),
    ['RestartPreventExitStatus', SERVICE.finalCodes.join(' ')],
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

function userPlaces({ stateDir, path, home }: UnitFacts): Line[] {
  return [
    ['Environment', settingWord('LARK_CHANNEL_STATE_DIR', stateDir)],
    ...(home === undefined ? [] : [['Environment', settingWord('HOME', home)] as const]),
    ...(path === undefined ? [] : [['Environment', settingWord('PATH', path)] as const]),
  ];
}

/**
 * Forbids what neither the bridge nor an agent needs, as far as a user may. MemoryDenyWriteExecute is not set:
 * Node compiles at run time. In a user's service agents may use namespaces, as sandboxes and browsers do.
 */
const LIMITS: readonly Line[] = [
  ['NoNewPrivileges', 'yes'],
  ['LockPersonality', 'yes'],
  ['RestrictRealtime', 'yes'],
  ['RestrictSUIDSGID', 'yes'],
  ['RestrictAddressFamilies', 'AF_UNIX AF_INET AF_INET6 AF_NETLINK'],
  ['SystemCallArchitectures', 'native'],
  ['SystemCallFilter', '~@clock @cpu-emulation @module @obsolete @raw-io @reboot @swap'],
  ['SystemCallErrorNumber', 'EPERM'],
  // A core dump would contain the secrets.
  ['LimitCORE', '0'],
  // The machine goes on when an agent takes all memory: the kernel ends the largest process of the service.
  // MemoryHigh is not set, because it slows down all of the service, and the bridge with it.
  ['MemoryMax', '80%'],
  // The threads of eight agents at work, with 250 for each. A program that starts itself over and over ends here.
  ['TasksMax', '2048'],
];

/**
 * Programs of agents can still run if every user may read them. They can write only to the state directory.
 * ProcSubset=pid is not set: the bridge reads `boot_id` in /proc/sys, and many agents /proc/meminfo.
 * ProtectControlGroups is not set: it closes the cgroups below the service, too. All others belong to root.
 */
const SYSTEM_LIMITS: readonly Line[] = [
  ['ProtectSystem', 'strict'],
  ['ProtectHome', 'read-only'],
  ['UMask', '0077'],
  ['PrivateTmp', 'yes'],
  ['PrivateDevices', 'yes'],
  ['PrivateMounts', 'yes'],
  ['PrivateUsers', 'yes'],
  ['KeyringMode', 'private'],
  ['ProtectClock', 'yes'],
  ['ProtectHostname', 'yes'],
  ['ProtectKernelLogs', 'yes'],
  ['ProtectKernelModules', 'yes'],
  ['ProtectKernelTunables', 'yes'],
  ['ProtectProc', 'invisible'],
  ['RemoveIPC', 'yes'],
  ['RestrictNamespaces', 'yes'],
  ['CapabilityBoundingSet', ''],
  ['SystemCallFilter', '~@debug @mount @privileged'],
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
