/** Decides which proxy is used for an address, and opens the long connection through it. */
import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { gatherWrites } from './gathered-writes.ts';
import { isExempt } from './no-proxy.ts';
import { WS_HANDSHAKE_TIMEOUT_MS } from '../core/limits.ts';

/** The values of HTTP_PROXY, HTTPS_PROXY, ALL_PROXY and NO_PROXY. */
export interface ProxySettings {
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly allProxy?: string | undefined;
  readonly noProxy?: string | undefined;
}

/** The proxy for an address. Undefined if it is reached directly. */
export function proxyFor(target: URL, settings: ProxySettings): URL | undefined {
  const { httpProxy, httpsProxy, allProxy, noProxy = '' } = settings;
  const secure = target.protocol === 'https:' || target.protocol === 'wss:';
  const named = secure ? httpsProxy || allProxy || httpProxy : httpProxy || allProxy;
  if (named === undefined || named === '') return undefined;
  const proxy = new URL(named);
  // ALL_PROXY may name a SOCKS proxy, which is not supported here.
  if (!/^https?:$/.test(proxy.protocol) || isExempt(target, noProxy)) return undefined;
  return proxy;
}

/** The name of a proxy for people: without user and password. */
export function proxyName({ protocol, host }: URL): string {
  return `${protocol}//${host}`;
}

/**
 * An agent for one WebSocket to `target`, direct or through its proxy.
 * `destroy` also ends a handshake that still runs. The SDK can't do that.
 */
export function createSocketAgent(target: URL, settings: ProxySettings): http.Agent {
  const secure = target.protocol === 'wss:';
  const agent = secure ? new https.Agent() : new http.Agent();
  const proxy = proxyFor(target, settings);
  if (proxy === undefined) {
    const connect = agent.createConnection.bind(agent);
    agent.createConnection = (options, done) => {
      const socket = connect(options, done);
      return socket ? gatherWrites(socket) : socket;
    };
    return agent;
  }
  const connecting = new Set<http.ClientRequest>();
  agent.createConnection = (options, done) => {
    const host = `${options.host ?? target.hostname}:${options.port ?? (secure ? 443 : 80)}`;
    const request = connectRequest(proxy, host);
    connecting.add(request);
    request.once('close', () => connecting.delete(request));
    request.once('error', (error) => {
      const text = `the proxy ${proxyName(proxy)} can't be reached: ${error.message}`;
      done?.(new Error(text, { cause: error }), undefined as never);
    });
    request.once('connect', (answer, socket) => {
      if (answer.statusCode !== 200) {
        socket.destroy();
        const text = `the proxy ${proxyName(proxy)} answered ${answer.statusCode ?? 0}`;
        done?.(new Error(text), undefined as never);
        return;
      }
      done?.(null, gatherWrites(secure ? tls.connect({ ...(options as object), socket }) : socket));
    });
    request.end();
    return undefined;
  };
  const destroy = agent.destroy.bind(agent);
  agent.destroy = () => {
    for (const request of connecting) request.destroy();
    destroy();
  };
  return agent;
}

function connectRequest(proxy: URL, host: string): http.ClientRequest {
  const headers: Record<string, string> = { host };
  if (proxy.username !== '') {
    const user = `${decodeURIComponent(proxy.username)}:${decodeURIComponent(proxy.password)}`;
    headers['proxy-authorization'] = `Basic ${Buffer.from(user).toString('base64')}`;
  }
  const { request } = proxy.protocol === 'https:' ? https : http;
  const connect = request({
    host: proxy.hostname.replace(/^\[|\]$/g, ''),
    port: proxy.port === '' ? undefined : proxy.port,
    method: 'CONNECT',
    path: host,
    headers,
    agent: false,
    timeout: WS_HANDSHAKE_TIMEOUT_MS,
  });
  connect.once('timeout', () => connect.destroy(new Error('the proxy did not answer')));
  return connect;
}
