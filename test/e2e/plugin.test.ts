/** The plugin as a workspace runtime has it: plugin.yaml as its parser reads it, and a start for real. */
import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { SETTINGS } from '../../src/config/settings.ts';
import { Boot, onPath, PACKAGE, ROOT, SCRIPT } from './boot.ts';
import { Rig } from './rig.ts';

const REAL_TIMEOUT_MS = 300_000;

interface Manifest {
  readonly name: string;
  readonly version: string;
  readonly description: string;
  readonly kind: string;
  readonly engines: Readonly<Record<string, string>>;
  readonly runtimes: readonly string[];
  readonly contributes: {
    readonly state: { readonly durability: string; readonly description: string };
    readonly configuration: { readonly properties: Readonly<Record<string, unknown>> };
    readonly daemons: readonly {
      readonly name: string;
      readonly command: string;
      readonly args: readonly string[];
      readonly env: Readonly<Record<string, string>>;
    }[];
  };
}

const { load } = createRequire(import.meta.url)('js-yaml') as { load: (text: string) => unknown };
const manifest = load(readFileSync(join(ROOT, 'plugin.yaml'), 'utf8')) as Manifest;
const [entry] = manifest.contributes.daemons;

describe('plugin.yaml', () => {
  test('MOL-DAE-01: has what a host wants to know', () => {
    expect(manifest).toMatchObject({ name: 'lark-bridge', kind: 'channel' });
    expect(manifest.description.length).toBeGreaterThan(20);
    // A host's marketplace takes no other form.
    expect(manifest.version).toMatch(/^\d+(\.\d+)*$/);
    expect(manifest.engines['molecule']).toMatch(/^\^\d/);
    const known = 'claude-code codex hermes openclaw crewai google-adk external'.split(' ');
    expect(manifest.runtimes.toSorted()).toEqual(known.toSorted());
  });

  test('MOL-DAE-02, MOL-DAE-03: the one daemon is an entry that no host skips', () => {
    expect(manifest.contributes.daemons).toHaveLength(1);
    expect(entry).toMatchObject({
      name: 'lark-bridge',
      command: 'bash',
      args: ['daemon-bootstrap.sh'],
    });
    for (const [name, value] of Object.entries(entry?.env ?? {})) {
      expect([name, typeof value]).toEqual([expect.stringMatching(/^[A-Z_]+$/), 'string']);
    }
  });

  test('MOL-DAE-04: each setting of the plugin is one of the bridge, and reaches the daemon', () => {
    const settings = Object.keys(manifest.contributes.configuration.properties);
    const passed = Object.entries(entry?.env ?? {}).map(([name, value]) => {
      const [, key = ''] = /^\$\{config:([\w.-]+)\}$/.exec(value) ?? [];
      return [name, key] as const;
    });
    expect(passed.map(([, key]) => key).toSorted()).toEqual(settings.toSorted());
    const variables = Object.values(SETTINGS).flatMap((row) => ('env' in row ? row.env : []));
    const script = readFileSync(SCRIPT, 'utf8');
    for (const [name] of passed) {
      const variable = name.replace('LARK_PLUGIN_', 'LARK_');
      expect(variables).toContain(variable);
      expect(script).toContain(`${variable}=\${${variable}:-\${${name}:-}}`);
    }
  });

  test('MOL-DAE-08: says that it keeps state, and what is lost without it', () => {
    expect(manifest.contributes.state.durability).toBe('required');
    expect(manifest.contributes.state.description).toContain('credentials');
  });

  test('LCM-MODE-04: manifest, package and pin are of one version, and want the same Node', () => {
    const script = readFileSync(SCRIPT, 'utf8');
    const [, pin] = /^version=(\S+)$/m.exec(script) ?? [];
    const [, node] = /^node_wanted=(\S+)$/m.exec(script) ?? [];
    expect([manifest.version, pin]).toEqual([PACKAGE.version, PACKAGE.version]);
    expect(`>=${node}.0`).toBe(PACKAGE.engines.node);
    expect(script).toContain(`package=${PACKAGE.name}@$version`);
    expect(PACKAGE.files).toEqual(
      expect.arrayContaining(['plugin.yaml', 'daemon-bootstrap.sh', 'systemd']),
    );
  });
});

describe('daemon-bootstrap.sh as a text', () => {
  test('any shell of POSIX reads it', () => {
    execFileSync('/bin/sh', ['-n', SCRIPT]);
    execFileSync('bash', ['--posix', '-n', SCRIPT]);
  });

  test.skipIf(!onPath('shellcheck'))('shellcheck has nothing to say (where there is one)', () => {
    expect(execFileSync('shellcheck', [SCRIPT], { encoding: 'utf8' })).toBe('');
  });

  test('shows no command as it runs it, and passes no secret as an argument', () => {
    const script = readFileSync(SCRIPT, 'utf8');
    expect(script).not.toMatch(/set -\w*x|\$\{?\w*(?:SECRET|TOKEN)/);
  });
});

describe('for real, with the package as it is published', () => {
  let rig: Rig;
  let folder: string;
  let packed: string;
  const started = new Set<Boot>();

  beforeAll(async () => {
    rig = await Rig.open();
    folder = mkdtempSync(join(tmpdir(), 'lark-bridge-plugin-'));
    const words = ['pack', ROOT, '--json', '--ignore-scripts', '--pack-destination', folder];
    const out = execFileSync('npm', words, { cwd: folder, encoding: 'utf8', stdio: 'pipe' });
    const [pack] = JSON.parse(out) as { filename: string }[];
    // The host's copy of the plugin is the same package.
    packed = join(folder, pack?.filename ?? '');
    execFileSync('tar', ['-xzf', packed, '-C', folder]);
  }, REAL_TIMEOUT_MS);
  afterAll(async () => {
    for (const one of started) await one.kill();
    await rig.close();
    rmSync(folder, { recursive: true, force: true });
  });

  function boot(env: Readonly<Record<string, string>> = {}): Boot {
    const one = new Boot([entry?.command ?? '', ...(entry?.args ?? [])], {
      cwd: join(folder, 'package'),
      env: {
        ...rig.env,
        HOME: process.env['HOME'] ?? folder,
        LARK_CHANNEL_STATE_DIR: '',
        MOLECULE_PLUGIN_STATE_DIR: join(folder, 'state'),
        LARK_BRIDGE_PACKAGE: packed,
        // Nobody listens there: the host is not up yet.
        PLATFORM_URL: 'http://127.0.0.1:9',
        WORKSPACE_ID: 'host',
        MOLECULE_WORKSPACE_TOKEN: 'a-token',
        ...env,
      },
    });
    started.add(one);
    return one;
  }

  test(
    'MOL-DAE-05: installed from the tarball, it runs and waits for its host; SIGTERM ends it with 0',
    async () => {
      const one = boot();
      await expect
        .poll(() => one.stdout + one.stderr, { timeout: REAL_TIMEOUT_MS })
        .toContain('is ready');
      one.signalGroup('SIGTERM');
      expect(await one.code).toBe(0);
    },
    REAL_TIMEOUT_MS,
  );

  test(
    'MOL-DAE-05: a second one on the same state ends with 5, which a host takes for a failure',
    async () => {
      const first = boot();
      await expect
        .poll(() => first.stdout + first.stderr, { timeout: REAL_TIMEOUT_MS })
        .toContain('is ready');
      const second = boot();
      expect(await second.code).toBe(5);
      first.signalGroup('SIGTERM');
      expect(await first.code).toBe(0);
    },
    REAL_TIMEOUT_MS,
  );

  test(
    'MOL-DAE-06: what no restart can mend ends with 2, and says all of it at once',
    async () => {
      const one = boot({ LARK_APP_ID: '', LARK_APP_SECRET: '', WORKSPACE_ID: '' });
      expect(await one.code).toBe(2);
      for (const name of ['LARK_APP_ID', 'LARK_APP_SECRET', 'WORKSPACE_ID']) {
        expect(one.stderr).toContain(name);
      }
    },
    REAL_TIMEOUT_MS,
  );
});
