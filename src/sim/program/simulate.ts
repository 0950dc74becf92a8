/** The simulator as a program: it starts, says where it is, and runs until it is stopped or its command ends. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createCast } from '../control/cast.ts';
import type { LarkCloud } from '../control/lark-cloud.ts';
import { buildWorld } from '../control/world-plan.ts';
import { startLarkCloud } from '../server.ts';
import { Misuse } from '../world/misuse.ts';
import type { SimApp } from '../world/model.ts';
import { runCommand } from './child.ts';
import { environmentWith, shellLines, type Started, variablesOf } from './environment.ts';
import { type SimulateSettings, simulateSettings } from './settings.ts';
import { isSystemError, Trouble } from './trouble.ts';

/** A warning names each unknown route once. After this many routes the memory starts again. */
const ROUTES_WARNED_MAX = 1_000;

/** Where the program writes. */
export interface Screen {
  /** On stdout: `text` for people, or `data` as one line of JSON. */
  result(text: string, data: unknown): void;
  /** Progress, on stderr. */
  note(text: string): void;
  /** On stderr, also if nobody wants progress. */
  warning(text: string): void;
}

interface Simulation {
  /** By the names of `PROGRAM_FLAGS`, as they were typed. */
  readonly options: Readonly<Record<string, unknown>>;
  /** A command to run beside the simulator; empty if there is none. */
  readonly words: readonly string[];
  /** What the command inherits. */
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly isTerminal: boolean;
  readonly screen: Screen;
  readonly signal: AbortSignal;
}

/** Resolves with the exit code: that of the command, or 0 after a stop. Throws `Trouble`. */
export async function simulate(simulation: Simulation): Promise<number> {
  const settings = simulateSettings(simulation.options);
  const certificates = settings.tls && certificateFile(settings.tls.caFile);
  try {
    const lark = await startCloud(settings, simulation.screen, certificates?.path);
    try {
      const { app, note } = fill(lark, settings);
      const started = { lark, app, caFile: certificates?.path };
      if (!isLoopback(settings.host)) warnOfOthers(simulation.screen, lark);
      return await runBeside(simulation, started, note);
    } finally {
      await lark.stop();
    }
  } finally {
    certificates?.remove();
  }
}

/** With a command, stdout belongs to it alone. */
async function runBeside(
  { words, env, isTerminal, screen, signal }: Simulation,
  started: Started,
  note: string,
): Promise<number> {
  if (words.length === 0) {
    announce(screen, started);
    screen.note(note);
    await aborted(signal);
    return 0;
  }
  screen.note(`The simulator is ready: page ${started.lark.pageUrl}\n${note}`);
  return runCommand({ words, env: environmentWith(env, started), signal, isTerminal });
}

async function startCloud(
  { host, port, seed, timeScale, callLimits, clientConfig, tls }: SimulateSettings,
  screen: Screen,
  caFile: string | undefined,
): Promise<LarkCloud> {
  const warned = new Set<string>();
  try {
    return await startLarkCloud({
      host,
      port,
      rateLimits: callLimits,
      ...(seed !== undefined && { seed }),
      ...(timeScale !== undefined && { timeScale }),
      ...(clientConfig !== undefined && { clientConfig }),
      ...(tls !== undefined && { tls: { hosts: tls.hosts, ...(caFile && { caFile }) } }),
      onUnknownRoute: ({ method, path }) => {
        const route = `${method} ${path}`;
        if (warned.has(route)) return;
        if (warned.size >= ROUTES_WARNED_MAX) warned.clear();
        warned.add(route);
        screen.warning(`the simulator has no route ${route}: it was answered with 404`);
      },
    });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw listenTrouble(error, { host, port });
  }
}

function listenTrouble(
  error: NodeJS.ErrnoException,
  { host, port }: Pick<SimulateSettings, 'host' | 'port'>,
): Trouble {
  switch (error.code) {
    case 'EADDRINUSE':
      return new Trouble('port_in_use', `port ${port} of ${host} is in use by another program`, {
        next: 'Choose another port with --port, or leave --port out for any free one.',
        cause: error,
      });
    case 'EACCES':
      return new Trouble('failed', `this user may not listen on port ${port} of ${host}`, {
        next: 'Choose a --port above 1023 and forward the other port to it, or run it as root.',
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return new Trouble('usage', `--host ${host} is not an address of this machine`, {
        next: 'Leave --host out for 127.0.0.1, or name an address that this machine has.',
        cause: error,
      });
    case undefined:
    default:
      return new Trouble('failed', `can't start the simulator: ${error.message}`, {
        next: 'Check --host, --port and --ca-file.',
        cause: error,
      });
  }
}

function announce(screen: Screen, started: Started): void {
  const { lark, app, caFile } = started;
  const { openBaseUrl, accountsBaseUrl, controlUrl, pageUrl } = lark;
  const ready = `# The simulator is ready: ${openBaseUrl}, control ${controlUrl}, page ${pageUrl}`;
  screen.result([ready, ...shellLines(variablesOf(started))].join('\n'), {
    event: 'ready',
    open_base_url: openBaseUrl,
    accounts_base_url: accountsBaseUrl,
    control_url: controlUrl,
    page_url: pageUrl,
    ...(app && { app_id: app.appId, app_secret: app.appSecret }),
    ...(caFile !== undefined && { ca_file: caFile }),
  });
}

function warnOfOthers(screen: Screen, { openBaseUrl }: LarkCloud): void {
  const { host } = new URL(openBaseUrl);
  screen.warning(
    `other machines can reach ${host}, and everybody who reaches it controls the simulator: there is no password`,
  );
}

/** Creates the people, apps and chats: those of the file, or a small set to start with. */
function fill(
  lark: LarkCloud,
  { world }: SimulateSettings,
): { readonly app: SimApp | undefined; readonly note: string } {
  if (world === undefined) {
    const { app, user, group } = createCast(lark);
    return {
      app,
      note: `In it: ${user.name}, a direct chat of hers with the bot, and the group ${group.name}.`,
    };
  }
  try {
    const { users, apps, chats } = buildWorld(lark, world);
    return {
      app: apps[0],
      note: `In it: ${counted(users, 'person', 'people')}, ${counted(apps, 'app', 'apps')}, ${counted(chats, 'chat', 'chats')}.`,
    };
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    throw new Trouble('usage', `the world can't be made: ${error.message}`, {
      next: 'Correct the file that --world names, and start it again.',
      cause: error,
    });
  }
}

/** The file for the certificate. A temporary one is removed with the simulator. */
function certificateFile(path: string | undefined): { readonly path: string; remove(): void } {
  if (path !== undefined) return { path, remove: () => undefined };
  const folder = mkdtempSync(join(tmpdir(), 'lark-simulator-'));
  return {
    path: join(folder, 'ca.pem'),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

function counted({ length }: readonly unknown[], one: string, many: string): string {
  return `${length} ${length === 1 ? one : many}`;
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '::1' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function aborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal.aborted) resolve();
    else signal.addEventListener('abort', () => resolve(), { once: true });
  });
}
