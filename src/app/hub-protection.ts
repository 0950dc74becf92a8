/** What keeps others from reading along on the way to the embedded hub and to the pages for monitors. */
import { readFileSync } from 'node:fs';
import type { Config } from '../config/load.ts';
import { BridgeError, errorText, isSystemError } from '../core/errors.ts';
import type { Text } from '../core/language.ts';
import type { Log } from '../core/log.ts';
import { isLoopback } from '../net/host-names.ts';
import { type TlsPair, tlsTrouble } from '../net/tls.ts';
import { splitAddress } from '../observe/monitor-server.ts';

/** A problem ends a start. `what` says what is wrong, and `next` what to do about it. */
interface ProtectionTrouble {
  readonly kind: 'problem' | 'warning';
  readonly what: Text;
  readonly next: Text;
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
  if ('kind' in pair) throw asError(pair);
  const trouble = faultOf(pair, files, nowMs);
  if (trouble?.kind === 'problem') throw asError(trouble);
  // The bridge reaches its own hub without it, so chats go on.
  if (trouble !== undefined) log.warn('tls_certificate_refused_by_clients', inEnglish(trouble));
  return pair;
}

/** What a client of the hub on this machine trusts. It needs no right to the key. */
export function certificatePem({ tlsCert }: TlsFiles): string | undefined {
  const pem = tlsCert === undefined ? undefined : readPem('LARK_TLS_CERT', tlsCert);
  if (typeof pem === 'object') throw asError(pem);
  return pem;
}

function tlsFault(files: TlsFiles, nowMs: number): ProtectionTrouble | undefined {
  const pair = readPair(files);
  if (pair === undefined || 'kind' in pair) return pair;
  return faultOf(pair, files, nowMs);
}

function readPair({ tlsCert, tlsKey }: TlsFiles): TlsPair | ProtectionTrouble | undefined {
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  const certPem = readPem('LARK_TLS_CERT', tlsCert);
  const keyPem = readPem('LARK_TLS_KEY', tlsKey);
  if (typeof certPem === 'object') return certPem;
  return typeof keyPem === 'object' ? keyPem : { certPem, keyPem };
}

const NAME_PAIR: Text = {
  en: 'Name a certificate and the key that was made for it, both as PEM.',
  zh: '请指定一个证书和与它配对的密钥，两者都是 PEM 文件。',
};
const RENEW: Text = {
  en: 'Renew the certificate, and restart the bridge: clients that check it refuse it.',
  zh: '请更新证书，然后重启程序：检查证书的客户端会拒绝它。',
};

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
    what: {
      en: `${name} names ${path}, which ${found.what.en}`,
      zh: `${name} 指定的文件 ${path} ${found.what.zh}`,
    },
    next: found.kind === 'unusable' ? NAME_PAIR : RENEW,
  };
}

function readPem(name: string, path: string): string | ProtectionTrouble {
  try {
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (!isSystemError(error)) throw error;
    const why = errorText(error);
    return {
      kind: 'problem',
      what: {
        en: `${name} names ${path}, which can't be read (${why})`,
        zh: `${name} 指定的文件 ${path} 无法读取（${why}）`,
      },
      next: {
        en: 'Name a file that this user may read.',
        zh: '请指定当前用户可以读取的文件。',
      },
    };
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
    what: {
      en: `LARK_HOST is ${hubHost}, so other machines reach the hub, and it has no certificate`,
      zh: `LARK_HOST 是 ${hubHost}，其他机器可以访问平台，而它没有证书`,
    },
    next: {
      en: 'Set LARK_TLS_CERT and LARK_TLS_KEY, or LARK_ALLOW_PLAIN_HTTP=1 if something else protects the way to it.',
      zh: '请设置 LARK_TLS_CERT 和 LARK_TLS_KEY；如果通往它的路径另有保护，请设置 LARK_ALLOW_PLAIN_HTTP=1。',
    },
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
    what: {
      en: `LARK_BRIDGE_HEALTH_ADDRESS is ${healthAddress}, so other machines read health and metrics there, without TLS`,
      zh: `LARK_BRIDGE_HEALTH_ADDRESS 是 ${healthAddress}，其他机器可以在那里读取健康状态和指标，而且没有 TLS`,
    },
    next: {
      en: 'Listen on 127.0.0.1 and let a proxy with TLS lead to it, or set LARK_ALLOW_PLAIN_HTTP=1 if something else protects the way to it.',
      zh: '请只在 127.0.0.1 监听，并用带 TLS 的代理通往它；如果通往它的路径另有保护，请设置 LARK_ALLOW_PLAIN_HTTP=1。',
    },
  };
}

function asError({ what, next }: ProtectionTrouble): BridgeError {
  return new BridgeError('config_invalid', what.en, { next: next.en });
}

function inEnglish({ kind, what, next }: ProtectionTrouble) {
  return { kind, what: what.en, next: next.en };
}
