/**
 * The names by which a server lets itself be called. A web page can make the name of its own site lead to this
 * machine, and its browser then takes our answers for those of that site. It can't do so with an address or with
 * `localhost`.
 */
import { isIP } from 'node:net';

/** True if only programs of this machine reach a server that listens there. */
export function isLoopback(host: string): boolean {
  return /^(?:127\.[\d.]+|::1|localhost)$/i.test(host);
}

/** True if a `Host` header names this server. Other ports are taken: a container or a proxy may map them. */
export function isOwnHost(header: string | undefined, names: readonly string[]): boolean {
  // Only HTTP/1.0 has none, and browsers don't speak it.
  if (header === undefined) return true;
  const bare = /^\[([^\]]*)\](?::\d*)?$|^([^:]*)(?::\d*)?$/.exec(header);
  const name = (bare?.[1] ?? bare?.[2] ?? '').toLowerCase().replace(/\.$/, '');
  return (
    isIP(name) !== 0 || name === 'localhost' || names.some((own) => own.toLowerCase() === name)
  );
}

export interface Names {
  /** Host names of the server, besides `localhost` and all addresses. */
  readonly names: readonly string[];
  /** `*`, or origins separated by commas. */
  readonly corsOrigin: string | undefined;
}

/** True unless the request comes from a web page of somebody else. Browsers say which one it is in `Origin`. */
export function isWelcomeOrigin(
  { origin, host }: { readonly origin?: string | undefined; readonly host?: string | undefined },
  { names, corsOrigin }: Names,
): boolean {
  if (origin === undefined || isAllowedOrigin(origin, corsOrigin)) return true;
  // Clients send the server's address as they know it (MOL-HDR-02), which a proxy may have changed in `Host`.
  const url = URL.canParse(origin) ? new URL(origin) : undefined;
  if (url === undefined || url.host === '') return false;
  if (url.host === host?.toLowerCase()) return true;
  // Other programs of this machine have web pages too, at other ports.
  const isShared = url.hostname === 'localhost' || /^\[|^[\d.]+$/.test(url.hostname);
  return !isShared && names.includes(url.hostname);
}

export function isAllowedOrigin(origin: string, corsOrigin: string | undefined): boolean {
  const origins = corsOrigin?.split(',').map((one) => one.trim()) ?? [];
  return origins.includes('*') || origins.includes(origin);
}
