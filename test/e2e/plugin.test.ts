/** The plugin as a workspace runtime has it: plugin.yaml as its parser reads it, and a start for real. */
import { execFileSync } from 'node:child_process';
import {
  cpSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
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

  test('LCM-MODE-04: manifest, package and lock are of one version, and want the same Node', () => {
    const lock = JSON.parse(readFileSync(join(ROOT, 'npm-shrinkwrap.json'), 'utf8')) as {
      version: string;
    };
    expect([manifest.version, lock.version]).toEqual([PACKAGE.version, PACKAGE.version]);
    const script = readFileSync(SCRIPT, 'utf8');
    const [, node] = /^node_wanted=(\S+)$/m.exec(script) ?? [];
    expect(`>=${node}.0`).toBe(PACKAGE.engines.node);
    expect(PACKAGE.files).toEqual(
      // npm puts no package-lock.json into a package, and this one only if it is named.
      expect.arrayContaining(['plugin.yaml', 'daemon-bootstrap.sh', 'npm-shrinkwrap.json']),
    );
  });

  test('nobody is told to install a package of ours from a registry, where the name is not ours', () => {
    const texts = ['src', 'bin', 'docs', 'systemd']
      .flatMap((folder) =>
        readdirSync(join(ROOT, folder), { recursive: true, encoding: 'utf8' }).map((name) =>
          join(folder, name),
        ),
      )
      .concat(readdirSync(ROOT).filter((name) => /\.(?:md|sh|yaml)$/.test(name)))
      .filter((name) => /\.(?:ts|js|md|sh|yaml|service|svg)$/.test(name))
      .map((name) => ({ name, text: readFileSync(join(ROOT, name), 'utf8') }));
    const told =
      /\b(?:npx|bunx|pnpm dlx|yarn dlx|(?:npm|pnpm|yarn|bun) (?:i|install|add|exec|global add)\b(?: -\S+)*) +["']?lark-bridge\b|(?<!\/)lark-bridge@(?:\d|latest|\$)/;
    expect(texts.length).toBeGreaterThan(100);
    expect(texts.filter(({ text }) => told.test(text)).map(({ name }) => name)).toEqual([]);
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

interface Locked {
  integrity?: string;
  readonly dependencies?: Readonly<Record<string, string>>;
}

type Dependencies = Record<string, string>;
type Packages = Record<string, Locked>;

/** The build of a checkout wants these of the packages for development. */
const BUILD_NEEDS = Object.keys(PACKAGE.devDependencies).filter((name) =>
  /^(?:typescript$|@types\/|@opentelemetry\/)/.test(name),
);
/** Leaves only these packages, and what they need, in package.json and the lock file: the others cost time. */
function keepPackages(
  plugin: string,
  names: readonly string[],
  change: (packages: Packages) => void = () => {},
): void {
  const read = (name: string) => JSON.parse(readFileSync(join(plugin, name), 'utf8')) as never;
  const described: Record<string, Dependencies> = read('package.json');
  const lock: { packages: Packages & { '': Record<string, Dependencies> } } =
    read('npm-shrinkwrap.json');
  for (const root of [described, lock.packages['']]) {
    for (const kind of ['dependencies', 'devDependencies']) {
      const kept = Object.entries(root[kind] ?? {}).filter(([name]) => names.includes(name));
      root[kind] = Object.fromEntries(kept);
    }
    delete root['peerDependencies'];
    delete root['peerDependenciesMeta'];
  }
  // The other ones speak of packages that are left out.
  described['overrides'] = { cookie: described['overrides']?.['cookie'] ?? '' };
  const needed = new Set<string>();
  const need = (name: string) => {
    if (needed.has(name)) return;
    needed.add(name);
    for (const [path, locked] of Object.entries(lock.packages)) {
      if (path.endsWith(`node_modules/${name}`)) allNeedsOf(locked).forEach(need);
    }
  };
  names.forEach(need);
  for (const path of Object.keys(lock.packages)) {
    const parts = path
      .split('node_modules/')
      .slice(1)
      .map((part) => part.replace(/\/$/, ''));
    if (!parts.every((name) => needed.has(name))) delete lock.packages[path];
  }
  change(lock.packages);
  writeFileSync(join(plugin, 'package.json'), JSON.stringify(described));
  writeFileSync(join(plugin, 'npm-shrinkwrap.json'), JSON.stringify(lock));
}

function allNeedsOf(locked: Locked & { optionalDependencies?: Dependencies }): string[] {
  return Object.keys({ ...locked.dependencies, ...locked.optionalDependencies });
}

describe('for real', () => {
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
    packed = join(folder, pack?.filename ?? '');
    // A host's copy of the plugin: what `npm pack` makes, or what git has.
    execFileSync('tar', ['-xzf', packed, '-C', folder]);
    const tracked = execFileSync('git', ['ls-files', '-z'], { cwd: ROOT, encoding: 'utf8' });
    for (const name of tracked.split('\0').filter((path) => /^[^./]|^\.npmrc/.test(path))) {
      cpSync(join(ROOT, name), join(folder, 'checkout', name));
    }
    const { dependencies } = PACKAGE;
    keepPackages(join(folder, 'checkout'), [...Object.keys(dependencies), ...BUILD_NEEDS]);
  }, REAL_TIMEOUT_MS);
  afterAll(async () => {
    for (const one of started) await one.kill();
    await rig.close();
    rmSync(folder, { recursive: true, force: true });
  }, REAL_TIMEOUT_MS);

  function boot(env: Readonly<Record<string, string>> = {}, plugin = 'package'): Boot {
    const one = new Boot([entry?.command ?? '', ...(entry?.args ?? [])], {
      cwd: join(folder, plugin),
      env: {
        ...rig.env,
        HOME: process.env['HOME'] ?? folder,
        LARK_CHANNEL_STATE_DIR: '',
        MOLECULE_PLUGIN_STATE_DIR: join(folder, 'state'),
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

  /** A Node beside an npm that links the packages that the tarball has brought, as all of them are the same. */
  function nodeWithQuickNpm(): string {
    const packages = join(folder, 'state/packages');
    const home = readdirSync(packages).find((name) => name.startsWith('tarball-')) ?? '';
    const bin = join(folder, 'bin');
    mkdirSync(bin);
    symlinkSync(process.execPath, join(bin, 'node'));
    writeFileSync(
      join(bin, 'npm'),
      `#!/bin/sh\n[ "$1" != ci ] || exec cp -al '${join(packages, home, 'node_modules')}' "$3/"\n`,
      { mode: 0o755 },
    );
    return join(bin, 'node');
  }

  test.each<[string, string, () => Readonly<Record<string, string>>]>([
    ['a checkout', 'checkout', () => ({})],
    ['a tarball', 'package', () => ({ LARK_BRIDGE_PACKAGE: packed })],
    ['an unpacked package', 'package', () => ({ LARK_BRIDGE_NODE: nodeWithQuickNpm() })],
  ])(
    'MOL-DAE-05: installed from %s, it runs and waits for its host; SIGTERM ends it with 0',
    async (_what, plugin, env) => {
      const one = boot(env(), plugin);
      const said = () => one.stdout + one.stderr;
      await expect
        .poll(said, { timeout: REAL_TIMEOUT_MS })
        .toMatch(/lark-bridge (?:has started|is ready)|could not be installed/);
      expect(said()).toMatch(/lark-bridge (?:has started|is ready)/);
      one.signalGroup('SIGTERM');
      expect(await one.code).toBe(0);
    },
    REAL_TIMEOUT_MS,
  );

  test(
    'a package whose bytes are not those of the lock file is not installed',
    async () => {
      cpSync(join(folder, 'package'), join(folder, 'tampered'), { recursive: true });
      keepPackages(join(folder, 'tampered'), ['shlex'], (packages) => {
        packages['node_modules/shlex']!.integrity = `sha512-${'A'.repeat(86)}==`;
      });
      const state = join(folder, 'state-of-tampered');
      const one = boot({ MOLECULE_PLUGIN_STATE_DIR: state }, 'tampered');
      await expect
        .poll(() => one.stderr, { timeout: REAL_TIMEOUT_MS })
        .toContain('could not be installed');
      expect(one.stderr).toContain('EINTEGRITY');
      await one.kill();
      expect(readdirSync(join(state, 'packages')).join(' ')).not.toContain('files-');
    },
    REAL_TIMEOUT_MS,
  );

  test(
    'MOL-DAE-05: a second one on the same state ends with 5, which a host takes for a failure',
    async () => {
      const first = boot();
      await expect
        .poll(() => first.stdout + first.stderr, { timeout: REAL_TIMEOUT_MS })
        .toMatch(/lark-bridge (?:has started|is ready)/);
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
