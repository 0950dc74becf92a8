/** Who may import what, as two tables, and the check of a source file against them. */

interface Room {
  /** Rooms (folders directly under `src`) that it may import. Its own files always. */
  readonly ours: readonly string[];
  /**
   * Files of other rooms that it may import, or folders, which end in a slash: ports that it implements or uses, and
   * nothing else of that room.
   */
  readonly ports?: readonly string[];
  /** Packages and Node modules that it may import. */
  readonly packages: readonly string[];
}

/** What every part may lean on: words, texts, time, the network, the shapes on a wire, files. None of it knows a part. */
const GROUND = ['core', 'text', 'time', 'net', 'wire', 'files'];
const PORTS = ['bridge/ports/', 'hub/ports/', 'agents/runtime.ts'];

export const ROOMS: Readonly<Record<string, Room>> = {
  core: { ours: [], packages: [] },
  text: { ours: [], packages: [] },
  time: { ours: ['core'], packages: [] },
  net: {
    ours: ['core', 'time'],
    packages: [
      'undici',
      'node:crypto',
      'node:dns',
      'node:http',
      'node:https',
      // To load what a package reads late.
      'node:module',
      'node:net',
      'node:stream/web',
      'node:tls',
    ],
  },
  wire: { ours: ['core', 'text'], packages: ['node:crypto'] },
  files: { ours: ['core'], packages: ['node:crypto', 'node:fs', 'node:path'] },
  bridge: { ours: GROUND, packages: ['lru-cache', 'node:crypto'] },
  hub: {
    ours: GROUND,
    ports: ['agents/runtime.ts', 'bridge/ports/'],
    packages: ['@sinclair/typebox', 'fastify', 'node:crypto', 'node:net'],
  },
  agents: {
    ours: GROUND,
    packages: [
      '@a2a-js/sdk',
      '@agentclientprotocol/sdk',
      // The tools of the bridge, in `mcp/`: their protocol, their schemas, and the loopback server behind which they are.
      '@modelcontextprotocol/server',
      'zod',
      'node:http',
      'node:net',
      'node:readline',
      'shlex',
      'node:child_process',
      'node:crypto',
      'node:fs',
      'node:os',
      'node:path',
      'node:url',
    ],
  },
  lark: {
    ours: GROUND,
    ports: ['bridge/ports/'],
    packages: ['lru-cache', 'marked', 'p-queue', 'node:module', 'node:zlib'],
  },
  platform: { ours: GROUND, ports: ['bridge/ports/'], packages: [] },
  store: {
    ours: GROUND,
    ports: ['bridge/ports/', 'hub/ports/'],
    packages: ['node:crypto', 'node:fs', 'node:module', 'node:path'],
  },
  config: {
    ours: ['core', 'text', 'time', 'files'],
    packages: ['@napi-rs/keyring', 'conf', 'node:fs', 'node:os', 'node:path'],
  },
  observe: {
    ours: GROUND,
    ports: ['bridge/ports/'],
    packages: [
      '@opentelemetry/api',
      '@opentelemetry/exporter-trace-otlp-http',
      '@opentelemetry/resources',
      '@opentelemetry/sdk-trace-base',
      'pino',
      'prom-client',
      'node:fs',
      'node:http',
      'node:net',
      'node:perf_hooks',
      'node:util',
    ],
  },
  host: {
    ours: [...GROUND, 'observe'],
    packages: ['node:child_process', 'node:crypto', 'node:fs', 'node:os', 'node:path'],
  },
  doctor: {
    ours: [...GROUND, 'host', 'observe'],
    ports: ['lark/facts.ts', 'store/facts.ts'],
    packages: ['node:fs', 'node:net', 'node:path'],
  },
  app: {
    ours: [
      ...GROUND,
      'agents',
      'bridge',
      'config',
      'doctor',
      'host',
      'hub',
      'lark',
      'observe',
      'platform',
      'store',
    ],
    packages: ['node:crypto', 'node:fs', 'node:path'],
  },
  cli: {
    ours: ['core', 'text', 'files', 'config', 'observe', 'host', 'doctor', 'app', 'sim'],
    ports: PORTS,
    packages: ['qrcode', 'yargs', 'node:fs', 'node:os', 'node:path', 'node:readline'],
  },
  sim: {
    ours: [],
    packages: [
      'protobufjs',
      'ws',
      // The program around it, in `program/`: its command line, and the command that it runs.
      'node:child_process',
      'node:fs',
      'node:os',
      'node:path',
      'node:util',
      'node:crypto',
      'node:fs/promises',
      'node:http',
      'node:https',
      'node:net',
      'node:stream',
      'node:zlib',
    ],
  },
};

/** What one file alone may import, whatever its room may. */
export const ONE_FILE_ONLY: Readonly<Record<string, string>> = {
  '@agentclientprotocol/sdk': 'agents/acp/connection.ts',
  '@napi-rs/keyring': 'config/keyring.ts',
  '@opentelemetry/sdk-trace-base': 'observe/traces/otlp.ts',
  'prom-client': 'observe/metrics/metrics.ts',
  '@larksuiteoapi/node-sdk': 'lark/sdk.ts',
  '@photostructure/sqlite': 'store/sqlite/driver.ts',
  'node:sqlite': 'store/sqlite/driver.ts',
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
    // The shim is a program of its own.
    only: ['cli/main.ts', 'agents/mcp/shim.ts'],
  },
  {
    what: 'ends the process; throw a BridgeError and let main choose the exit code',
    found: /\bprocess\s*\??\.\s*(?:exit|abort|reallyExit)\b/,
  },
  {
    what: 'names a domain of Lark; take it from lark/brand.ts',
    found: /\b(?:feishu\.cn|feishu\.net|larksuite\.com|larkoffice\.com)\b/,
    // The simulator quotes Lark's error answers, which hold a link.
    only: ['lark/brand.ts', 'sim/api/http.ts'],
  },
  {
    what: 'writes to the console; use the log, or the output of the CLI',
    found: /\bconsole\s*\??\.\s*\w/,
  },
  { what: 'is a barrel; import from the file that holds it', found: /\bexport\s*\*/ },
];

/** The files of `src` that a file imports, as paths relative to `src`. */
export function filesImportedBy(path: string, source: string): string[] {
  return importsOf(source).flatMap((target) =>
    target.startsWith('.') ? (resolve(path, target) ?? []) : [],
  );
}

/**
 * The import cycles, type imports included. In each group every file reaches every other one.
 * `sources` has paths relative to `src`.
 */
export function cyclesIn(
  sources: readonly { readonly path: string; readonly source: string }[],
): string[][] {
  const targets = new Map(sources.map(({ path, source }) => [path, filesImportedBy(path, source)]));
  const reached = new Map(sources.map(({ path }) => [path, reachableFrom(path, targets)]));
  const cycles = sources.flatMap(({ path }) => {
    const cycle = [...(reached.get(path) ?? [])].filter((other) => reached.get(other)?.has(path));
    return cycle.length === 0 ? [] : [cycle.toSorted()];
  });
  return [...new Map(cycles.map((cycle) => [cycle.join(' '), cycle])).values()];
}

function reachableFrom(start: string, targets: ReadonlyMap<string, readonly string[]>) {
  const reached = new Set<string>();
  const open = [...(targets.get(start) ?? [])];
  for (let path = open.pop(); path !== undefined; path = open.pop()) {
    if (reached.has(path)) continue;
    reached.add(path);
    open.push(...(targets.get(path) ?? []));
  }
  return reached;
}

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
    const allowed =
      other === room ||
      rules.ours.includes(other) ||
      rules.ports?.some((port) =>
        port.endsWith('/') ? reached.startsWith(port) : reached === port,
      ) === true;
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
