/** `lark-bridge webhooks`, with a receiver on this machine. */
import { createHmac } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { temporaryFolder } from '../../kit/folder.ts';
import { runProgram } from './program.ts';

let home: string;
let server: Server;
let url: string;
let status: number;
let got: { readonly headers: IncomingHttpHeaders; readonly body: string }[];

beforeEach(async () => {
  home = temporaryFolder();
  [status, got] = [204, []];
  server = createServer((request, response) => {
    let body = '';
    request.on('data', (chunk: Buffer) => (body += chunk.toString()));
    request.on('end', () => {
      got.push({ headers: request.headers, body });
      response.writeHead(status, { location: 'http://127.0.0.1:1/' }).end();
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/path?token=hidden`;
});

afterEach(() => {
  server.closeAllConnections();
  server.close();
});

const webhooks = (...words: string[]) =>
  runProgram(['webhooks', ...words], { HOME: home, NO_PROXY: '*' });
const added = async (...more: string[]) => {
  const { stdout } = await webhooks('add', url, '--private', '--json', ...more);
  return JSON.parse(stdout) as { readonly id: string; readonly secret: string };
};

describe('CG-OUT-13: `webhooks add`', () => {
  test('shows the secret once, and keeps it out of the database', async () => {
    const { id, secret } = await added();
    expect(secret).toMatch(/^whsec_[\w-]{43}$/);
    const { stdout } = await webhooks('list');
    expect(stdout).toContain(id);
    expect(stdout).not.toMatch(/whsec_|hidden/);
    const folder = join(home, '.lark-bridge');
    expect(readFileSync(join(folder, 'bridge.db'), 'latin1')).not.toContain(secret);
    expect(statSync(join(folder, 'webhook-secret')).mode & 0o777).toBe(0o600);
  });

  test.each([
    ['ftp://a.example/', 'begins with https:// or http://'],
    ['nothing', 'begins with https:// or http://'],
    ['https://me:word@a.example/', 'no name and no password'],
    ['http://127.0.0.1:9/', 'is an address of this machine or its network'],
    ['http://localhost:9/', 'is an address of this machine or its network'],
    ['http://[::ffff:10.0.0.1]/', 'is an address of this machine or its network'],
    ['http://169.254.169.254/latest', 'is an address of this machine or its network'],
  ])('refuses %s in words', async (address, why) => {
    const { code, stderr } = await webhooks('add', address);
    expect(code).toBe(2);
    expect(stderr).toContain(why);
  });

  test('refuses an event that it does not know, and an address that is there already', async () => {
    const { stderr } = await webhooks('add', 'https://a.example/', '--events', 'turns,all');
    expect(stderr).toContain('--events does not know all');
    const { id } = await added();
    const again = await webhooks('add', url, '--private');
    expect(again).toMatchObject({ code: 1 });
    expect(again.stderr).toContain(`the webhook ${id} has this address already`);
  });
});

test('a call is signed with the secret, over the time and the body', async () => {
  const { id, secret } = await added();
  expect(await webhooks('test', id)).toMatchObject({ code: 0 });
  const [{ headers, body } = { headers: {}, body: '' }] = got;
  const [, at = '', signature] =
    /^t=(\d+),v1=([0-9a-f]{64})$/.exec(String(headers['x-lark-bridge-signature'])) ?? [];
  expect(signature).toBe(createHmac('sha256', secret).update(`${at}.${body}`).digest('hex'));
  expect(JSON.parse(body)).toMatchObject({ event: 'test', source: 'lark-bridge' });
  expect(headers['x-lark-bridge-id']).toBe((JSON.parse(body) as { id: string }).id);
});

test.each([500, 302, 410])('a receiver that answers %i has not taken it', async (answer) => {
  const { id } = await added();
  status = answer;
  const { code, stderr } = await webhooks('test', id);
  expect(code).toBe(1);
  expect(stderr).toContain(`HTTP ${answer}`);
  expect(got).toHaveLength(1);
});

test('what is removed is gone', async () => {
  const { id } = await added();
  expect(await webhooks('remove', id)).toMatchObject({ code: 0 });
  expect((await webhooks('list')).stdout).toContain('There are no webhooks.');
  const again = await webhooks('remove', id);
  expect(again).toMatchObject({ code: 1 });
  expect(again.stderr).toContain('there is no webhook');
});
