/** The unit files: those that are shipped, those that are installed, and systemd's own word about them. */
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  renderLaunchd,
  renderSystemd,
  renderWindowsTask,
  type Scope,
  type UnitFacts,
} from '../../../src/host/service/units.ts';
import { temporaryFolderForFile } from '../../kit/folder.ts';

const ROOT = join(import.meta.dirname, '../../..');
const folder = temporaryFolderForFile();

/** Where Debian and `npm install --global` put things. */
const USUAL: UnitFacts = {
  node: '/usr/bin/node',
  program: '/usr/local/bin/lark-bridge',
  stateDir: '~/.lark-bridge',
  path: undefined,
  secretFile: undefined,
};
const SHIPPED = {
  'systemd/lark-bridge.service': renderSystemd('system', {
    ...USUAL,
    secretFile: '/etc/lark-bridge/app-secret',
  }),
  'systemd/lark-bridge-user.service': renderSystemd('user', USUAL),
};

/** Everything that needs an escape somewhere. */
const ODD: UnitFacts = {
  node: '/opt/no de/100%/node',
  program: '/opt/a"b\\c$d/lark-bridge.js',
  stateDir: "/home/o'neil/50% & <more>",
  path: '/opt/my tools/bin:/usr/bin',
  secretFile: undefined,
};

/** The lines of a section, as systemd would take them. */
function linesOf(unit: string): string[] {
  return unit.split('\n').filter((line) => /^[A-Z]\w+=/.test(line));
}

function rendered(scope: Scope, version: number): string {
  return renderSystemd(scope, USUAL, { version, notifySocket: '/run/systemd/notify' });
}

function valuesOf(unit: string, key: string): string[] {
  return linesOf(unit)
    .filter((line) => line.startsWith(`${key}=`))
    .map((line) => line.slice(key.length + 1));
}

test.each(Object.entries(SHIPPED))(
  '%s is what the template makes (DOCS=write writes it)',
  (path, made) => {
    if (process.env['DOCS'] === 'write') writeFileSync(join(ROOT, path), made);
    expect(readFileSync(join(ROOT, path), 'utf8')).toBe(made);
  },
);

describe.each<Scope>(['system', 'user'])('the %s unit', (scope) => {
  const unit = renderSystemd(scope, USUAL);

  test('LCM-CLI-07: starts again 5 s after a failure', () => {
    expect(linesOf(unit)).toEqual(
      expect.arrayContaining(['Restart=on-failure', 'RestartSec=5', 'KillMode=mixed']),
    );
  });

  test('F30: a disk that is full for hours does not end the tries; wrong configuration and refused credentials do', () => {
    expect(valuesOf(unit, 'StartLimitIntervalSec')).toEqual(['0']);
    expect(valuesOf(unit, 'RestartPreventExitStatus')).toEqual(['2 3']);
    // It is for the main process alone: a check before it would be tried again and again.
    expect(valuesOf(unit, 'ExecStartPre')).toEqual([]);
  });

  test('F30: waits longer after each failure where systemd can', () => {
    const at = (version: number) => valuesOf(rendered(scope, version), 'RestartMaxDelaySec');
    expect(at(253)).toEqual([]);
    expect(at(254)).toEqual(['60']);
    expect(valuesOf(rendered(scope, 254), 'RestartSteps')).toEqual(['4']);
  });

  test('F30: only the main process speaks to systemd, where it can be given a socket', () => {
    const unitOf = (version: number, notifySocket?: string) =>
      renderSystemd(scope, USUAL, { version, notifySocket });
    const access = (text: string) => [valuesOf(text, 'NotifyAccess'), valuesOf(text, 'OpenFile')];
    const socket = '/run/user/1000/systemd/notify';
    expect(access(unitOf(253, socket))).toEqual([['main'], [`${socket}:notify`]]);
    for (const other of [unitOf(252, socket), unitOf(253), unitOf(257, '/odd:path'), unit]) {
      expect(access(other)).toEqual([['all'], []]);
    }
    expect(linesOf(unit)).toEqual(expect.arrayContaining(['Type=notify', 'WatchdogSec=60']));
  });

  test('F30: agents can take neither all memory nor all processes of the machine', () => {
    expect(valuesOf(unit, 'MemoryMax')).toEqual(['80%']);
    expect(valuesOf(unit, 'TasksMax')).toEqual(['2048']);
  });

  test('an agent that dies of its memory does not take the bridge along', () => {
    expect(valuesOf(unit, 'OOMPolicy')).toEqual(['continue']);
  });

  test('the bridge may make cgroups for the runs of agents, and a stop ends what is in them', () => {
    expect(valuesOf(unit, 'Delegate')).toEqual(['yes']);
    expect(valuesOf(unit, 'KillMode')).toEqual(['mixed']);
    expect(valuesOf(unit, 'ProtectControlGroups')).toEqual([]);
  });

  test('Node can compile, and agents can be run', () => {
    const always = ['MemoryDenyWriteExecute', 'NoExecPaths', 'ProcSubset', 'PrivateNetwork'];
    // A user's agents may have sandboxes of their own.
    const kept = scope === 'user' ? [...always, 'RestrictNamespaces'] : always;
    for (const key of kept) expect(valuesOf(unit, key)).toEqual([]);
  });
});

test('LCM-CLI-07: the system unit runs as a user of its own, who can write to its state alone', () => {
  expect(linesOf(renderSystemd('system', USUAL))).toEqual(
    expect.arrayContaining([
      'DynamicUser=yes',
      'User=lark-bridge',
      'StateDirectory=lark-bridge',
      'StateDirectoryMode=0700',
      'ProtectSystem=strict',
      'NoNewPrivileges=yes',
      'Environment=LARK_CHANNEL_STATE_DIR=%S/lark-bridge',
    ]),
  );
});

test('the secret comes as a credential, by the name of its file alone', () => {
  const unit = renderSystemd('system', { ...USUAL, secretFile: '/etc/100%/secret' });
  expect(valuesOf(unit, 'LoadCredential')).toEqual(['app-secret:/etc/100%%/secret']);
  expect(valuesOf(unit, 'Environment')).toContain(
    'LARK_APP_SECRET_FILE=%t/credentials/%n/app-secret',
  );
  expect(renderSystemd('system', USUAL)).not.toContain('SECRET');
});

test('odd paths are quoted as systemd reads them', () => {
  const unit = renderSystemd('user', ODD);
  expect(valuesOf(unit, 'ExecStart')).toEqual([
    String.raw`"/opt/no de/100%%/node" "/opt/a\"b\\c$$d/lark-bridge.js" run`,
  ]);
  expect(valuesOf(unit, 'Environment')).toEqual([
    `"LARK_CHANNEL_STATE_DIR=/home/o'neil/50%% & <more>"`,
    '"PATH=/opt/my tools/bin:/usr/bin"',
  ]);
});

test('launchd and the task scheduler get the same paths and words, and say that they are untested', () => {
  const plist = renderLaunchd(ODD);
  const words = [...plist.matchAll(/<string>([^<]*)<\/string>/g)].map(([, word]) => word);
  expect(words).toEqual(
    expect.arrayContaining([
      '/opt/no de/100%/node',
      String.raw`/opt/a&quot;b\c$d/lark-bridge.js`,
      'run',
      "/home/o'neil/50% &amp; &lt;more&gt;",
    ]),
  );
  const task = renderWindowsTask({ ...ODD, program: 'C:\\Program Files\\lark-bridge.js' });
  expect(task).toContain(
    `<Arguments>&quot;C:\\Program Files\\lark-bridge.js&quot; run --state-dir &quot;/home/o'neil/50% &amp; &lt;more&gt;&quot;</Arguments>`,
  );
  for (const text of [plist, task]) expect(text).toContain('<!-- Untested.');
});

describe.skipIf(systemdVersion() < 250)('systemd-analyze (of systemd 250 or newer)', () => {
  /** systemd checks that the programs are there. */
  const here = { ...USUAL, node: process.execPath, program: join(ROOT, 'bin/lark-bridge.js') };

  test.each<[Scope, UnitFacts]>([
    ['system', { ...here, secretFile: '/etc/lark-bridge/app-secret' }],
    ['system', here],
    ['user', here],
    ['user', { ...here, stateDir: ODD.stateDir, path: ODD.path }],
  ])('verify has nothing to say about the %s unit', (scope, facts) => {
    expect(verify(scope, renderSystemd(scope, facts))).toBe('');
  });

  test('verify would find a mistake', () => {
    const unit = renderSystemd('user', here).replace('Restart=on-failure', 'Restart=sometimes');
    expect(verify('user', unit)).toContain('sometimes');
  });

  test.each([0, 253])(
    'F30: the system unit, for systemd %i, has an exposure of 2.0 at most',
    (version) => {
      const notifySocket = '/run/systemd/notify';
      writeUnit('system', renderSystemd('system', here, { version, notifySocket }));
      const said = analyze('security', '--offline=true', '--no-pager', unitPath('system'));
      const exposure = Number(/exposure level for \S+: ([\d.]+)/.exec(said)?.[1]);
      expect(exposure).toBeLessThanOrEqual(2);
    },
  );

  test.runIf(systemdVersion() >= 254)('verify knows what a new systemd gets', () => {
    for (const scope of ['system', 'user'] as const) {
      const facts = { version: systemdVersion(), notifySocket: '/run/systemd/notify' };
      expect(verify(scope, renderSystemd(scope, here, facts))).toBe('');
    }
  });
});

/** 0 without systemd; what is asked here came with 250. */
function systemdVersion(): number {
  const { stdout, error } = spawnSync('systemd-analyze', ['--version'], { encoding: 'utf8' });
  return error === undefined ? Number(/^systemd (\d+)/.exec(stdout)?.[1] ?? 0) : 0;
}

function unitPath(scope: Scope): string {
  return join(folder, scope, 'lark-bridge.service');
}

function writeUnit(scope: Scope, text: string): void {
  mkdirSync(join(folder, scope), { recursive: true });
  writeFileSync(unitPath(scope), text);
}

function verify(scope: Scope, text: string): string {
  writeUnit(scope, text);
  return analyze(`--${scope}`, '--man=no', '--recursive-errors=no', 'verify', unitPath(scope));
}

/** Both streams: some mistakes are warnings. */
function analyze(...args: string[]): string {
  const { stdout, stderr } = spawnSync('systemd-analyze', args, {
    encoding: 'utf8',
    // The user manager's units want a place for their sockets.
    env: { ...process.env, XDG_RUNTIME_DIR: folder, LC_ALL: 'C' },
  });
  return stdout + stderr;
}
