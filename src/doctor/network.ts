/** The way to Lark: names, certificates, proxies and clocks. */
import { DOCTOR_CALL_TIMEOUT_MS } from '../core/limits.ts';
import type { HostName, Reach } from '../lark/facts.ts';
import { proxyName } from '../net/proxy.ts';
import { type Advice, type Finding, note, ok, problem, warning } from './finding.ts';

/** Lark and certificates accept a minute. A larger difference means that the clock is wrong. */
const DOCTOR_CLOCK_DIFFERENCE_MS = 60_000;

const HOSTS: Readonly<Record<HostName, string>> = {
  open: 'the open platform',
  accounts: 'the accounts service',
  socket: 'the host of the long connection',
};

export function checkReach({ name, origin, proxy, outcome }: Reach): Finding {
  const check = `reach_${name}`;
  const by = proxy === undefined ? '' : ` through the proxy ${proxy}`;
  const host = `${HOSTS[name]}, ${origin}`;
  if (outcome.kind === 'reached') return ok(check, `Reached ${host}${by}.`);
  const { why, next } = troubleOf(outcome.code);
  const finding = `Can't reach ${host}${by}: ${why}.`;
  if (name === 'accounts') {
    return warning(check, finding, { reason: 'Only `lark-bridge connect` needs it.', next });
  }
  return problem(check, finding, {
    reason: `Without it no message comes or goes (${outcome.code}).`,
    next,
    error: 'unreachable',
  });
}

interface Trouble {
  readonly code: RegExp;
  readonly why: string;
  readonly next: string;
}

const ASK_FIREWALL = 'Ask whoever runs the network to let this machine reach it over HTTPS.';

/** Codes of Node, OpenSSL and undici. The first row that fits counts. */
const TROUBLES: readonly Trouble[] = [
  {
    code: /^(?:ENOTFOUND|EAI_\w+)$/,
    why: "its name can't be resolved (DNS)",
    next: 'Check the network and the DNS server of this machine; behind a proxy set HTTPS_PROXY.',
  },
  {
    code: /^ECONNREFUSED$/,
    why: 'the connection is refused: no program listens at this address',
    next: 'Check the address and the port (LARK_OPEN_BASE_URL, or the proxy).',
  },
  {
    code: /^(?:timed out|ETIMEDOUT|UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT)$/,
    why: `no answer within ${DOCTOR_CALL_TIMEOUT_MS / 1000} s, perhaps because a firewall drops the calls`,
    next: 'Behind a proxy set HTTPS_PROXY. Otherwise ask whoever runs the network to let this machine reach it.',
  },
  {
    code: /^(?:ENETUNREACH|EHOSTUNREACH|ENETDOWN|EHOSTDOWN|EADDRNOTAVAIL)$/,
    why: 'this machine has no route to it',
    next: 'Check that the machine is online. Behind a proxy set HTTPS_PROXY.',
  },
  {
    code: /^CERT_HAS_EXPIRED$/,
    why: "its certificate has expired, or this machine's clock is fast",
    next: 'Check the clock of this machine (NTP). If it is right, tell whoever runs the host or the proxy.',
  },
  {
    code: /^CERT_NOT_YET_VALID$/,
    why: "its certificate is not valid yet: most likely this machine's clock is slow",
    next: 'Set the clock of this machine (NTP).',
  },
  {
    code: /^(?:ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH|UND_ERR_PRX_TLS)$/,
    why: 'its certificate belongs to another host: something else answers in its place',
    next: 'Check DNS, the hosts file and the proxy. A login page of the network may also be the cause.',
  },
  {
    code: /SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|CERT_UNTRUSTED|CERT/,
    why: 'Node.js does not know who signed its certificate: perhaps a company proxy opens the connection',
    next: 'Get the certificate of that authority as a PEM file, and start lark-bridge with NODE_EXTRA_CA_CERTS=FILE in its environment.',
  },
  {
    code: /^(?:EPROTO|ERR_SSL_\w+|ERR_TLS_\w+)$/,
    why: 'the program at this address does not speak TLS correctly',
    next: 'Check the scheme and the port of the address, and of the proxy.',
  },
  {
    code: /^UND_ERR_ABORTED$/,
    why: 'the proxy does not let it through',
    next: 'Check HTTPS_PROXY, with user and password if the proxy needs them, or name the host in NO_PROXY.',
  },
  {
    code: /^(?:ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET)$/,
    why: 'the connection ends before an answer comes',
    next: ASK_FIREWALL,
  },
];

function troubleOf(code: string): Pick<Trouble, 'why' | 'next'> {
  return TROUBLES.find((row) => row.code.test(code)) ?? { why: code, next: ASK_FIREWALL };
}

/** How one host is reached. */
interface Route {
  readonly what: string;
  readonly host: string;
  readonly isLoopback: boolean;
  /** The proxy on the way, without its credentials. */
  readonly proxy: string | undefined;
}

const LOOPBACK = /^(?:localhost|127(?:\.\d+){3}|\[::1\])$/;

export function routeTo(what: string, target: URL, proxy: URL | undefined): Route {
  return {
    what,
    host: target.host,
    isLoopback: LOOPBACK.test(target.hostname),
    proxy: proxy && proxyName(proxy),
  };
}

export function checkRoutes(routes: readonly Route[]): Finding[] {
  const lost = routes.filter(({ isLoopback, proxy }) => isLoopback && proxy !== undefined);
  if (lost.length > 0) {
    const names = lost.map(({ host }) => host).join(', ');
    return [
      warning('proxy', `Calls to this machine itself (${names}) go through a proxy.`, {
        reason:
          'A proxy on another machine reaches itself under this address, and not this machine.',
        next: `Add it to NO_PROXY: NO_PROXY=${lost.map(({ host }) => host.replace(/:\d+$/, '')).join(',')}`,
      }),
    ];
  }
  const proxied = routes.filter(({ proxy }) => proxy !== undefined);
  if (proxied.length === 0)
    return [ok('proxy', 'No proxy is set: everything is reached directly.')];
  const ways = routes.map(({ what, host, proxy }) =>
    proxy === undefined ? `${what} (${host}) directly` : `${what} (${host}) through ${proxy}`,
  );
  return [note('proxy', `In use: ${ways.join('; ')}.`)];
}

/** Undefined if no host of Lark sent its time. */
export function checkClock(reaches: readonly Reach[]): Finding | undefined {
  const clocks = reaches.flatMap(({ outcome }) =>
    outcome.kind === 'reached' && outcome.clocks !== undefined ? [outcome.clocks] : [],
  );
  const offsets = clocks.map(({ hereMs, thereMs }) => hereMs - thereMs);
  const [offMs] = offsets.toSorted((one, other) => Math.abs(one) - Math.abs(other));
  if (offMs === undefined) return undefined;
  if (Math.abs(offMs) <= DOCTOR_CLOCK_DIFFERENCE_MS) return ok('clock', "The same as Lark's.");
  const advice: Advice = {
    reason: 'Certificates, tokens and the age of messages depend on it.',
    next: 'Set the clock of this machine, best by NTP (timedatectl set-ntp true).',
  };
  const side = offMs > 0 ? 'ahead of' : 'behind';
  return warning('clock', `This machine's clock is ${durationOf(offMs)} ${side} Lark's.`, advice);
}

function durationOf(ms: number): string {
  const seconds = Math.round(Math.abs(ms) / 1000);
  return seconds < 180 ? `${seconds} seconds` : `${Math.round(seconds / 60)} minutes`;
}
