/** `lark-bridge connect`: creates the bot, or takes an existing app. */
import type { Config } from '../../config/load.ts';
import { BRANDS, type Brand } from '../../core/brand.ts';
import type { Credentials } from '../../core/credentials.ts';
import { BridgeError } from '../../core/errors.ts';
import { appId } from '../../core/ids.ts';
import { type Command, type Invocation, type Options, settingFlag } from '../command.ts';
import { offerAgents } from '../connect-agents.ts';
import { existingAppOf, importedBot, obtainBot } from '../connect-bot.ts';
import { brandName } from '../connect-output.ts';
import { askForPermissions } from '../connect-permissions.ts';
import { isProofWanted, proveConnection } from '../connect-proof.ts';
import { offerService } from '../connect-service.ts';

/** Time for a person to scan and confirm. Once 285 s were needed, and a code is valid for 600 s or longer. */
const CONNECT_TIMEOUT_MS = 600_000;

const TIMEOUT_S_MAX = 24 * 3600;

const OPTIONS: Options = {
  brand: {
    choices: BRANDS,
    describe: 'Cloud of the bot; a new bot finds its own',
  },
  'app-id': {
    describe: 'Use this existing app instead of creating one; needs --app-secret-stdin',
  },
  import: {
    valueIsOptional: true,
    offers: 'folder',
    describe: 'Use the bot of the Python bridge, from this folder',
    defaultDescription: '~/.lark-channel-molecule',
  },
  'app-secret-stdin': { type: 'boolean', describe: 'Read the secret of that app from stdin' },
  'qr-image': {
    offers: 'file',
    describe: 'Also write the QR code to this file (PNG, or SVG by its name)',
  },
  'no-qr': {
    type: 'boolean',
    describe: 'Show only the link: no QR code on the screen, no image file',
  },
  timeout: {
    type: 'number',
    range: { min: 1, max: TIMEOUT_S_MAX },
    describe: 'Seconds for the confirmation and the check together',
    defaultDescription: String(CONNECT_TIMEOUT_MS / 1000),
  },
  verify: {
    type: 'boolean',
    describe:
      'Check that messages arrive; on by default on a terminal. If there is a bot already, do only this check',
  },
  'no-verify': { type: 'boolean', describe: 'Skip that check' },
  permissions: {
    valueIsOptional: true,
    describe:
      'Ask Lark for permissions and events that the bot lacks: names with commas, or none for those of a new bot',
  },
  ...settingFlag('lang'),
  force: { type: 'boolean', describe: 'Replace the bot that the state directory holds' },
};

export const connectCommand: Command = {
  usage: 'connect',
  isForOperator: true,
  options: OPTIONS,
  examples: {
    'lark-bridge connect': 'Create a bot: scan the code with the Lark or Feishu app',
    'lark-bridge connect --verify': 'Check that messages reach the bot that is connected',
    'lark-bridge connect --permissions': 'Ask Lark for what the bot lacks',
    'lark-bridge connect --app-id cli_a1b2c3d4e5f60708 --app-secret-stdin < secret.txt':
      'Use an app of the developer console',
  },
  run: runConnect,
};

async function runConnect(invocation: Invocation): Promise<void> {
  const { options, output } = invocation;
  const existing = existingAppOf(options);
  const endAtMs = Date.now() + timeoutOf(options['timeout']);
  if (options['permissions'] !== undefined) return askForPermissions(invocation, endAtMs);
  const isProven = isProofWanted(invocation);
  const config = await invocation.loadConfig([]);
  const imported = await importedBot(invocation, config);
  const isNamed = existing !== undefined || imported !== undefined;
  const stored = isNamed ? undefined : await storedBot(invocation, config);
  const wanted = { config, existing, imported, endAtMs };
  const credentials = stored?.credentials ?? (await obtainBot(invocation, wanted));
  const sitting = { config, credentials, isNew: stored === undefined, endAtMs };
  const { connectProgress } = await import('../../app/connect-progress.ts');
  const progress = stored?.isCheckOnly === true ? undefined : connectProgress(config.stateDir);
  const { appId: id } = credentials;
  const first = stored?.first ?? 'prove';
  if (first === 'prove') {
    if (isProven) await prove(invocation, sitting);
    progress?.reach(id, 'agents');
  }
  const bot = botName(credentials);
  const done = { event: 'done', app_id: id, tenant_brand: credentials.brand };
  const arrives = first === 'prove' && isProven ? ' Messages and button presses arrive.' : '';
  const offer = { config, commandLine: (words: string) => commandFor(invocation, words) };
  // Whoever reads JSON stops at the last event.
  if (!output.json) output.result(`Connected: ${bot}.${arrives}`, done);
  if (first !== 'service') await offerAgents(invocation, offer);
  goOnUnlessStopped(invocation);
  progress?.reach(id, 'service');
  const isService = progress !== undefined && (await offerService(invocation, offer));
  goOnUnlessStopped(invocation);
  progress?.end();
  if (output.json) output.result('', done);
  const start = isService ? [] : [`Start it with: ${commandFor(invocation, 'run')}`];
  const kept = arrives === '' ? [keptText(config)] : [];
  if (!isService || arrives === '') output.note([...kept, ...start].join(' '));
}

/** Ctrl-C at a question ends all of it. What is left is asked next time. */
function goOnUnlessStopped(invocation: Invocation): void {
  if (!invocation.signal.aborted) return;
  const [again, run] = ['connect', 'run'].map((words) => `\`${commandFor(invocation, words)}\``);
  throw new BridgeError('interrupted', 'interrupted; the bot is connected', {
    next: `Go on with ${again}, or start the bot: ${run}.`,
  });
}

interface Sitting {
  readonly config: Config;
  readonly credentials: Credentials;
  /** It was stored just now. */
  readonly isNew: boolean;
  readonly endAtMs: number;
}

async function prove(
  invocation: Invocation,
  { config, credentials, isNew, endAtMs }: Sitting,
): Promise<void> {
  const { output } = invocation;
  if (isNew) {
    const { appId: id, brand } = credentials;
    const stored = { event: 'status', status: 'stored', app_id: id, tenant_brand: brand };
    if (output.json) output.result('', stored);
    output.note(`This is your ${botName(credentials)}. ${keptText(config)}`);
  }
  const commandLine = (words: string) => commandFor(invocation, words);
  const timeoutMs = endAtMs - Date.now();
  await proveConnection(invocation, { config, credentials, timeoutMs, commandLine });
}

function botName({ appId: id, brand }: Credentials): string {
  return `bot ${id} on ${brandName(brand)}`;
}

function keptText({ secrets, stateDir }: Config): string {
  const rest = secrets === 'keyring' ? ', its secret is in the keyring' : '';
  return `Its credentials are in ${stateDir}${rest}.`;
}

interface StoredBot {
  readonly credentials: Credentials;
  /** What is done first with it. */
  readonly first: 'prove' | 'agents' | 'service';
  /** Nothing was left to do, and the proof is asked for. */
  readonly isCheckOnly: boolean;
}

/** The bot that exists already, if only the check is wanted, or if a `connect` before this one did not end. */
async function storedBot(
  { options, output, loadConfig }: Invocation,
  { appId: set, stateDir }: Config,
): Promise<StoredBot | undefined> {
  if (options['force'] === true) return undefined;
  const { loadCredentials } = await import('../../config/credentials.ts');
  const { connectProgress } = await import('../../app/connect-progress.ts');
  const loaded = loadCredentials(stateDir);
  const kept = loaded.kind === 'found' ? loaded.credentials.appId : undefined;
  const next = kept && connectProgress(stateDir).nextStep(kept);
  const isCheck = options['verify'] === true && (set !== undefined || loaded.kind !== 'none');
  if (!isCheck && next === undefined) return undefined;
  const { appId: id, appSecret, brand } = await loadConfig(['lark']);
  if (id === undefined || appSecret === undefined) {
    throw new Error('settings were loaded without the need for a Lark app');
  }
  const chosen = (options['brand'] as Brand | undefined) ?? brand;
  const credentials = { appId: appId(id), appSecret, brand: chosen };
  if (isCheck) return { credentials, first: 'prove', isCheckOnly: next === undefined };
  if (next === undefined || id !== kept) return undefined;
  output.note(`Going on with the ${botName(credentials)}. For another bot: --force`);
  return { credentials, first: next, isCheckOnly: false };
}

/** The full command line for a command on the same state directory. */
function commandFor({ options }: Invocation, words: string): string {
  const stateDir = options['state-dir'];
  return `lark-bridge ${words}${typeof stateDir === 'string' ? ` --state-dir ${stateDir}` : ''}`;
}

function timeoutOf(raw: unknown): number {
  return raw === undefined ? CONNECT_TIMEOUT_MS : Number(raw) * 1000;
}
