/** Calls to a hub: how long they wait. */
import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, onTestFinished, test, vi } from 'vitest';
import { workspaceId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import { HubCalls } from '../../../src/platform/hub-calls.ts';
import { silentLog } from '../../kit/log.ts';

/** So many times as fast is the time after which a call is given up. */
const SPEED = 50;

test('MOL-INB-01: a hub that takes a call and says nothing is given up after 10 s', async () => {
  const hub = createServer(() => {});
  hub.listen(0, '127.0.0.1');
  await once(hub, 'listening');
  const timeout = AbortSignal.timeout.bind(AbortSignal);
  vi.spyOn(AbortSignal, 'timeout').mockImplementation((ms) => timeout(ms / SPEED));
  const calls = new HubCalls({
    url: `http://127.0.0.1:${(hub.address() as AddressInfo).port}`,
    workspace: workspaceId('w'),
    token: () => new Secret('t'),
    orgId: undefined,
    proxies: { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined },
    log: silentLog,
  });
  onTestFinished(async () => {
    vi.restoreAllMocks();
    await calls.close();
    hub.closeAllConnections();
    hub.close();
  });
  expect(await calls.call({ method: 'GET', path: '/' })).toMatchObject({
    kind: 'no_answer',
    detail: 'no whole answer within 10 s',
  });
});
