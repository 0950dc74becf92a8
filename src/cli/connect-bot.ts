/** Which bot `connect` gets: a new one, an app that was named, or that of the Python bridge. */
import { resolve } from 'node:path';
import type { Config } from '../config/load.ts';
import type { Brand } from '../core/brand.ts';
import type { Credentials } from '../core/credentials.ts';
import { BridgeError } from '../core/errors.ts';
import { APP_ID_PATTERN, type AppId, appId } from '../core/ids.ts';
import { Secret } from '../core/secret.ts';
import type { Invocation } from './command.ts';
import { type ConnectView, plainView } from './connect-output.ts';
import { inkFor, isDumb, pictureFormOf } from './terminal-abilities.ts';

/** A secret has 32 characters. A whole file on stdin is a mistake. */
const SECRET_CHARS_MAX = 4096;
const EXISTING_APP = 'lark-bridge connect --app-id ID --app-secret-stdin < FILE';

/** The bot of the Python bridge, if --import is given. */
export async function importedBot(
  { options, output }: Invocation,
  { home }: Config,
): Promise<Credentials | undefined> {
  const typed = options['import'];
  if (typeof typed !== 'string') return undefined;
  if (options['app-id'] !== undefined) {
    throw new BridgeError('usage', '--import and --app-id exclude each other', {
      next: 'Use only one of them.',
    });
  }
  const { loadPythonBridge, pythonBridgeFolder } = await import('../config/python-bridge.ts');
  const folder = typed === '' ? pythonBridgeFolder(home) : resolve(typed);
  const imported = loadPythonBridge(folder);
  output.note(
    `Using the bot ${imported.appId} from ${folder}. Stop the Python bridge before you start this one: Lark sends each message to only one of them.`,
  );
  return imported;
}

interface Wanted {
  readonly config: Config;
  readonly existing: AppId | undefined;
  readonly imported: Credentials | undefined;
  readonly endAtMs: number;
}

/** A new bot, or the app that was named. It is stored when this resolves. */
export async function obtainBot(
  invocation: Invocation,
  { config, existing, imported, endAtMs }: Wanted,
): Promise<Credentials> {
  const { options, signal } = invocation;
  const id = imported?.appId ?? existing;
  const secret = imported?.appSecret ?? (existing && (await readSecret(invocation)));
  const { createOnboarding } = await import('../app/connect.ts');
  const view = await viewFor(invocation, config);
  try {
    const onboarding = await createOnboarding({
      config,
      brand: (options['brand'] as Brand | undefined) ?? imported?.brand,
      force: options['force'] === true,
      timeoutMs: endAtMs - Date.now(),
      signal,
      onEvent: (event) => view.show(event),
    });
    return await (id === undefined || secret === undefined
      ? onboarding.createBot()
      : onboarding.adoptApp(id, secret));
  } finally {
    view.close();
  }
}

export async function viewFor(invocation: Invocation, config: Config): Promise<ConnectView> {
  const { options, output, env, stdin, stdout, stderr } = invocation;
  const qrImage = options['qr-image'];
  const screen = {
    output,
    stateDir: config.stateDir,
    noQr: options['no-qr'] === true,
    qrImage: typeof qrImage === 'string' ? resolve(qrImage) : undefined,
    ink: inkFor(env, { colored: stdout.isTTY && config.noColor !== true }),
  };
  const isWindow = stdout.isTTY && stderr.isTTY && !isDumb(env);
  if (!isWindow || output.json || output.quiet) {
    return plainView(screen, stdout.isTTY ? stdout : undefined);
  }
  const [{ LiveView }, { findBrowser }] = await Promise.all([
    import('./connect-live.ts'),
    import('../host/browser.ts'),
  ]);
  const isRoot = process.getuid?.() === 0;
  const openLink = stdin.isTTY
    ? findBrowser({ env, platform: process.platform, isRoot })
    : undefined;
  return new LiveView(screen, { stdin, stdout, pictures: pictureFormOf(env), openLink });
}

export function existingAppOf(options: Invocation['options']): AppId | undefined {
  const raw = options['app-id'];
  const fromStdin = options['app-secret-stdin'] === true;
  if (typeof raw !== 'string') {
    if (!fromStdin) return undefined;
    throw new BridgeError('usage', '--app-secret-stdin needs --app-id', { next: EXISTING_APP });
  }
  if (!fromStdin) {
    throw new BridgeError('usage', '--app-id needs the secret of the app, on stdin', {
      next: EXISTING_APP,
    });
  }
  if (!APP_ID_PATTERN.test(raw)) {
    throw new BridgeError('usage', `"${raw}" is not an app id`, {
      next: 'An app id is `cli_` and 16 hexadecimal digits. Copy it from the developer console.',
    });
  }
  return appId(raw);
}

/** The first line of stdin. */
async function readSecret({ stdin, signal }: Invocation): Promise<Secret> {
  if (stdin.isTTY) {
    throw new BridgeError('usage', 'on a terminal everybody could read the secret', {
      next: `Give it from a file or a pipe: ${EXISTING_APP}`,
    });
  }
  const stop = () => stdin.destroy();
  signal.addEventListener('abort', stop);
  let text = '';
  try {
    for await (const chunk of stdin.setEncoding('utf8')) {
      text += String(chunk);
      if (text.trimStart().includes('\n') || text.length > SECRET_CHARS_MAX) break;
    }
  } catch (error) {
    if (!signal.aborted) throw error;
    throw new BridgeError('interrupted', 'interrupted; nothing was stored', {
      next: 'Run the same command again.',
    });
  } finally {
    signal.removeEventListener('abort', stop);
  }
  const secret = text.trimStart().split(/\r?\n/, 1)[0]?.trimEnd() ?? '';
  if (/^[\x21-\x7e]+$/.test(secret) && text.length <= SECRET_CHARS_MAX) return new Secret(secret);
  throw new BridgeError('usage', 'stdin holds no app secret: a secret is one line without spaces', {
    next: EXISTING_APP,
  });
}
