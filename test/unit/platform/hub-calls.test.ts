/** Calls to a hub: how long they wait, and what ends them. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import { type AddressInfo, createServer as createTcpServer } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { workspaceId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import { HubCalls } from '../../../src/platform/hub-calls.ts';
import { silentLog } from '../../kit/log.ts';
import { fasterLimit } from '../../kit/faster-limit.ts';

function callsTo(url: string): HubCalls {
  const calls = new HubCalls({
    url,
    workspace: workspaceId('w'),
    token: () => new Secret('t'),
    orgId: undefined,
    proxies: { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined },
    log: silentLog,
  });
  onTestFinished(() => calls.close());
  return calls;
}

/** Takes every call; only those to `/sound` are answered. */
async function openHub() {
  const asked: string[] = [];
  const hub = createServer(({ url = '' }, response) => {
    asked.push(url);
    if (url === '/sound') response.end('{}');
  });
  hub.listen(0, '127.0.0.1');
  await once(hub, 'listening');
  onTestFinished(() => {
    hub.closeAllConnections();
    hub.close();
  });
  return { url: `http://127.0.0.1:${(hub.address() as AddressInfo).port}`, asked };
}

test('MOL-INB-01: a hub that takes a call and says nothing is given up after 10 s', async () => {
  const { url } = await openHub();
  const limits = fasterLimit(10_000);
  const calls = callsTo(url);
  const detail = 'no whole answer within 10 s';
  expect(await calls.call({ method: 'GET', path: '/' })).toMatchObject({
    kind: 'no_answer',
    detail,
  });
  expect(calls.trouble).toBe(detail);
  expect(limits.count).toBe(1);
});

describe('a call that its caller gives up', () => {
  test('says nothing about the hub', async () => {
    const { url, asked } = await openHub();
    const calls = callsTo(url);
    await calls.call({ method: 'GET', path: '/sound' });
    expect(calls.trouble).toBeUndefined();
    const over = new AbortController();
    const held = calls.call({ method: 'GET', path: '/held', signal: over.signal });
    await expect.poll(() => asked).toContain('/held');
    over.abort();
    expect(await held).toMatchObject({ kind: 'no_answer' });
    expect(calls.trouble).toBeUndefined();
  });

  test('ends at once, also while it waits for its connection', async () => {
    // It accepts, and never says its part of the handshake.
    const mute = createTcpServer(() => {});
    mute.listen(0, '127.0.0.1');
    await once(mute, 'listening');
    onTestFinished(() => void mute.close());
    const calls = callsTo(`https://127.0.0.1:${(mute.address() as AddressInfo).port}`);
    const over = new AbortController();
    const held = calls.call({ method: 'POST', path: '/', body: {}, signal: over.signal });
    await once(mute, 'connection');
    over.abort();
    // Not the end of the time for a connection.
    expect(await held).toMatchObject({
      kind: 'not_sent',
      detail: expect.stringContaining('aborted'),
    });
  });
});
