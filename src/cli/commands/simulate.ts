/** `lark-bridge simulate`: a simulated Lark cloud on this machine, for a bridge to connect to. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { BridgeError, isSystemError } from '../../core/errors.ts';
import type { LarkCloud } from '../../sim/control/lark-cloud.ts';
import type { SimApp } from '../../sim/world/model.ts';
import { type Invocation, type LeafCommand, stopRequested } from '../command.ts';
import type { SimulateSettings } from '../simulate/settings.ts';

/** A warning names each unknown route once. After this many routes the memory starts again. */
const ROUTES_WARNED_MAX = 1_000;

const flag = (describe: string, defaultDescription?: string) =>
  ({
    type: 'string',
    requiresArg: true,
    describe,
    ...(defaultDescription !== undefined && { defaultDescription }),
  }) as const;

export const simulateCommand: LeafCommand = {
  usage: 'simulate',
  describe: 'run a simulated Lark cloud, and print the environment for a bridge to use it',
  options: {
    port: flag('TCP port', 'any free one'),
    host: flag(
      'Address to listen on. Everybody who can reach it controls the simulator',
      '127.0.0.1',
    ),
    seed: flag('The same number gives the same ids and the same random faults', 'random'),
    'time-scale': flag("How many times shorter the cloud's own waits are", '1'),
    'client-config': flag(
      'JSON file with what the cloud sends to clients: PingInterval and others',
    ),
    'call-limits': flag('`off`: no call is refused because of its rate', 'on'),
    world: flag('JSON file with the people, apps and chats to start with'),
    tls: {
      type: 'boolean',
      describe: 'HTTPS and WSS, with a certificate that is created at the start',
    },
    'tls-hosts': flag('More names for the certificate, separated by commas'),
    'ca-file': flag('Where to write the certificate to trust', 'a temporary file'),
  },
  run: async (invocation) => {
    const { simulateSettings } = await import('../simulate/settings.ts');
    const settings = simulateSettings(invocation.options);
    const certificates = settings.tls && certificateFile(settings.tls.caFile);
    try {
      const cloud = await startCloud(settings, invocation, certificates?.path);
      try {
        await announce(invocation, { cloud, settings, caFile: certificates?.path });
        await stopRequested(invocation.signal);
      } finally {
        await cloud.stop();
      }
    } finally {
      certificates?.remove();
    }
  },
};

async function startCloud(
  settings: SimulateSettings,
  { output }: Invocation,
  caFile: string | undefined,
): Promise<LarkCloud> {
  const { startLarkCloud } = await import('../../sim/server.ts');
  const { host, port, seed, timeScale, clientConfig, tls } = settings;
  const warned = new Set<string>();
  try {
    return await startLarkCloud({
      host,
      port,
      rateLimits: settings.callLimits,
      ...(seed !== undefined && { seed }),
      ...(timeScale !== undefined && { timeScale }),
      ...(clientConfig !== undefined && { clientConfig }),
      ...(tls !== undefined && { tls: { hosts: tls.hosts, ...(caFile && { caFile }) } }),
      onUnknownRoute: ({ method, path }) => {
        const route = `${method} ${path}`;
        if (warned.has(route)) return;
        if (warned.size >= ROUTES_WARNED_MAX) warned.clear();
        warned.add(route);
        output.warning(`the simulator has no route ${route}: it was answered with 404`);
      },
    });
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw listenError(error, settings);
  }
}

function listenError(error: NodeJS.ErrnoException, { host, port }: SimulateSettings): BridgeError {
  switch (error.code) {
    case 'EADDRINUSE':
      return new BridgeError(
        'port_in_use',
        `port ${port} of ${host} is in use by another program`,
        {
          next: 'Choose another port with --port, or leave --port out for any free one.',
          cause: error,
        },
      );
    case 'EACCES':
      return new BridgeError('failed', `this user may not listen on port ${port} of ${host}`, {
        next: 'Choose a --port above 1023 and forward the other port to it, or run it as root.',
        cause: error,
      });
    case 'EADDRNOTAVAIL':
    case 'ENOTFOUND':
    case 'EAI_AGAIN':
    case 'EINVAL':
      return new BridgeError('usage', `--host ${host} is not an address of this machine`, {
        next: 'Leave --host out for 127.0.0.1, or name an address that this machine has.',
        cause: error,
      });
    case undefined:
    default:
      return new BridgeError('failed', `can't start the simulator: ${error.message}`, {
        next: 'Check --host, --port and --ca-file.',
        cause: error,
      });
  }
}

async function announce(
  invocation: Invocation,
  started: {
    readonly cloud: LarkCloud;
    readonly settings: SimulateSettings;
    readonly caFile: string | undefined;
  },
): Promise<void> {
  const { cloud, settings, caFile } = started;
  const { output } = invocation;
  const { app, note } = await fill(cloud, settings);
  const { openBaseUrl, accountsBaseUrl, controlUrl, pageUrl } = cloud;
  const text = [
    `# The simulator is ready: ${openBaseUrl}, control ${controlUrl}, page ${pageUrl}`,
    ...(app === undefined
      ? []
      : [
          `export LARK_APP_ID=${app.appId}`,
          `export LARK_APP_SECRET=${shellWord(app.appSecret)}`,
          `export LARK_BRAND=${app.brand}`,
        ]),
    `export LARK_OPEN_BASE_URL=${openBaseUrl}`,
    `export LARK_ACCOUNTS_BASE_URL=${accountsBaseUrl}`,
    ...(caFile === undefined ? [] : [`export NODE_EXTRA_CA_CERTS=${shellWord(caFile)}`]),
  ];
  output.result(text.join('\n'), {
    event: 'ready',
    open_base_url: openBaseUrl,
    accounts_base_url: accountsBaseUrl,
    control_url: controlUrl,
    page_url: pageUrl,
    ...(app && { app_id: app.appId, app_secret: app.appSecret }),
    ...(caFile !== undefined && { ca_file: caFile }),
  });
  output.note(note);
  if (!isLoopback(settings.host)) {
    const { host } = new URL(openBaseUrl);
    output.warning(
      `other machines can reach ${host}, and everybody who reaches it controls the simulator: there is no password`,
    );
  }
}

/** Creates the people, apps and chats: those of the file, or a small set to start with. */
async function fill(
  cloud: LarkCloud,
  { world }: SimulateSettings,
): Promise<{ readonly app: SimApp | undefined; readonly note: string }> {
  if (world === undefined) {
    const { createCast } = await import('../demo/stage.ts');
    const { app, user, group } = createCast(cloud);
    return {
      app,
      note: `In it: ${user.name}, a direct chat of hers with the bot, and the group ${group.name}.`,
    };
  }
  const { buildWorld } = await import('../../sim/control/world-plan.ts');
  const { Misuse } = await import('../../sim/world/misuse.ts');
  try {
    const { users, apps, chats } = buildWorld(cloud, world);
    return {
      app: apps[0],
      note: `In it: ${counted(users, 'person', 'people')}, ${counted(apps, 'app', 'apps')}, ${counted(chats, 'chat', 'chats')}.`,
    };
  } catch (error) {
    if (!(error instanceof Misuse)) throw error;
    throw new BridgeError('usage', `the world can't be made: ${error.message}`, {
      next: 'Correct the file that --world names, and start it again.',
      cause: error,
    });
  }
}

/** The file for the certificate. A temporary one is removed with the simulator. */
function certificateFile(path: string | undefined): { readonly path: string; remove(): void } {
  if (path !== undefined) return { path, remove: () => undefined };
  const folder = mkdtempSync(join(tmpdir(), 'lark-bridge-simulate-'));
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

/** As one word for a shell. */
function shellWord(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
