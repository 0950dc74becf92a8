/** Who may import what, as two tables, and the judge that reads a source file against them. */

interface Room {
  /** Rooms (folders or files directly under `src`) that it may import. Its own files always. */
  readonly ours: readonly string[];
  /** Packages and Node modules that it may import. */
  readonly packages: readonly string[];
}

const EVERY_ROOM = ['core', 'bridge', 'lark', 'platform', 'hub', 'store', 'agents', 'ops'];
/** The parts of the configuration: its table, and the file with the secrets. */
const SETTINGS_FILES = [
  'settings.ts',
  'setting-values.ts',
  'setting-sources.ts',
  'credentials.ts',
  'keyring.ts',
];

export const ROOMS: Readonly<Record<string, Room>> = {
  core: { ours: [], packages: [] },
  bridge: { ours: ['core'], packages: ['lru-cache', 'node:crypto'] },
  lark: {
    ours: ['core'],
    packages: [
      'lru-cache',
      'p-queue',
      'undici',
      'node:http',
      'node:https',
      'node:module',
      'node:tls',
      'node:zlib',
    ],
  },
  platform: { ours: ['core'], packages: ['undici'] },
  hub: {
    ours: ['core'],
    packages: ['@sinclair/typebox', 'fastify', 'node:crypto', 'node:net'],
  },
  store: { ours: ['core'], packages: ['node:crypto', 'node:fs', 'node:module', 'node:path'] },
  agents: {
    ours: ['core'],
    packages: ['shlex', 'node:child_process', 'node:fs', 'node:path'],
  },
  ops: {
    ours: ['core'],
    packages: [
      '@opentelemetry/api',
      '@opentelemetry/exporter-trace-otlp-http',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace-base',
      'pino',
      'prom-client',
      'node:child_process',
      'node:crypto',
      'node:fs',
      'node:http',
      'node:net',
      'node:os',
      'node:path',
      'node:util',
      'node:perf_hooks',
    ],
  },
  sim: {
    ours: [],
    packages: ['protobufjs', 'ws', 'node:http', 'node:net', 'node:stream', 'node:zlib'],
  },
  'setting-values.ts': { ours: ['core'], packages: ['node:fs', 'node:path'] },
  'settings.ts': { ours: ['core', 'setting-values.ts'], packages: [] },
  'setting-sources.ts': { ours: ['core', 'settings.ts'], packages: ['node:fs', 'node:path'] },
  'credentials.ts': { ours: ['core', 'keyring.ts'], packages: ['conf', 'node:fs', 'node:path'] },
  'keyring.ts': { ours: ['core'], packages: ['@napi-rs/keyring'] },
  'keyring-package.d.ts': { ours: [], packages: [] },
  'config.ts': {
    ours: ['core', ...SETTINGS_FILES],
    packages: ['conf', 'node:fs', 'node:os', 'node:path'],
  },
  'app.ts': {
    ours: [
      ...EVERY_ROOM,
      'assembly.ts',
      'beside.ts',
      'bot-check.ts',
      'doctor.ts',
      'monitoring.ts',
      'config.ts',
      ...SETTINGS_FILES,
    ],
    packages: [],
  },
  'bot-check.ts': { ours: [...EVERY_ROOM, 'assembly.ts', 'config.ts'], packages: [] },
  'assembly.ts': {
    ours: [...EVERY_ROOM, 'monitoring.ts', 'config.ts'],
    packages: ['node:fs', 'node:path'],
  },
  'beside.ts': {
    ours: ['core', 'ops', 'platform', 'store', 'assembly.ts', 'config.ts'],
    packages: [],
  },
  'doctor.ts': {
    ours: ['core', 'lark', 'ops', 'platform', 'store', 'assembly.ts', 'beside.ts', 'config.ts'],
    packages: ['node:path'],
  },
  'monitoring.ts': { ours: ['core', 'ops', 'store', 'config.ts'], packages: [] },
  cli: {
    ours: ['app.ts', 'config.ts', ...SETTINGS_FILES, 'core', 'ops', 'sim'],
    packages: ['qrcode', 'yargs', 'node:fs', 'node:os', 'node:path', 'node:readline'],
  },
};

/** What one file alone may import, whatever its room may. */
export const ONE_FILE_ONLY: Readonly<Record<string, string>> = {
  '@napi-rs/keyring': 'keyring.ts',
  '@opentelemetry/sdk-trace-base': 'ops/otlp.ts',
  'prom-client': 'ops/metrics.ts',
  '@larksuiteoapi/node-sdk': 'lark/sdk.ts',
  '@photostructure/sqlite': 'store/driver.ts',
  'node:sqlite': 'store/driver.ts',
};

/** Code that only some files may hold. */
const WORDS: readonly {
  readonly what: string;
  readonly found: RegExp;
  readonly only?: readonly string[];
}[] = [
  {
    what: 'reads process.env; take it from the settings',
    found: /\bprocess\s*\??\.\s*env\b|\bprocess\s*\[|=\s*process\s*[;,)]/,
    only: ['cli/main.ts'],
  },
  {
    what: 'ends the process; throw a BridgeError and let main choose the exit code',
    found: /\bprocess\s*\??\.\s*(?:exit|abort|reallyExit)\b/,
  },
  {
    what: 'names a domain of Lark; take it from lark/brand.ts',
    found: /\b(?:feishu\.cn|feishu\.net|larksuite\.com|larkoffice\.com)\b/,
    // The simulator quotes Lark's error answers, which hold a link.
    only: ['lark/brand.ts', 'sim/http.ts'],
  },
  {
    what: 'writes to the console; use the log, or the output of the CLI',
    found: /\bconsole\s*\??\.\s*\w/,
  },
  { what: 'is a barrel; import from the file that holds it', found: /\bexport\s*\*/ },
];

const COMMENT_LINE = /^\s*(?:\/\/|\/\*|\*)/;
const STATIC_IMPORT = /(?:^|[;}\s])(?:import|export)\s(?:[^'";]*?\sfrom\s*|\s*)['"]([^'"]+)['"]/g;
const CALLED_IMPORT = /\b(?:import|require|getBuiltinModule)\s*\(\s*(?:(['"])([^'"]+)\1\s*[,)])?/g;

/** Everything that a source imports: static, side-effect, re-export, type, dynamic, `require`. */
export function importsOf(source: string): string[] {
  const code = codeOf(source);
  const named = [...code.matchAll(STATIC_IMPORT)].map((match) => match[1] ?? '');
  const called = [...code.matchAll(CALLED_IMPORT)].map((match) => match[2] ?? UNREADABLE);
  return [...named, ...called];
}

/** An import whose target is computed: nobody can say where it leads. */
export const UNREADABLE = '(computed)';

/** What `source`, at `path` relative to `src`, does against the tables; empty if nothing. */
export function breaksOf(path: string, source: string): string[] {
  const room = roomOf(path);
  const rules = ROOMS[room];
  if (rules === undefined) return [`${path}: "${room}" is not a room; see ROOMS in test/arrows.ts`];
  const breaks = importsOf(source).flatMap((target) => importBreak(path, target, room, rules));
  const code = codeOf(source);
  const words = WORDS.filter(
    ({ found, only }) => only?.includes(path) !== true && found.test(code),
  );
  return [...breaks, ...words.map(({ what }) => `${path} ${what}`)];
}

function importBreak(path: string, target: string, room: string, rules: Room): string[] {
  if (target === UNREADABLE) return [`${path} imports a computed path; write it as a literal`];
  if (target.startsWith('.')) {
    const reached = resolve(path, target);
    if (reached === undefined) return [`${path} imports ${target}, which leads out of src`];
    const other = roomOf(reached);
    const allowed = other === room || rules.ours.includes(other);
    return allowed ? [] : [`${path} imports ${target}: ${room} may not import ${other}`];
  }
  const name = packageOf(target);
  const only = ONE_FILE_ONLY[name];
  if (only !== undefined) {
    return only === path ? [] : [`${path} imports ${target}: only ${only} may`];
  }
  return rules.packages.includes(name) ? [] : [`${path} imports ${target}: ${room} may not`];
}

/** `fastify/lib/x` → `fastify`, `@scope/name/x` → `@scope/name`. */
export function packageOf(target: string): string {
  if (target.startsWith('node:')) return target;
  return target
    .split('/')
    .slice(0, target.startsWith('@') ? 2 : 1)
    .join('/');
}

/** The folder directly under `src`, or the file itself if it lies there. */
function roomOf(path: string): string {
  return path.split('/')[0] ?? path;
}

function resolve(from: string, target: string): string | undefined {
  const parts = from.split('/').slice(0, -1);
  for (const step of target.split('/')) {
    if (step === '..') {
      if (parts.pop() === undefined) return undefined;
    } else if (step !== '.') parts.push(step);
  }
  return parts.join('/');
}

function codeOf(source: string): string {
  return source
    .split('\n')
    .filter((line) => !COMMENT_LINE.test(line))
    .join('\n');
}
