/** `lark-bridge connect`: creates the bot, or takes an existing app. */
import { resolve } from 'node:path';
import type { Options } from 'yargs';
import { BRANDS, type Brand } from '../../core/brand.ts';
import { BridgeError } from '../../core/errors.ts';
import { APP_ID_PATTERN, type AppId, appId } from '../../core/ids.ts';
import { Secret } from '../../core/secret.ts';
import type { Config } from '../../config/load.ts';
import type { Credentials } from '../../core/credentials.ts';
import { type Invocation, type LeafCommand, settingFlag } from '../command.ts';
import { offerAgents } from '../connect-agents.ts';
import { proveConnection, isProofWanted } from '../connect-proof.ts';
import { brandName, type ConnectScreen, showEvent } from '../connect-output.ts';

/** Time for a person to scan and confirm. Once 285 s were needed, and a code is valid for 600 s or longer. */
const CONNECT_TIMEOUT_MS = 600_000;

const TIMEOUT_S_MAX = 24 * 3600;
/** A secret has 32 characters. A whole file on stdin is a mistake. */
const SECRET_CHARS_MAX = 4096;
const EXISTING_APP = 'lark-bridge connect --app-id ID --app-secret-stdin < FILE';

const OPTIONS: Readonly<Record<string, Options>> = {
  brand: {
    choices: BRANDS,
    requiresArg: true,
    describe: 'The cloud of the bot; found automatically for a new bot',
  },
  'app-id': {
    type: 'string',
    requiresArg: true,
    describe: 'Use this existing app instead of creating one',
  },
  import: {
    type: 'string',
    describe: 'Use the bot of the Python bridge, from this folder',
    defaultDescription: '~/.lark-channel-molecule',
  },
  'app-secret-stdin': { type: 'boolean', describe: 'Read the secret of that app from stdin' },
  'qr-image': {
    type: 'string',
    requiresArg: true,
    describe: 'Also write the QR code to this file (PNG, or SVG by its name)',
  },
  'no-qr': { type: 'boolean', describe: 'Only the link: no QR code on the screen, no image file' },
  timeout: {
    type: 'string',
    requiresArg: true,
    describe: 'Seconds for the confirmation and the check together',
    defaultDescription: String(CONNECT_TIMEOUT_MS / 1000),
  },
  verify: {
    type: 'boolean',
    describe:
      'Check that messages arrive (default on a terminal). If there is a bot already, only this check runs',
  },
  'no-verify': { type: 'boolean', describe: 'Skip that check' },
  ...settingFlag('lang'),
  force: { type: 'boolean', describe: 'Replace the bot that the state directory holds' },
};

export const connectCommand: LeafCommand = {
  usage: 'connect',
  isForOperator: true,
  aliases: ['setup'],
  describe: 'create the bot by scanning a QR code, or take an existing app',
  options: OPTIONS,
  run: runConnect,
};

async function runConnect(invocation: Invocation): Promise<void> {
  const { options, output } = invocation;
  const existing = existingAppOf(options);
  const endAtMs = Date.now() + timeoutOf(options['timeout']);
  const isProven = isProofWanted(invocation);
  const config = await invocation.loadConfig([]);
  const imported = await importedBot(invocation, config);
  const isNamed = existing !== undefined || imported !== undefined;
  const known = isNamed ? undefined : await knownBot(invocation, config);
  const wanted = { config, existing, imported, endAtMs };
  const credentials = known ?? (await obtainBot(invocation, wanted));
  const commandLine = (words: string) => commandFor(invocation, words);
  const { appId: id, brand } = credentials;
  const bot = `bot ${id} on ${brandName(brand)}`;
  const rest = config.secrets === 'keyring' ? ', its secret is in the keyring' : '';
  const kept = `Its credentials are in ${config.stateDir}${rest}.`;
  if (isProven) {
    if (known === undefined) {
      const stored = { event: 'status', status: 'stored', app_id: id, tenant_brand: brand };
      if (output.json) output.result('', stored);
      output.note(`This is your ${bot}. ${kept}`);
    }
    const timeoutMs = endAtMs - Date.now();
    await proveConnection(invocation, { config, credentials, timeoutMs, commandLine });
  }
  // Whoever reads JSON stops at the last event.
  if (output.json) await offerAgents(invocation, { config, commandLine });
  const done = { event: 'done', app_id: id, tenant_brand: brand };
  output.result(
    `Connected: ${bot}.${isProven ? ' Messages and button presses arrive.' : ''}`,
    done,
  );
  if (!output.json) await offerAgents(invocation, { config, commandLine });
  const start = `Start it with: ${commandFor(invocation, 'run')}`;
  output.note(isProven ? start : `${kept} ${start}`);
}

/** The bot that exists already, if only the check is wanted. */
async function knownBot(
  { options, loadConfig }: Invocation,
  { appId: known, stateDir }: Config,
): Promise<Credentials | undefined> {
  if (options['verify'] !== true || options['force'] === true) return undefined;
  if (known === undefined) {
    const { loadCredentials } = await import('../../config/credentials.ts');
    if (loadCredentials(stateDir).kind === 'none') return undefined;
  }
  const { appId: id, appSecret, brand } = await loadConfig(['lark']);
  if (id === undefined || appSecret === undefined) {
    throw new Error('settings were loaded without the need for a Lark app');
  }
  return { appId: appId(id), appSecret, brand: (options['brand'] as Brand | undefined) ?? brand };
}

/** The bot of the Python bridge, if --import is given. */
async function importedBot(
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
  const { loadPythonBridge, pythonBridgeFolder } = await import('../../config/python-bridge.ts');
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
async function obtainBot(
  invocation: Invocation,
  { config, existing, imported, endAtMs }: Wanted,
): Promise<Credentials> {
  const { options, output, signal, stdout } = invocation;
  const id = imported?.appId ?? existing;
  const secret = imported?.appSecret ?? (existing && (await readSecret(invocation)));
  const screen: ConnectScreen = {
    output,
    stateDir: config.stateDir,
    noQr: options['no-qr'] === true,
    qrImage: typeof options['qr-image'] === 'string' ? resolve(options['qr-image']) : undefined,
    columns: stdout.isTTY ? stdout.columns : undefined,
    rows: stdout.isTTY ? stdout.rows : undefined,
    colored: stdout.isTTY && config.noColor !== true,
  };
  const { createOnboarding } = await import('../../app/connect.ts');
  const onboarding = await createOnboarding({
    config,
    brand: (options['brand'] as Brand | undefined) ?? imported?.brand,
    force: options['force'] === true,
    timeoutMs: endAtMs - Date.now(),
    signal,
    onEvent: (event) => showEvent(event, screen),
  });
  return id === undefined || secret === undefined
    ? onboarding.createBot()
    : onboarding.adoptApp(id, secret);
}

/** The full command line for a command on the same state directory. */
function commandFor({ options }: Invocation, words: string): string {
  const stateDir = options['state-dir'];
  return `lark-bridge ${words}${typeof stateDir === 'string' ? ` --state-dir ${stateDir}` : ''}`;
}

function existingAppOf(options: Invocation['options']): AppId | undefined {
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

function timeoutOf(raw: unknown): number {
  if (raw === undefined) return CONNECT_TIMEOUT_MS;
  const seconds = Number(raw);
  if (Number.isInteger(seconds) && seconds >= 1 && seconds <= TIMEOUT_S_MAX) return seconds * 1000;
  throw new BridgeError('usage', `--timeout must be a whole number from 1 to ${TIMEOUT_S_MAX}`, {
    next: 'For ten minutes: --timeout 600',
  });
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
