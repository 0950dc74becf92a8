import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { HttpClient } from '../../../src/net/http.ts';
import type { ProxySettings } from '../../../src/net/proxy.ts';
import { isPublicAddress, NOT_PUBLIC } from '../../../src/net/public-addresses.ts';
import { openProxy } from '../../kit/proxy.ts';
import { seeded } from '../../sim/random.ts';

const SEED = Number(process.env['SEED'] ?? 1);
const TRIES = 2_000;

/** The first and the last address of each range, and what lies just outside of it and is public. */
const RANGES: readonly {
  readonly from: string;
  readonly to: string;
  readonly outside?: readonly string[];
}[] = [
  { from: '0.0.0.0', to: '0.255.255.255', outside: ['1.0.0.0'] },
  { from: '10.0.0.0', to: '10.255.255.255', outside: ['9.255.255.255', '11.0.0.0'] },
  { from: '100.64.0.0', to: '100.127.255.255', outside: ['100.63.255.255', '100.128.0.0'] },
  { from: '127.0.0.0', to: '127.255.255.255', outside: ['126.255.255.255', '128.0.0.0'] },
  { from: '169.254.0.0', to: '169.254.255.255', outside: ['169.253.255.255', '169.255.0.0'] },
  { from: '172.16.0.0', to: '172.31.255.255', outside: ['172.15.255.255', '172.32.0.0'] },
  { from: '192.0.0.0', to: '192.0.0.255', outside: ['191.255.255.255', '192.0.1.0'] },
  { from: '192.168.0.0', to: '192.168.255.255', outside: ['192.167.255.255', '192.169.0.0'] },
  { from: '198.18.0.0', to: '198.19.255.255', outside: ['198.17.255.255', '198.20.0.0'] },
  { from: '224.0.0.0', to: '255.255.255.255', outside: ['223.255.255.255'] },
];

const numberOf = (address: string) =>
  address.split('.').reduce((value, part) => value * 256 + Number(part), 0);
const addressOf = (value: number) =>
  [24, 16, 8, 0].map((bits) => Math.floor(value / 2 ** bits) % 256).join('.');
const hexOf = (address: string) => {
  const hex = numberOf(address).toString(16).padStart(8, '0');
  return `${hex.slice(0, 4)}:${hex.slice(4)}`;
};

/** The ways in which IPv6 writes an IPv4 address. */
const FORMS: readonly ((address: string) => string)[] = [
  (address) => `::ffff:${address}`,
  (address) => `::FFFF:${hexOf(address).toUpperCase()}`,
  (address) => `0:0:0:0:0:ffff:${hexOf(address)}`,
  (address) => `64:ff9b::${address}`,
  (address) => `2002:${hexOf(address)}::1`,
];

describe('public addresses', () => {
  test.each(RANGES)(
    '$from to $to are not public, in no form, and what is beside them is',
    (range) => {
      const { from, to, outside = [] } = range;
      const random = seeded(SEED);
      const size = numberOf(to) - numberOf(from);
      const inside = Array.from({ length: 200 }, () =>
        addressOf(numberOf(from) + Math.round(random() * size)),
      );
      for (const address of [from, to, ...inside]) {
        const forms = [address, ...FORMS.map((form) => form(address))];
        expect(forms.filter(isPublicAddress)).toEqual([]);
      }
      for (const address of outside) {
        const forms = [address, ...FORMS.map((form) => form(address))];
        expect(forms.filter((form) => !isPublicAddress(form))).toEqual([]);
      }
    },
  );

  test(`an address is judged alike in every form (SEED=${SEED})`, () => {
    const random = seeded(SEED);
    for (let at = 0; at < TRIES; at++) {
      const address = addressOf(Math.floor(random() * 2 ** 32));
      const verdicts = [address, ...FORMS.map((form) => form(address))].map(isPublicAddress);
      expect([address, new Set(verdicts).size]).toEqual([address, 1]);
    }
  });

  test.each([
    ['the unspecified one', '::'],
    ['loopback', '::1'],
    ['loopback, in full', '0000:0000:0000:0000:0000:0000:0000:0001'],
    ['link-local', 'fe80::1'],
    ['link-local with a zone', 'fe80::1%eth0'],
    ['of a network of its own', 'fd12:3456::1'],
    ["the metadata service of Amazon's machines", 'fd00:ec2::254'],
    ["the metadata service of Alibaba's machines", '100.100.100.200'],
    ["the configuration of Azure's machines", '168.63.129.16'],
    ['site-local', 'fec0::1'],
    ['multicast', 'ff02::1'],
    ['for documents', '2001:db8::1'],
    ['Teredo', '2001:0:4136:e378:8000:63bf:3fff:fdd2'],
    ['IPv4 in the old form', '::127.0.0.1'],
    ['no address', 'localhost'],
    ['nothing', ''],
  ])('%s is not public', (_what, address) => {
    expect(isPublicAddress(address)).toBe(false);
  });

  test.each(['8.8.8.8', '2606:4700:4700::1111', '2a00:1450:4001::200e', '240e::1'])(
    '%s is public',
    (address) => {
      expect(isPublicAddress(address)).toBe(true);
    },
  );
});

describe('a client for public addresses', () => {
  async function server() {
    let requests = 0;
    const http = createServer((_request, response) => {
      requests += 1;
      response.end('{}');
    });
    await new Promise<void>((resolve) => http.listen(0, resolve));
    onTestFinished(() => {
      http.closeAllConnections();
      http.close();
    });
    return { port: (http.address() as AddressInfo).port, requests: () => requests };
  }

  function client(proxies: ProxySettings = {}) {
    const http = new HttpClient({
      proxies,
      connectTimeoutMs: 5_000,
      answerBytesMax: 1_000,
      publicOnly: true,
    });
    onTestFinished(() => http.close());
    return http;
  }

  test.each([
    'localhost',
    '127.0.0.1',
    '[::1]',
    '[::ffff:127.0.0.1]',
    // What Node's own parser makes 127.0.0.1 of.
    '2130706433',
    '0x7f.1',
    // A name is looked up when it connects: what it led to before does not count.
    'LOCALHOST',
  ])('sends nothing to %s', async (host) => {
    const { port, requests } = await server();
    const call = { method: 'GET', url: `http://${host}:${port}/`, timeoutMs: 5_000 } as const;
    expect(await client().call(call)).toMatchObject({ kind: 'not_sent', code: NOT_PUBLIC });
    expect(await client().open(call, () => true)).toMatchObject({
      kind: 'not_sent',
      code: NOT_PUBLIC,
    });
    expect(requests()).toBe(0);
  });

  test('sends nothing to such a name through a proxy either, and lets names through that only the proxy knows', async () => {
    const { port } = await server();
    const proxy = await openProxy({ 'agent.invalid:80': port, [`localhost:${port}`]: port });
    const http = client({ httpProxy: proxy.url });
    const to = (url: string) => http.call({ method: 'GET', url, timeoutMs: 5_000 });
    expect(await to(`http://localhost:${port}/`)).toMatchObject({ code: NOT_PUBLIC });
    expect(await to(`http://10.0.0.1:${port}/`)).toMatchObject({ code: NOT_PUBLIC });
    expect(proxy.asked).toEqual([]);
    expect(await to('http://agent.invalid/')).toMatchObject({ kind: 'answer', status: 200 });
  });
});
