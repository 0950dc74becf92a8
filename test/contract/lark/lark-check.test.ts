/** What `doctor` learns of Lark, against the simulator and against networks that are not as they should be. */
import { createServer } from 'node:https';
import { createServer as createProxy } from 'node:http';
import { connect, type AddressInfo, type Server } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { appId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import { APP_NEEDS, CALLBACK_NEEDS, EDIT_EVENT, EVENT_NEEDS } from '../../../src/lark/app-needs.ts';
import { type LarkCheckOptions, checkLark } from '../../../src/lark/connect/lark-check.ts';
import { consentLinks } from '../../../src/lark/connect/consent-link.ts';
import type { EventNeed, ScopeNeed } from '../../../src/lark/facts.ts';
import { EVENT_PARSERS } from '../../../src/lark/inbound/parse.ts';
import { appPlanOf } from '../../../src/sim/accounts/app-plan.ts';
import { SCOPE_SELF_MANAGE } from '../../../src/sim/world/scopes.ts';
import { createCertificate } from '../../kit/certificate.ts';
import { type Rig, startRig } from './rig.ts';
import { systemClock } from '../../../src/time/clock.ts';

function check({ lark, app }: Rig, changes: Partial<LarkCheckOptions> & { secret?: string } = {}) {
  const { secret = app.appSecret, ...rest } = changes;
  return checkLark({
    brand: 'feishu',
    openBaseUrl: lark.openBaseUrl,
    accountsBaseUrl: lark.accountsBaseUrl,
    credentials: { appId: appId(app.appId), appSecret: new Secret(secret) },
    proxy: {},
    clock: systemClock,
    ...rest,
  });
}

async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  return (server.address() as AddressInfo).port;
}

describe('a bot that works', () => {
  test('gives reachable hosts, the clock, a token, the bot and its connections', async () => {
    const rig = await startRig();
    const { reaches, app } = await check(rig);
    expect(reaches.map(({ name, outcome }) => [name, outcome.kind])).toEqual([
      ['open', 'reached'],
      ['accounts', 'reached'],
      ['socket', 'reached'],
    ]);
    const [open] = reaches;
    const clocks = open?.outcome.kind === 'reached' ? open.outcome.clocks : undefined;
    expect(Math.abs((clocks?.hereMs ?? 0) - (clocks?.thereMs ?? 1e12))).toBeLessThan(30_000);
    expect(app).toMatchObject({
      token: { kind: 'ok' },
      tokenElsewhere: undefined,
      endpoint: { kind: 'offered' },
      bot: { kind: 'ok', value: { openId: rig.app.botOpenId, name: 'Bridge', active: true } },
      connections: { kind: 'ok', value: 0 },
    });
  });

  test('is checked without a connection, so the daemon still gets its events', async () => {
    const rig = await startRig();
    await check(rig);
    expect(rig.lark.online(rig.app)).toBe(0);
    expect(rig.lark.calls({ path: '/callback/ws/endpoint' })).toHaveLength(1);
  });

  test('is described without a secret or a token', async () => {
    const rig = await startRig();
    const facts = JSON.stringify(await check(rig));
    expect(facts).not.toContain(rig.app.appSecret);
    expect(facts).not.toContain(rig.lark.cloud.tokens.issue(rig.app).token);
    expect(facts).not.toContain('ticket');
  });
});

describe('the app’s own entry in the console', () => {
  test('can be read only with a permission', async () => {
    const { app } = await check(await startRig());
    expect(app?.console).toMatchObject({
      kind: 'refused',
      reason: 'permission_missing',
    });
  });

  test('shows permissions, the events of the published version, and callbacks', async () => {
    const rig = await startRig();
    rig.app.scopes.add(SCOPE_SELF_MANAGE);
    rig.app.subscriptions.delete(EVENT_NEEDS.recall.name);
    const { app } = await check(rig);
    const told = app?.console?.kind === 'ok' ? app.console.value : undefined;
    expect(told?.scopes).toEqual([...rig.app.scopes]);
    expect(told?.events).toContain(EVENT_NEEDS.message.name);
    expect(told?.events).not.toContain(EVENT_NEEDS.recall.name);
    expect(told?.callbacks).toEqual([CALLBACK_NEEDS.button.name]);
    expect(told?.callbacksElsewhere).toBe(false);
  });

  test('`connect` asks for what is of use at first, and for nothing else', () => {
    const serverUrl = new URL('http://x.example/page/launcher');
    const links = consentLinks({ serverUrl, userCode: 'x', pageUrl: undefined });
    const plan = appPlanOf(new URL(links.url).searchParams);
    const scopes = APP_NEEDS.scopes.filter(({ asked }) => asked);
    const isServed = (granted: readonly string[]) => (need: ScopeNeed) =>
      need.anyOf.some((name) => granted.includes(name));
    const granted = [...(plan.scopes ?? [])];
    expect(scopes.filter((need) => !isServed(granted)(need))).toEqual([]);
    const spare = granted.filter((name) =>
      scopes.every(isServed(granted.filter((other) => other !== name))),
    );
    expect(spare).toEqual([]);
    const needs = [...APP_NEEDS.events, ...APP_NEEDS.callbacks];
    const namesOf = (some: readonly EventNeed[]) => some.map(({ name }) => name).toSorted();
    expect(plan.subscriptions?.toSorted()).toEqual(namesOf(needs.filter(({ asked }) => asked)));
    // What is checked and what is taken up are the same. An edit is taken if it comes, but Lark documents no way to
    // ask for it.
    expect(Object.keys(EVENT_PARSERS).toSorted()).toEqual(
      [...namesOf(needs), EDIT_EVENT].toSorted(),
    );
  });
});

describe('what is refused', () => {
  test('a wrong secret; the other cloud is not asked if the address was set', async () => {
    const { app } = await check(await startRig(), { secret: 'wrong' });
    expect(app).toEqual({
      token: expect.objectContaining({
        kind: 'refused',
        detail: expect.stringContaining('10014') as string,
        credentials: true,
      }) as object,
      tokenElsewhere: undefined,
      endpoint: expect.objectContaining({ error: 'credentials_refused' }) as object,
      bot: undefined,
      connections: undefined,
      console: undefined,
    });
  });

  test('the wrong cloud, although both give tokens', async () => {
    const rig = await startRig();
    rig.lark.faults.inject({ kind: 'bootstrap_refused', code: 1000040351, msg: 'domain' });
    const { app } = await check(rig);
    expect(app?.endpoint).toMatchObject({ kind: 'refused', error: 'wrong_brand' });
    expect(app?.token.kind).toBe('ok');
  });

  test('a bot that is switched off', async () => {
    const rig = await startRig();
    rig.app.botEnabled = false;
    expect((await check(rig)).app?.bot).toMatchObject({
      kind: 'refused',
      reason: 'bot_switched_off',
    });
  });

  test('an answer from something else than Lark does not count as an answer of Lark', async () => {
    const rig = await startRig();
    rig.lark.faults.inject({ kind: 'html_502', path: '/tenant_access_token' });
    expect((await check(rig)).app?.token.kind).toBe('silent');
  });
});

describe('the network', () => {
  const failures = (facts: Awaited<ReturnType<typeof checkLark>>) =>
    facts.reaches.map(({ outcome }) => (outcome.kind === 'failed' ? outcome.code : 'reached'));

  test('the hosts are checked without app id and secret too', async () => {
    const { reaches, app } = await check(await startRig(), { credentials: undefined });
    expect([reaches.length, app]).toEqual([2, undefined]);
  });

  test('a port that nothing listens on', async () => {
    const rig = await startRig();
    await rig.lark.stop();
    expect(failures(await check(rig))).toEqual(['ECONNREFUSED', 'ECONNREFUSED']);
  });

  test('a host name that does not exist', async () => {
    const openBaseUrl = 'http://nobody.invalid';
    expect(failures(await check(await startRig(), { openBaseUrl }))[0]).toMatch(/^E/);
  });

  test('a certificate that nobody has signed, and one of another host', async () => {
    const { certPem: cert, keyPem: key } = createCertificate('localhost');
    const port = await listen(createServer({ cert, key }));
    const facts = await check(await startRig(), {
      openBaseUrl: `https://localhost:${port}`,
      accountsBaseUrl: `https://127.0.0.1:${port}`,
    });
    expect(failures(facts)[0]).toMatch(/SELF_SIGNED/);
    expect(failures(facts)[1]).toMatch(/CERT/);
  });

  test('the proxy on the way is named without its password', async () => {
    const rig = await startRig();
    const proxy = createProxy();
    proxy.on('connect', (request, socket) => {
      const [host, port] = (request.url ?? '').split(':');
      const to = connect(Number(port), host, () => {
        socket.write('HTTP/1.1 200 OK\r\n\r\n');
        to.pipe(socket).pipe(to);
      });
      onTestFinished(() => void to.destroy());
    });
    const address = `127.0.0.1:${await listen(proxy)}`;
    const facts = await check(rig, { proxy: { httpProxy: `http://me:geheim@${address}` } });
    expect(facts.reaches[0]).toMatchObject({
      proxy: `http://${address}`,
      outcome: { kind: 'reached' },
    });
    expect(JSON.stringify(facts)).not.toContain('geheim');
  });
});
