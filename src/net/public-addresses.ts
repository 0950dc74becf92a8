/**
 * Which addresses belong to the open internet. An address that somebody else names must not lead to this machine,
 * to the network around it, or to the service that tells a cloud's machines their secrets.
 */
import dns from 'node:dns';
import { BlockList, isIP, type LookupFunction } from 'node:net';

/** The code of the error for a host that has no public address. */
export const NOT_PUBLIC = 'NOT_PUBLIC';

/** IPv4 that is not for everybody (IANA's special-purpose registry), multicast, and what is reserved. */
const NOT_PUBLIC_IPV4 = blockList('ipv4', [
  ['0.0.0.0', 8],
  ['10.0.0.0', 8],
  ['100.64.0.0', 10],
  ['127.0.0.0', 8],
  ['169.254.0.0', 16],
  ['172.16.0.0', 12],
  ['192.0.0.0', 24],
  ['192.0.2.0', 24],
  ['192.88.99.0', 24],
  ['192.168.0.0', 16],
  ['198.18.0.0', 15],
  ['198.51.100.0', 24],
  ['203.0.113.0', 24],
  ['224.0.0.0', 4],
  ['240.0.0.0', 4],
  // Azure's machines get their configuration from it. By its number it looks public.
  ['168.63.129.16', 32],
]);

/** All of IPv6 that is for everybody lies in here. */
const GLOBAL_IPV6 = blockList('ipv6', [['2000::', 3]]);
const NOT_PUBLIC_IPV6 = blockList('ipv6', [
  // Teredo among them, which leads to an IPv4 address.
  ['2001::', 23],
  ['2001:db8::', 32],
  ['3fff::', 20],
]);

/** Where an IPv6 address holds the IPv4 address that it leads to: the number of bytes before it. */
const HOLDING_IPV4 = [
  { range: blockList('ipv6', [['::ffff:0:0', 96]]), bytesBefore: 12 },
  { range: blockList('ipv6', [['64:ff9b::', 96]]), bytesBefore: 12 },
  { range: blockList('ipv6', [['2002::', 16]]), bytesBefore: 2 },
];

/** True of an address that everybody on the internet can reach. False of what is no address. */
export function isPublicAddress(address: string): boolean {
  const family = isIP(address);
  if (family === 4) return !NOT_PUBLIC_IPV4.check(address, 'ipv4');
  // An address with a zone is one of a network of this machine.
  if (family !== 6 || address.includes('%')) return false;
  for (const { range, bytesBefore } of HOLDING_IPV4) {
    if (!range.check(address, 'ipv6')) continue;
    const bytes = bytesOf(address).slice(bytesBefore, bytesBefore + 4);
    return isPublicAddress(bytes.join('.'));
  }
  return GLOBAL_IPV6.check(address, 'ipv6') && !NOT_PUBLIC_IPV6.check(address, 'ipv6');
}

/**
 * Why nobody may connect to a host, as far as its name tells: it is an address that is not public. Undefined for a
 * name, whose addresses are looked at when they are known.
 */
export function addressRefusal(hostname: string): Error | undefined {
  const address = hostname.replace(/^\[|\]$/g, '');
  return isIP(address) === 0 || isPublicAddress(address) ? undefined : new NotPublic(address);
}

/** Finds the addresses of a host like Node does, and leaves out those that are not public. */
export const lookupPublic: LookupFunction = (hostname, options, done) => {
  dns.lookup(hostname, { ...options, all: true }, (error, found) => {
    const addresses = error === null ? found.filter(({ address }) => isPublicAddress(address)) : [];
    const [first] = addresses;
    if (first === undefined) return done(error ?? new NotPublic(hostname), []);
    return options.all === true ? done(null, addresses) : done(null, first.address, first.family);
  });
};

/** Rejects if all addresses of a host are known, and none of them is public. A name that only a proxy knows is let through. */
export function untilFoundPublic(hostname: string): Promise<void> {
  return new Promise((resolve, reject) => {
    lookupPublic(hostname, { all: true }, (error) => {
      if (error instanceof NotPublic) reject(error);
      else resolve();
    });
  });
}

class NotPublic extends Error {
  override readonly name = 'NotPublic';
  readonly code = NOT_PUBLIC;

  constructor(host: string) {
    super(`${host} is no public address`);
  }
}

function blockList(family: 'ipv4' | 'ipv6', ranges: readonly (readonly [string, number])[]) {
  const list = new BlockList();
  for (const [network, bits] of ranges) list.addSubnet(network, bits, family);
  return list;
}

/** The 16 bytes of an IPv6 address, in whatever form it is written. */
function bytesOf(address: string): number[] {
  // The form of a URL has no IPv4 at its end.
  const [before = '', after = ''] = new URL(`http://[${address}]`).hostname
    .slice(1, -1)
    .split('::');
  const head = groupsOf(before);
  const tail = groupsOf(after);
  const zeros = Array.from({ length: 8 - head.length - tail.length }, () => '0');
  return [...head, ...zeros, ...tail].flatMap((group) => {
    const value = Number.parseInt(group, 16);
    return [value >> 8, value & 0xff];
  });
}

function groupsOf(part: string): string[] {
  return part === '' ? [] : part.split(':');
}
