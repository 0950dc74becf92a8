/** The way to Lark: names, certificates, proxies and clocks. */
import { inEveryLanguage, type Text } from '../core/language.ts';
import { DOCTOR_CALL_TIMEOUT_MS } from '../core/limits.ts';
import type { HostName, Reach } from '../lark/facts.ts';
import { proxyName } from '../net/proxy.ts';
import { type Finding, note, ok, problem, warning } from './finding.ts';

/** Lark and certificates accept a minute. A larger difference means that the clock is wrong. */
const DOCTOR_CLOCK_DIFFERENCE_MS = 60_000;

const HOSTS: Readonly<Record<HostName, Text>> = {
  open: { en: 'the open platform', zh: '开放平台' },
  accounts: { en: 'the accounts service', zh: '帐号服务' },
  socket: { en: 'the host of the long connection', zh: '长连接的主机' },
};

export function checkReach({ name, origin, proxy, outcome }: Reach): Finding<Text> {
  const check = `reach_${name}`;
  const by = proxy === undefined ? '' : ` through the proxy ${proxy}`;
  const { en: host, zh: hostZh } = HOSTS[name];
  if (outcome.kind === 'reached') return ok(check, `Reached ${host}, ${origin}${by}.`);
  const { why, next } = troubleOf(outcome.code);
  const finding = {
    en: `Can't reach ${host}, ${origin}${by}: ${why.en}.`,
    zh: `${proxy === undefined ? '' : `通过代理 ${proxy} `}无法连接${hostZh} ${origin} ：${why.zh}。`,
  };
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
  readonly why: Text;
  readonly next: Text;
}

const ASK_FIREWALL: Text = {
  en: 'Ask whoever runs the network to let this machine reach it over HTTPS.',
  zh: '请联系网络管理员，允许这台机器通过 HTTPS 访问它。',
};

/** Codes of Node, OpenSSL and undici. The first row that fits counts. */
const TROUBLES: readonly Trouble[] = [
  {
    code: /^(?:ENOTFOUND|EAI_\w+)$/,
    why: {
      en: "its name can't be resolved (DNS)",
      zh: '无法解析它的名称（DNS）',
    },
    next: {
      en: 'Check the network and the DNS server of this machine; behind a proxy set HTTPS_PROXY.',
      zh: '请检查这台机器的网络和 DNS 服务器；如果使用代理，请设置 HTTPS_PROXY。',
    },
  },
  {
    code: /^ECONNREFUSED$/,
    why: {
      en: 'the connection is refused: no program listens at this address',
      zh: '连接被拒绝：这个地址没有程序在监听',
    },
    next: {
      en: 'Check the address and the port (LARK_OPEN_BASE_URL, or the proxy).',
      zh: '请检查地址和端口（LARK_OPEN_BASE_URL，或代理）。',
    },
  },
  {
    code: /^(?:timed out|ETIMEDOUT|UND_ERR_(?:CONNECT|HEADERS|BODY)_TIMEOUT)$/,
    why: {
      en: `no answer within ${DOCTOR_CALL_TIMEOUT_MS / 1000} s, perhaps because a firewall drops the calls`,
      zh: `${DOCTOR_CALL_TIMEOUT_MS / 1000} 秒内没有应答，可能是防火墙丢弃了调用`,
    },
    next: {
      en: 'Behind a proxy set HTTPS_PROXY. Otherwise ask whoever runs the network to let this machine reach it.',
      zh: '如果使用代理，请设置 HTTPS_PROXY。否则请联系网络管理员，允许这台机器访问它。',
    },
  },
  {
    code: /^(?:ENETUNREACH|EHOSTUNREACH|ENETDOWN|EHOSTDOWN|EADDRNOTAVAIL)$/,
    why: {
      en: 'this machine has no route to it',
      zh: '这台机器没有通往它的路由',
    },
    next: {
      en: 'Check that the machine is online. Behind a proxy set HTTPS_PROXY.',
      zh: '请检查这台机器是否联网。如果使用代理，请设置 HTTPS_PROXY。',
    },
  },
  {
    code: /^CERT_HAS_EXPIRED$/,
    why: {
      en: "its certificate has expired, or this machine's clock is fast",
      zh: '它的证书已过期，或这台机器的时钟偏快',
    },
    next: {
      en: 'Check the clock of this machine (NTP). If it is right, tell whoever runs the host or the proxy.',
      zh: '请检查这台机器的时钟（NTP）。如果时钟正确，请告诉该主机或代理的管理者。',
    },
  },
  {
    code: /^CERT_NOT_YET_VALID$/,
    why: {
      en: "its certificate is not valid yet: most likely this machine's clock is slow",
      zh: '它的证书尚未生效：很可能是这台机器的时钟偏慢',
    },
    next: {
      en: 'Set the clock of this machine (NTP).',
      zh: '请校准这台机器的时钟（NTP）。',
    },
  },
  {
    code: /^(?:ERR_TLS_CERT_ALTNAME_INVALID|HOSTNAME_MISMATCH|UND_ERR_PRX_TLS)$/,
    why: {
      en: 'its certificate belongs to another host: something else answers in its place',
      zh: '它的证书属于另一台主机：有其他程序代替它应答',
    },
    next: {
      en: 'Check DNS, the hosts file and the proxy. A login page of the network may also be the cause.',
      zh: '请检查 DNS、hosts 文件和代理。也可能是网络的登录页面造成的。',
    },
  },
  {
    code: /SELF_SIGNED|UNABLE_TO_(?:GET_ISSUER|VERIFY)|CERT_UNTRUSTED|CERT/,
    why: {
      en: 'Node.js does not know who signed its certificate: perhaps a company proxy opens the connection',
      zh: 'Node.js 不认识其证书的签发者：可能是公司的代理拆开了连接',
    },
    next: {
      en: 'Get the certificate of that authority as a PEM file, and start lark-bridge with NODE_EXTRA_CA_CERTS=FILE in its environment.',
      zh: '请取得该签发机构的证书（PEM 文件），并在环境中设置 NODE_EXTRA_CA_CERTS=FILE 后启动 lark-bridge。',
    },
  },
  {
    code: /^(?:EPROTO|ERR_SSL_\w+|ERR_TLS_\w+)$/,
    why: {
      en: 'the program at this address does not speak TLS correctly',
      zh: '这个地址的程序没有正确使用 TLS',
    },
    next: {
      en: 'Check the scheme and the port of the address, and of the proxy.',
      zh: '请检查地址以及代理的协议和端口。',
    },
  },
  {
    code: /^UND_ERR_ABORTED$/,
    why: {
      en: 'the proxy does not let it through',
      zh: '代理不放行',
    },
    next: {
      en: 'Check HTTPS_PROXY, with user and password if the proxy needs them, or name the host in NO_PROXY.',
      zh: '请检查 HTTPS_PROXY（如果代理需要，还要包含用户名和密码），或在 NO_PROXY 中列出该主机。',
    },
  },
  {
    code: /^(?:ECONNRESET|ECONNABORTED|EPIPE|UND_ERR_SOCKET)$/,
    why: {
      en: 'the connection ends before an answer comes',
      zh: '连接在应答之前就断开了',
    },
    next: ASK_FIREWALL,
  },
];

function troubleOf(code: string): Pick<Trouble, 'why' | 'next'> {
  const row = TROUBLES.find((one) => one.code.test(code));
  return row ?? { why: inEveryLanguage(code), next: ASK_FIREWALL };
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

export function checkRoutes(routes: readonly Route[]): Finding<Text>[] {
  const lost = routes.filter(({ isLoopback, proxy }) => isLoopback && proxy !== undefined);
  if (lost.length > 0) {
    const names = lost.map(({ host }) => host);
    const finding = {
      en: `Calls to this machine itself (${names.join(', ')}) go through a proxy.`,
      zh: `发往本机（${names.join('、')}）的调用经过了代理。`,
    };
    const setting = `NO_PROXY=${names.map((host) => host.replace(/:\d+$/, '')).join(',')}`;
    return [
      warning('proxy', finding, {
        reason:
          'A proxy on another machine reaches itself under this address, and not this machine.',
        next: {
          en: `Add it to NO_PROXY: ${setting}`,
          zh: `请把它加入 NO_PROXY：${setting}`,
        },
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
export function checkClock(reaches: readonly Reach[]): Finding<Text> | undefined {
  const clocks = reaches.flatMap(({ outcome }) =>
    outcome.kind === 'reached' && outcome.clocks !== undefined ? [outcome.clocks] : [],
  );
  const offsets = clocks.map(({ hereMs, thereMs }) => hereMs - thereMs);
  const [offMs] = offsets.toSorted((one, other) => Math.abs(one) - Math.abs(other));
  if (offMs === undefined) return undefined;
  if (Math.abs(offMs) <= DOCTOR_CLOCK_DIFFERENCE_MS) return ok('clock', "The same as Lark's.");
  const isAhead = offMs > 0;
  const by = durationOf(offMs);
  const finding = {
    en: `This machine's clock is ${by.en} ${isAhead ? 'ahead of' : 'behind'} Lark's.`,
    zh: `这台机器的时钟比 Lark 的${isAhead ? '快' : '慢'} ${by.zh}。`,
  };
  return warning('clock', finding, {
    reason: 'Certificates, tokens and the age of messages depend on it.',
    next: {
      en: 'Set the clock of this machine, best by NTP (timedatectl set-ntp true).',
      zh: '请校准这台机器的时钟，最好使用 NTP（timedatectl set-ntp true）。',
    },
  });
}

function durationOf(ms: number): Text {
  const seconds = Math.round(Math.abs(ms) / 1000);
  if (seconds < 180) return { en: `${seconds} seconds`, zh: `${seconds} 秒` };
  const minutes = Math.round(seconds / 60);
  return { en: `${minutes} minutes`, zh: `${minutes} 分钟` };
}
