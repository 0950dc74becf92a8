/** The parts of the check that `connect` ends with. Only the composition root uses this. */
import { closing, journalOf, type LarkSettings } from './bridge-parts.ts';
import { steadyClock, systemClock } from '../time/clock.ts';
import { Letterbox } from '../bridge/intake/letterbox.ts';
import type { Config } from '../config/load.ts';
import type { Credentials } from '../core/credentials.ts';
import { BridgeError } from '../core/errors.ts';
import type { AppId } from '../core/ids.ts';
import type { Service } from '../core/service.ts';
import type { ConnectionStatus } from '../lark/inbound/connection.ts';
import { Lark } from '../lark/lark.ts';
import { Proof, type ProofEvent } from '../lark/connect/proof.ts';
import { placesOf } from '../lark/connect/proof-problems.ts';
import { ownerFile } from '../host/owner-file.ts';
import { CallCounts } from '../store/sqlite/bridge/calls.ts';
import type { Db } from '../store/sqlite/db.ts';
import { NO_OBSERVER } from '../bridge/ports.ts';
import type { Log } from '../core/log.ts';

export interface CheckRequest {
  readonly config: Config;
  readonly log: Log;
  readonly credentials: Credentials;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: ProofEvent) => void;
}

export interface CheckPlace {
  readonly lark: LarkSettings;
  /** Of the state directory, which this process has for itself. */
  readonly db: Db;
  /** Takes what has to be closed afterwards. */
  readonly opened: Service[];
}

export async function runCheck(
  request: CheckRequest,
  { lark: settings, db, opened }: CheckPlace,
): Promise<void> {
  const { config, credentials, log } = request;
  const { appId: app, brand } = credentials;
  const base = { clock: systemClock, random: Math.random };
  const calls = new CallCounts({ db, app, clock: systemClock });
  const lark = new Lark({
    ...base,
    ...settings,
    // Who the bot is matters in groups only: what is said there meanwhile comes again.
    botOpenId: undefined,
    lastKnown: undefined,
    paceClock: steadyClock,
    proxy: config,
    callLimits: config.callLimits,
    countCall: (callClass) => calls.count(callClass),
    log,
    observer: NO_OBSERVER,
  });
  opened.push(
    closing('call_counts', () => calls.flush()),
    closing('lark_http', () => lark.http.close()),
    lark.calls,
  );
  const { timeoutMs, signal, onEvent } = request;
  const proof = new Proof({
    ...base,
    gateway: lark.gateway,
    connect: (intake, onTerminal) => lark.connect(intake, onTerminal),
    held: new Letterbox({ journal: journalOf(db, app).journal, clock: systemClock }),
    owner: ownerFile(config.stateDir, app).load(),
    places: placesOf({ appId: app, brand, openBaseUrl: config.openBaseUrl }),
    id: crypto.randomUUID(),
    timeoutMs,
    signal,
    onEvent,
  });
  await proof.run();
}

/** A daemon that runs keeps its connection to itself; what it says about that is told instead. */
export function cannotCheck(
  error: BridgeError,
  app: AppId,
  status: { running: boolean; daemon: Readonly<Record<string, unknown>> | undefined },
): BridgeError {
  const { running, daemon } = status;
  const split = `${error.message}: a second connection would take a part of its messages, so nothing was checked`;
  if (!running || daemon?.['app_id'] !== app) {
    return new BridgeError('already_running', split, { next: 'Stop that process first.' });
  }
  const { state, lastEventAtMs } = daemon['connection'] as ConnectionStatus;
  const heard =
    lastEventAtMs === undefined
      ? 'no event has come since it started'
      : `its last event came at ${new Date(lastEventAtMs).toISOString()}`;
  return new BridgeError('already_running', `${split}. It is ${state}; ${heard}`, {
    next: 'Write to the bot: that process answers. For the check, stop it first.',
  });
}
