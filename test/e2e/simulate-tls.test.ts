/** `simulate --tls` as a client meets it that trusts nothing but the certificate that it was given. */
import { spawn } from 'node:child_process';
import { readFileSync, rmSync, mkdtempSync } from 'node:fs';
import { request } from 'node:https';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';

const BIN = join(import.meta.dirname, '../../bin/lark-bridge.js');

interface Ready {
  readonly open_base_url: string;
  readonly ca_file: string;
}

async function simulate(...words: string[]): Promise<Ready> {
  const child = spawn(process.execPath, [BIN, 'simulate', '--json', ...words]);
  onTestFinished(() => void child.kill('SIGTERM'));
  let said = '';
  child.stdout.on('data', (chunk) => (said += String(chunk)));
  await expect.poll(() => said).toContain('"ready"');
  const line = said.split('\n').find((one) => one.includes('"ready"')) ?? '';
  return JSON.parse(line) as Ready;
}

test('a client that trusts its certificate gets https and wss addresses, also under a name of Lark', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'lark-tls-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const file = join(folder, 'ca.pem');
  const host = 'open.lark.example';
  const ready = await simulate('--tls', '--tls-hosts', host, '--ca-file', file);
  expect(ready.ca_file).toBe(file);
  const base = new URL(ready.open_base_url);
  expect(base.protocol).toBe('https:');
  const ca = readFileSync(file, 'utf8');
  expect(ca).not.toContain('PRIVATE KEY');
  const body = await new Promise<string>((resolve, reject) => {
    const call = request({
      host: '127.0.0.1',
      port: base.port,
      servername: host,
      ca,
      method: 'POST',
      path: '/callback/ws/endpoint',
      headers: { host, 'content-type': 'application/json' },
    });
    call.once('error', reject);
    call.once('response', (response) => {
      let text = '';
      response.on('data', (chunk) => (text += String(chunk)));
      response.once('end', () => resolve(text));
    });
    call.end(JSON.stringify({ AppID: 'cli_0000000000000000', AppSecret: 'wrong' }));
  });
  // It came over TLS with a certificate for this name; who asks is not known here.
  expect(JSON.parse(body)).toMatchObject({ code: expect.any(Number) });
});
