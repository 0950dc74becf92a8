/** What keeps others from reading along on the way to the embedded hub and to the pages for monitors. */
import { readFileSync } from 'node:fs';
import type { Config } from '../config/load.ts';
import { BridgeError, errorText, isSystemError } from '../core/errors.ts';
import type { Log } from '../core/log.ts';
import { isLoopback } from '../net/host-names.ts';
import { type TlsPair, tlsTrouble } from '../net/tls.ts';
import { splitAddress } from '../observe/monitor-server.ts';

/** A problem ends a start. `what` says what is wrong, and `next` what to do about it. */
interface ProtectionTrouble {
  readonly kind: 'problem' | 'warning';
  readonly what: string;
  readonly next: string;
}

/** All that is wrong with it, for `config check` and `doctor`. With a hub elsewhere there is no embedded one. */
export function protectionTroubles(config: Config, nowMs: number): ProtectionTrouble[] {
  const ofMonitor = openMonitor(config);
  const ofHub = config.platformUrl === undefined ? [openHub(config), tlsFault(config, nowMs)] : [];
  return [...ofHub, ofMonitor].filter((trouble) => trouble !== undefined);
}

/** Throws if tokens and messages would cross a network in the clear. */
export function mustBeProtected(config: Parameters<typeof openHub>[0]): void {
  const trouble = openHub(config);
  if (trouble !== undefined) throw asError(trouble);
}

/** Throws if what monitors read would cross a network in the clear. */
export function monitorMustBeProtected(config: Parameters<typeof openMonitor>[0]): void {
  const trouble = openMonitor(config);
  if (trouble !== undefined) throw asError(trouble);
}

type TlsFiles = Pick<Config, 'tlsCert' | 'tlsKey'>;

/** The certificate with its key. Throws `config_invalid` for a pair with which the hub would answer nobody. */
export function loadTls(files: TlsFiles, { nowMs, log }: { nowMs: number; log: Log }) {
  const pair = readPair(files);
  if (pair === undefined) return undefined;
  const trouble = faultOf(pair, files, nowMs);
  if (trouble?.kind === 'problem') throw asError(trouble);
  // The bridge reaches its own hub without it, so chats go on.
  if (trouble !== undefined) log.warn('tls_certificate_refused_by_clients', { ...trouble });
  return pair;
}

/** What a client of the hub on this machine trusts. It needs no right to the key. */
export function certificatePem({ tlsCert }: TlsFiles): string | undefined {
  return tlsCert === undefined ? undefined : readPem('LARK_TLS_CERT', tlsCert);
}

function tlsFault(files: TlsFiles, nowMs: number): ProtectionTrouble | undefined {
  try {
    const pair = readPair(files);
    return pair && faultOf(pair, files, nowMs);
  } catch (error) {
    if (!(error instanceof BridgeError)) throw error;
    return { kind: 'problem', what: error.message, next: error.next ?? '' };
  }
}

function readPair({ tlsCert, tlsKey }: TlsFiles): TlsPair | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return { certPem: readPem('LARK_TLS_CERT', tlsCert), keyPem: readPem('LARK_TLS_KEY', tlsKey) };
}

function faultOf(
  pair: TlsPair,
  { tlsCert, tlsKey }: TlsFiles,
  nowMs: number,
): ProtectionTrouble | undefined {
  const found = tlsTrouble(pair, nowMs);
  if (found === undefined) return undefined;
  const [name, path] = found.part === 'key' ? ['LARK_TLS_KEY', tlsKey] : ['LARK_TLS_CERT', tlsCert];
  return {
    kind: found.kind === 'unusable' ? 'problem' : 'warning',
    what: `${name} names ${path}, which ${found.what}`,
    next:
      found.kind === 'unusable'
        ? 'Name a certificate and the key that was made for it, both as PEM.'
        : 'Renew the certificate, and restart the bridge: clients that check it refuse it.',
  };
}

function readPem(name: string, path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    throw new BridgeError(
      'config_invalid',
      `${name} names ${path}, which can't be read (${errorText(error)})`,
      { next: 'Name a file that this user may read.', cause: error },
    );
  }
}

function openHub({
  hubHost,
  tlsCert,
  allowPlainHttp,
}: Pick<Config, 'hubHost' | 'tlsCert' | 'allowPlainHttp'>): ProtectionTrouble | undefined {
  if (isLoopback(hubHost) || tlsCert !== undefined || allowPlainHttp === true) return undefined;
  return {
    kind: 'problem',
    what: `LARK_HOST is ${hubHost}, so other machines reach the hub, and it has no certificate`,
    next: 'Set LARK_TLS_CERT and LARK_TLS_KEY, or LARK_ALLOW_PLAIN_HTTP=1 if something else protects the way to it.',
  };
}

/** The monitor server speaks no TLS. */
function openMonitor({
  healthAddress,
  allowPlainHttp,
}: Pick<Config, 'healthAddress' | 'allowPlainHttp'>): ProtectionTrouble | undefined {
  if (healthAddress === undefined || allowPlainHttp === true) return undefined;
  if (isLoopback(splitAddress(healthAddress).host)) return undefined;
  return {
    kind: 'problem',
    what: `LARK_BRIDGE_HEALTH_ADDRESS is ${healthAddress}, so other machines read health and metrics there, without TLS`,
    next: 'Listen on 127.0.0.1 and let a proxy with TLS lead to it, or set LARK_ALLOW_PLAIN_HTTP=1 if something else protects the way to it.',
  };
}

function asError({ what, next }: ProtectionTrouble): BridgeError {
  return new BridgeError('config_invalid', what, { next });
}
