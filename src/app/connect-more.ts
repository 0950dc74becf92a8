/** What `connect --permissions` runs: a person is asked for rights that the bot lacks. */
import { keyringFor, type OnboardingEvent } from './connect.ts';
import { createCredentialStore, loadCredentials } from '../config/credentials.ts';
import type { Config } from '../config/load.ts';
import { BridgeError } from '../core/errors.ts';
import type { AppId } from '../core/ids.ts';
import { APP_NEEDS, type AppRights, ASKED_AT_FIRST, rightsNamed } from '../lark/app-needs.ts';
import { Onboarding } from '../lark/connect/onboarding.ts';
import { createHttp } from '../lark/outbound/http.ts';
import { systemClock } from '../time/clock.ts';

interface MoreRequest {
  readonly config: Config;
  readonly app: AppId;
  /** Of permissions, events and callbacks; none: what a new bot gets. */
  readonly names: readonly string[];
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: OnboardingEvent) => Promise<void>;
}

/** Nobody waits for it later: the same command asks again, and makes no app. */
const NOT_KEPT = { load: () => undefined, keep: () => {}, forget: () => {} };

/** Resolves with what was granted. */
export async function askForMore(request: MoreRequest): Promise<AppRights> {
  const { config, app, names, timeoutMs, signal, onEvent } = request;
  const rights = names.length === 0 ? ASKED_AT_FIRST : rightsNamed(names);
  if (rights === undefined) throw unknownName();
  const { stateDir } = config;
  const store = createCredentialStore(stateDir, { force: true, keyring: await keyringFor(config) });
  const loaded = loadCredentials(stateDir);
  const isKept = loaded.kind === 'found' && loaded.credentials.appId === app;
  const onboarding = new Onboarding({
    brand: config.brand,
    openBaseUrl: config.openBaseUrl,
    accountsBaseUrl: config.accountsBaseUrl,
    timeoutMs,
    http: createHttp({ proxy: config }),
    // A bot that the environment names is not kept here.
    store: isKept ? store : { admit: () => {}, save: () => ({ keptPath: undefined }) },
    pending: NOT_KEPT,
    clock: systemClock,
    random: Math.random,
    signal,
    onEvent,
  });
  await onboarding.extendBot({ app, rights });
  return rights;
}

function unknownName(): BridgeError {
  const { scopes, events, callbacks } = APP_NEEDS;
  const names = [
    ...scopes.map(({ anyOf: [least] }) => least),
    ...[...events, ...callbacks].map(({ name }) => name),
  ];
  return new BridgeError('usage', '--permissions has a name that the bridge has no use for', {
    next: `These are of use: ${names.join(', ')}`,
  });
}
