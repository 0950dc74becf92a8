/** The way through an HTTP proxy for the long connection; calls go through undici's own proxy agent. */
import http from 'node:http';
import https from 'node:https';
import tls from 'node:tls';
import { gatherWrites } from './gathered-writes.ts';
import { WS_HANDSHAKE_TIMEOUT_MS } from '../core/limits.ts';

/** The values of HTTP_PROXY, HTTPS_PROXY and NO_PROXY. */
export interface ProxySettings {
  readonly httpProxy?: string | undefined;
  readonly httpsProxy?: string | undefined;
  readonly noProxy?: string | undefined;
}

/** The proxy for an address, or undefined for the direct way. Same rules as undici's EnvHttpProxyAgent. */
export function proxyFor(target: URL, settings: ProxySettings): URL | undefined {
  const secure = target.protocol === 'https:' || target.protocol === 'wss:';
  const proxy = secure ? settings.httpsProxy || settings.httpProxy : settings.httpProxy;
  if (proxy === undefined || proxy === '' || isExempt(target, secure, settings.noProxy ?? '')) {
    return undefined;
  }
  return new URL(proxy);
}

function isExempt(target: URL, secure: boolean, noProxy: string): boolean {
  if (noProxy === '*') return true;
  const host = target.hostname.toLowerCase();
  const port = target.port === '' ? (secure ? '443' : '80') : target.port;
  return noProxy
    .split(/[,\s]/)
    .filter((entry) => entry !== '')
    .some((entry) => {
      const [, name = entry, onlyPort] = /^(.+):(\d+)$/.exec(entry) ?? [];
      if (onlyPort !== undefined && onlyPort !== port) return false;
      const domain = name.replace(/^\*?\./, '').toLowerCase();
      return host === domain || host.endsWith(`.${domain}`);
    });
}

/**
 * An agent for one WebSocket to `target`, direct or through its proxy.
 * `destroy` ends a handshake that is under way; the SDK has no way to.
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
    request.once('error', (error) => done?.(error, undefined as never));
    request.once('connect', (answer, socket) => {
      if (answer.statusCode !== 200) {
        socket.destroy();
        done?.(new Error(`the proxy answered ${answer.statusCode ?? 0}`), undefined as never);
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
