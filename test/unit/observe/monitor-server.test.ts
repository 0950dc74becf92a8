import { expect, test } from 'vitest';
import { MonitorServer } from '../../../src/observe/monitor-server.ts';
import { silentLog } from '../../kit/log.ts';

const pages = {
  '/fine': { render: () => ({ status: 200, contentType: 'text/plain', body: 'fine' }) },
  '/broken': { render: () => Promise.reject(new Error('the inner secret')) },
};

test.each([
  ['127.0.0.1:0', /^http:\/\/127\.0\.0\.1:\d+$/],
  ['localhost:0', /^http:\/\/localhost:\d+$/],
  ['0.0.0.0:0', /^http:\/\/127\.0\.0\.1:\d+$/],
])('at %s it says how this machine reaches it', async (address, url) => {
  const server = new MonitorServer({ address, pages, log: silentLog });
  await server.start();
  expect(server.url).toMatch(url);
  expect(await (await fetch(`${server.url}/fine?x=1`)).text()).toBe('fine');
  await server.stop();
});

test('a page that breaks is answered with 500 and no word of its cause, which is in the log', async () => {
  const errors: unknown[] = [];
  const keeping = { ...silentLog, error: (...line: unknown[]) => void errors.push(line) };
  const server = new MonitorServer({ address: '127.0.0.1:0', pages, log: keeping });
  await server.start();
  const answer = await fetch(`${server.url}/broken`);
  expect([answer.status, await answer.text()]).toEqual([500, 'internal error\n']);
  expect(errors).toEqual([['monitor_page_failed', { path: '/broken', error: 'the inner secret' }]]);
  await server.stop();
});

test('an address that is none of this machine is an error with a way out', async () => {
  const server = new MonitorServer({ address: '192.0.2.1:0', pages, log: silentLog });
  await expect(server.start()).rejects.toMatchObject({
    code: 'config_invalid',
    next: expect.stringContaining('LARK_BRIDGE_HEALTH_ADDRESS') as string,
  });
});
