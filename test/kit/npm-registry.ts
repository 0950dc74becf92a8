/** A registry for npm on this machine, with packages that a test makes up. */
import { createHash } from 'node:crypto';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { onTestFinished } from 'vitest';

interface FakePackage {
  readonly name: string;
  readonly version: string;
  /** Besides name and version. */
  readonly manifest?: Readonly<Record<string, unknown>>;
  /** By their paths in the package; each may be executed. */
  readonly files: Readonly<Record<string, string>>;
}

/** What npm gets as its environment, so that it asks this registry and leaves no cache. */
export interface FakeRegistry {
  readonly url: string;
  readonly env: Readonly<Record<string, string>>;
  /** Paths that were asked for. */
  readonly asked: readonly string[];
}

export async function startRegistry(
  cache: string,
  packages: readonly FakePackage[],
): Promise<FakeRegistry> {
  const tarballs = new Map(packages.map((one) => [`/${one.name}.tgz`, tarballOf(one)]));
  const asked: string[] = [];
  const server = createServer((request, response) => {
    const path = decodeURIComponent(request.url ?? '');
    asked.push(path);
    const tarball = tarballs.get(path);
    const found = packages.find(({ name }) => path === `/${name}`);
    if (tarball !== undefined) response.end(tarball);
    else if (found !== undefined) response.end(JSON.stringify(documentOf(found, url, tarballs)));
    else response.writeHead(404).end('{"error":"not found"}');
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const env = {
    npm_config_registry: url,
    npm_config_cache: cache,
    npm_config_userconfig: '/dev/null',
    npm_config_fetch_retries: '0',
    npm_config_update_notifier: 'false',
  };
  return { url, env, asked };
}

function documentOf(
  { name, version, manifest }: FakePackage,
  url: string,
  tarballs: ReadonlyMap<string, Buffer>,
) {
  const path = `/${name}.tgz`;
  const integrity = `sha512-${createHash('sha512')
    .update(tarballs.get(path) ?? '')
    .digest('base64')}`;
  const dist = { tarball: `${url}${path}`, integrity };
  return {
    name,
    'dist-tags': { latest: version },
    versions: { [version]: { name, version, ...manifest, dist } },
  };
}

function tarballOf({ name, version, manifest, files }: FakePackage): Buffer {
  const all = { 'package.json': JSON.stringify({ name, version, ...manifest }), ...files };
  const entries = Object.entries(all).map(([path, text]) => tarEntry(`package/${path}`, text));
  return gzipSync(Buffer.concat([...entries, Buffer.alloc(1024)]));
}

/** One file of the format that `tar` calls ustar. */
function tarEntry(path: string, text: string): Buffer {
  const body = Buffer.from(text);
  const header = Buffer.alloc(512);
  header.write(path, 0);
  header.write('0000755\0', 100);
  header.write('0000000\0', 108);
  header.write('0000000\0', 116);
  header.write(`${body.length.toString(8).padStart(11, '0')}\0`, 124);
  header.write('00000000000\0', 136);
  header.write('        ', 148);
  header.write('0', 156);
  header.write('ustar\0', 257);
  header.write('00', 263);
  const sum = header.reduce((total, byte) => total + byte, 0);
  header.write(`${sum.toString(8).padStart(6, '0')}\0 `, 148);
  return Buffer.concat([header, body, Buffer.alloc((512 - (body.length % 512)) % 512)]);
}
