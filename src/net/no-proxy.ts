/** Which hosts are reached without a proxy. NO_PROXY is read as curl reads it, but entries may also have a port. */
import { BlockList, isIP } from 'node:net';

/** An entry is a name (with its subdomains), an address or a range of addresses, each with a port or without. `*` is everything. */
export function isExempt(target: URL, noProxy: string): boolean {
  const host = target.hostname
    .toLowerCase()
    .replace(/^\[|\]$/g, '')
    .replace(/\.$/, '');
  const port = target.port === '' ? standardPort(target) : target.port;
  return noProxy
    .split(/[,\s]+/)
    .filter((entry) => entry !== '')
    .some((entry) => entry === '*' || covers(partsOf(entry.toLowerCase()), { host, port }));
}

function standardPort({ protocol }: URL): string {
  return protocol === 'https:' || protocol === 'wss:' ? '443' : '80';
}

interface Entry {
  /** A name, an address or a range. */
  readonly what: string;
  readonly port: string | undefined;
}

function partsOf(entry: string): Entry {
  // The colons of an IPv6 address do not separate a port.
  if (isIP(entry.split('/')[0] ?? '') === 6) return { what: entry, port: undefined };
  const [, inBrackets, name, port] = /^(?:\[([^\]]*)\]|(.+?))(?::(\d+))?$/.exec(entry) ?? [];
  return { what: inBrackets ?? name ?? entry, port };
}

function covers({ what, port }: Entry, target: { host: string; port: string }): boolean {
  if (port !== undefined && port !== target.port) return false;
  const { host } = target;
  const family = isIP(host);
  if (family !== 0) return isInRange(host, family === 4 ? 'ipv4' : 'ipv6', what);
  const domain = what.replace(/^\*?\./, '').replace(/\.$/, '');
  return host === domain || host.endsWith(`.${domain}`);
}

function isInRange(host: string, family: 'ipv4' | 'ipv6', range: string): boolean {
  const bitsMax = family === 'ipv4' ? 32 : 128;
  const [network = '', bits = String(bitsMax)] = range.split('/');
  const isRange = /^\d{1,3}$/.test(bits) && Number(bits) <= bitsMax;
  if (!isRange || isIP(network) !== (family === 'ipv4' ? 4 : 6)) return false;
  const addresses = new BlockList();
  addresses.addSubnet(network, Number(bits), family);
  return addresses.check(host, family);
}
