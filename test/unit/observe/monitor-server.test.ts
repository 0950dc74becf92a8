import { get } from 'node:http';
import { expect, test } from 'vitest';
import { MonitorServer } from '../../../src/observe/monitor-server.ts';
import { clockWithoutTimers } from '../../kit/clock.ts';
import { silentLog } from '../../kit/log.ts';

const names = ['monitor.example'];
const clock = clockWithoutTimers(() => 0);
const pages = {
  '/fine': { render: () => ({ status: 200, contentType: 'text/plain', body: 'fine' }) },
  '/broken': { render: () => Promise.reject(new Error('the inner secret')) },
};

test.each([
  ['127.0.0.1:0', /^http:\/\/127\.0\.0\.1:\d+$/],
  ['localhost:0', /^http:\/\/localhost:\d+$/],
  ['0.0.0.0:0', /^http:\/\/127\.0\.0\.1:\d+$/],
])('at %s it says how this machine reaches it', async (address, url) => {
  const server = new MonitorServer({ address, names, pages, clock, log: silentLog });
  await server.start();
  expect(server.url).toMatch(url);
  expect(await (await fetch(`${server.url}/fine?x=1`)).text()).toBe('fine');
  await server.stop();
});

test('a page that breaks is answered with 500 and no word of its cause, which is in the log', async () => {
  const errors: unknown[] = [];
  const keeping = { ...silentLog, error: (...line: unknown[]) => void errors.push(line) };
  const server = new MonitorServer({ address: '127.0.0.1:0', names, pages, clock, log: keeping });
  await server.start();
  const answer = await fetch(`${server.url}/broken`);
  expect([answer.status, await answer.text()]).toEqual([500, 'internal error\n']);
  expect(errors).toEqual([['monitor_page_failed', { path: '/broken', error: 'the inner secret' }]]);
  await server.stop();
});

test('an address that is none of this machine is an error with a way out', async () => {
  const server = new MonitorServer({ address: '192.0.2.1:0', names, pages, clock, log: silentLog });
  await expect(server.start()).rejects.toMatchObject({
    code: 'config_invalid',
    next: expect.stringContaining('LARK_BRIDGE_HEALTH_ADDRESS') as string,
  });
});

test.each([
  ['evil.example:9464', 421],
  ['monitor.example', 200],
  ['[::1]:9464', 200],
])('F23: called by the name %s it answers %i', async (name, status) => {
  const server = new MonitorServer({ address: 'localhost:0', names, pages, clock, log: silentLog });
  await server.start();
  const told = await new Promise((resolve, reject) => {
    get(`${server.url}/fine`, { headers: { host: name } }, (response) => {
      response.resume();
      resolve(response.statusCode);
    }).on('error', reject);
  });
  await server.stop();
  expect(told).toBe(status);
});

test('F22: each page takes 20 requests a second of one caller', async () => {
  const server = new MonitorServer({ address: '127.0.0.1:0', names, pages, clock, log: silentLog });
  await server.start();
  const statuses = [];
  for (let call = 0; call < 21; call += 1) {
    statuses.push((await fetch(`${server.url}/fine?n=${call}`)).status);
  }
  expect(statuses).toEqual([...Array.from({ length: 20 }, () => 200), 429]);
  expect((await fetch(`${server.url}/broken`)).status).toBe(500);
  await server.stop();
});

test.each([
  ['http://evil.example', 403],
  ['null', 403],
  ['http://localhost:1', 403],
  ['http://monitor.example', 200],
  ['https://allowed.example', 200],
])('F23: asked by a web page of %s it answers %i', async (origin, status) => {
  const server = new MonitorServer({
    address: 'localhost:0',
    names,
    corsOrigin: 'https://allowed.example',
    pages,
    clock,
    log: silentLog,
  });
  await server.start();
  const answer = await fetch(`${server.url}/fine`, { headers: { origin } });
  await server.stop();
  expect(answer.status).toBe(status);
});
