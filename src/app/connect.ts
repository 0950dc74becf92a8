/** What `connect` runs: it gets one bot for the state directory, and proves that messages reach it. */
import { connectProgress } from './connect-progress.ts';
import { larkSettings, type LarkSettings } from './context.ts';
import { larkForOneJob } from './one-job-lark.ts';
import { journalOf, openState } from './state.ts';
import { readStatus, type Status } from './status.ts';
import { defaultLanguage, Languages } from '../bridge/texts/languages.ts';
import { proofTexts } from '../bridge/texts/texts.ts';
import { HeldMessages } from '../bridge/intake/held-messages.ts';
import { createCredentialStore, loadCredentials } from '../config/credentials.ts';
import type { Config } from '../config/load.ts';
import type { Brand } from '../core/brand.ts';
import type { Credentials } from '../core/credentials.ts';
import { BridgeError } from '../core/errors.ts';
import type { AppId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import { type Service, stopAll } from '../time/service.ts';
import { ownerFile } from '../host/owner-file.ts';
import { Onboarding, type OnboardingEvent } from '../lark/connect/onboarding.ts';
import { Proof, type ProofEvent } from '../lark/connect/proof.ts';
import { placesOf } from '../lark/connect/proof-problems.ts';
import { createHttp } from '../lark/outbound/http.ts';
import type { Db } from '../store/sqlite/db.ts';
import { restoredAtMs } from '../store/sqlite/bridge/restores.ts';
import { systemClock } from '../time/clock.ts';

export type { OnboardingEvent } from '../lark/connect/onboarding.ts';
export type { ProofEvent, ProofStep } from '../lark/connect/proof.ts';

interface OnboardingRequest {
  readonly config: Config;
  /** What the person chose; without it the settings decide. */
  readonly brand: Brand | undefined;
  /** Replace the bot that the state directory holds. */
  readonly force: boolean;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: OnboardingEvent) => void | Promise<void>;
}

/** Creates one bot for the state directory, or takes an existing app. */
export async function createOnboarding(request: OnboardingRequest): Promise<Onboarding> {
  const { config, force, timeoutMs, signal, onEvent } = request;
  const keyring = await keyringFor(config);
  const store = createCredentialStore(config.stateDir, { force, keyring });
  const before = loadCredentials(config.stateDir);
  const progress = connectProgress(config.stateDir);
  return new Onboarding({
    brand: request.brand ?? config.brand,
    openBaseUrl: config.openBaseUrl,
    accountsBaseUrl: config.accountsBaseUrl,
    timeoutMs,
    http: createHttp({ proxy: config }),
    store: {
      ...store,
      save(credentials) {
        const saved = store.save(credentials);
        const { appId: app, owner } = credentials;
        if (owner !== undefined) ownerFile(config.stateDir, app).save(owner);
        progress.reach(app, 'prove');
        return saved;
      },
    },
    pending: progress.pendingCodes(before.kind === 'found' ? before.credentials.appId : undefined),
    clock: systemClock,
    random: Math.random,
    signal,
    onEvent,
  });
}

/** Undefined if secrets are kept in files. Loaded only when it is needed: few people install its package. */
export async function keyringFor({ secrets }: Config) {
  if (secrets !== 'keyring') return undefined;
  const { openKeyring } = await import('../config/keyring.ts');
  return openKeyring();
}

interface ProofRequest {
  readonly config: Config;
  readonly log: Log;
  readonly credentials: Credentials;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: ProofEvent) => void;
}

/**
 * Proves that messages and button presses reach a bot, over a connection that is open only for that time.
 * What other people write meanwhile is kept for the bridge that runs next. Throws a `BridgeError` that says
 * what is missing.
 */
export async function proveMessagesArrive(request: ProofRequest): Promise<void> {
  const { config, log, credentials } = request;
  const lark = larkSettings({ ...config, ...credentials });
  const opened: Service[] = [];
  try {
    const db = await openStateForProof(config, log, { opened, app: lark });
    await runProof(request, { lark, db, opened });
  } finally {
    await stopAll(opened, log);
  }
}

async function runProof(
  request: ProofRequest,
  { lark: settings, db, opened }: { lark: LarkSettings; db: Db; opened: Service[] },
): Promise<void> {
  const { config, log, credentials, timeoutMs, signal, onEvent } = request;
  const { appId: app, brand } = credentials;
  const base = { clock: systemClock, random: Math.random };
  const { lark, closers } = larkForOneJob(settings, { config, db, log });
  opened.push(...closers, lark.calls);
  const { journal, languageChoices } = journalOf(db, app);
  const languages = new Languages(languageChoices, defaultLanguage(config.lang, brand));
  const owner = ownerFile(config.stateDir, app).load();
  const proof = new Proof({
    ...base,
    gateway: lark.gateway,
    connect: (intake, onTerminal) => lark.connect(intake, onTerminal),
    held: new HeldMessages({
      journal,
      languages,
      clock: systemClock,
      restoredAtMs: restoredAtMs(db, systemClock.nowMs()),
      prefix: config.commandPrefix,
    }),
    owner,
    places: placesOf({ appId: app, brand, openBaseUrl: config.openBaseUrl }),
    texts: proofTexts(owner === undefined ? languages.standard : languages.of(owner)),
    id: crypto.randomUUID(),
    timeoutMs,
    signal,
    onEvent,
  });
  await proof.run();
}

async function openStateForProof(
  config: Config,
  log: Log,
  parts: { opened: Service[]; app: LarkSettings },
): Promise<Db> {
  try {
    return openState(config, log, parts);
  } catch (error) {
    if (!(error instanceof BridgeError) || error.code !== 'already_running') throw error;
    throw whyNoProof(error, parts.app.appId, await readStatus(config));
  }
}

/** The daemon has the only connection, so the error tells what the daemon knows about it. */
function whyNoProof(error: BridgeError, app: AppId, status: Status): BridgeError {
  const { pid, daemon } = status;
  const split = `${error.message}: a second connection would take a part of its messages, so nothing was checked`;
  if (pid === undefined || daemon?.app_id !== app || daemon.connection === undefined) {
    return new BridgeError('already_running', split, { next: 'Stop that process first.' });
  }
  const { state, lastEventAtMs } = daemon.connection;
  const heard =
    lastEventAtMs === undefined
      ? 'no event has come since it started'
      : `its last event came at ${new Date(lastEventAtMs).toISOString()}`;
  return new BridgeError('already_running', `${split}. It is ${state}; ${heard}`, {
    next: 'Write to the bot: that process answers. For the check, stop it first.',
  });
}
