import type { Duplex } from 'node:stream';
import { describe, expect, onTestFinished, test } from 'vitest';
import { chatId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import type { Self } from '../../../src/lark/inbound/parsed.ts';
import { json, startServer } from '../../unit/lark/local-server.ts';
import { eventually, type Rig, startRig, withConnection, withGateway } from './rig.ts';
import { type Clock, systemClock } from '../../../src/time/clock.ts';

const CARD = {
  schema: '2.0',
  body: {
    elements: [
      {
        tag: 'button',
        text: { tag: 'plain_text', content: 'Yes' },
        behaviors: [{ type: 'callback', value: { choice: 'yes' } }],
      },
    ],
  },
};
const RECEIVE = 'im.message.receive_v1';

describe('events', () => {
  test('LCM-IN-01, LCM-IN-02: a direct message is admitted once and acked', async () => {
    const { lark, app, ann, connection, intake } = withConnection(await startRig());
    await connection.start();
    const said = lark.say({
      chat: lark.directChat(ann, app),
      from: ann,
      text: '  hello\n\tworld ',
    });
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[0]?.acked);
    expect(intake.events).toMatchObject([
      {
        kind: 'message',
        message: {
          messageId: said.messageId,
          chatType: 'p2p',
          senderOpenId: ann.openId,
          parts: [{ kind: 'text', text: '  hello\n\tworld ' }],
        },
      },
    ]);
    expect(lark.deliveries({ eventType: RECEIVE })).toMatchObject([{ tries: 1, ackCode: 200 }]);
    const seenAtMs = { 'im.message.receive_v1': connection.status().lastEventAtMs };
    expect(connection.counts()).toEqual({ admitted: 1, failed: 0, ignored: {}, seenAtMs });
  });

  test('LCM-IN-03: in a group only messages that mention the bot count', async () => {
    const { lark, app, ann, connection, intake } = withConnection(await startRig());
    const bob = lark.addUser({ name: 'Bob' });
    const group = lark.addGroup({ name: 'G', members: [ann, bob], apps: [app] });
    await connection.start();
    lark.say({ chat: group, from: ann, text: 'to nobody' });
    lark.say({ chat: group, from: ann, text: '{0} to Bob', mentions: [bob] });
    lark.say({ chat: group, from: ann, text: '{0} to all', mentions: ['all'] });
    lark.say({ chat: group, from: ann, text: '{0} ask {1}', mentions: [app, bob] });
    await eventually(() => intake.texts).toEqual(['ask @Bob']);
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE }).every(({ acked }) => acked));
    expect(intake.texts).toEqual(['ask @Bob']);
  });

  test('it is acked only after it is stored, and delivered again if it could not be', async () => {
    const { lark, app, ann, connection, intake, log } = withConnection(await startRig());
    await connection.start();
    let store!: () => void;
    intake.before = () => new Promise((resolve) => (store = resolve));
    lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'slow disk' });
    await eventually(() => connection.status().lastEventAtMs).toBeDefined();
    expect(lark.deliveries({ eventType: RECEIVE })).toMatchObject([{ acked: false }]);
    store();
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[0]?.acked);

    intake.before = () => Promise.reject(new Error('disk full'));
    lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'full disk' });
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[1]?.ackCode === 500);
    expect(connection.counts().failed).toBe(1);
    expect(log.lines).toContainEqual(expect.objectContaining({ event: 'lark_event_not_stored' }));
    intake.before = () => Promise.resolve();
    lark.redeliverNow();
    await eventually(() => intake.texts).toEqual(['slow disk', 'full disk']);
  });

  test('recalled messages and pressed buttons come too', async () => {
    const rig = await startRig();
    const { lark, app, ann, connection, intake } = withConnection(rig);
    await connection.start();
    const chat = lark.directChat(ann, app);
    const said = lark.say({ chat, from: ann, text: 'never mind' });
    lark.recall(said);
    await eventually(() => intake.events.map(({ kind }) => kind).toSorted()).toEqual([
      'message',
      'recalled',
    ]);

    const { gateway } = withGateway(rig);
    const card = JSON.stringify(CARD);
    const content = { kind: 'card', card } as const;
    const sent = await gateway.deliver(
      { kind: 'send', chatId: chatId(chat.chatId), content },
      'card',
      'answer',
    );
    if (!sent.ok) throw new Error(sent.detail);
    const outcome = await lark.pressButton({
      messageId: sent.id,
      from: ann,
      value: { choice: 'yes' },
    });
    expect(outcome).toMatchObject({ ok: true });
    expect(intake.events.at(-1)).toMatchObject({
      kind: 'button',
      messageId: sent.id,
      operatorOpenId: ann.openId,
      value: { choice: 'yes' },
    });
  });

  test('an edit comes to an app that Lark tells of it, and is acked', async () => {
    const { lark, app, ann, connection, intake } = withConnection(await startRig());
    app.subscriptions.add('im.message.updated_v1');
    await connection.start();
    const said = lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'one' });
    lark.edit(said, { text: 'two' });
    await lark.waitFor(() => lark.deliveries({ eventType: 'im.message.updated_v1' })[0]?.acked);
    await eventually(() => intake.events.map(({ kind }) => kind)).toEqual(['message', 'edited']);
    expect(intake.events[1]).toMatchObject({
      message: { messageId: said.messageId, parts: [{ kind: 'text', text: 'two' }] },
    });
  });

  test('an event that is not for the bot is acked and ignored', async () => {
    const { lark, app, ann, connection, intake } = withConnection(await startRig());
    await connection.start();
    const chat = lark.directChat(ann, app);
    const said = lark.say({ chat, from: ann, text: 'hi' });
    lark.react({ messageId: said, from: ann, emoji: 'OK' });
    await lark.waitFor(
      () => lark.deliveries().length >= 2 && lark.deliveries().every(({ acked }) => acked),
    );
    expect(intake.events).toHaveLength(1);
  });

  test.each(['event_repeat', 'event_duplicate', 'fragments_reorder', 'event_reorder'] as const)(
    '%s: every message arrives',
    async (kind) => {
      const { lark, app, ann, connection, intake } = withConnection(
        await startRig({ fragmentBytesMax: 200 }),
      );
      await connection.start();
      lark.faults.inject({ kind, eventType: RECEIVE });
      const chat = lark.directChat(ann, app);
      for (const text of ['一二三'.repeat(200), 'second']) lark.say({ chat, from: ann, text });
      await eventually(() => new Set(intake.texts)).toEqual(
        new Set(['一二三'.repeat(200), 'second']),
      );
    },
  );
});

test("while the bot's id is unknown, a mention gets no ack and is delivered again", async () => {
  const rig = await startRig();
  let self: Self = { ...rig.self, botOpenId: undefined };
  const { lark, app, ann, connection, intake } = withConnection(rig, { self: () => self });
  await connection.start();
  await lark.waitFor(() => lark.online(app) === 1);
  const group = lark.addGroup({ name: 'G', members: [ann], apps: [app] });
  lark.say({ chat: group, from: ann, text: '{0} hi', mentions: [app] });
  lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'direct' });
  await lark.waitFor(() => lark.deliveries().every(({ state }) => state !== 'sent'));
  expect(lark.deliveries().map(({ acked, ackCode }) => [acked, ackCode])).toEqual([
    [false, 500],
    [true, 200],
  ]);
  self = rig.self;
  lark.redeliverNow();
  await eventually(() => intake.texts).toEqual(['direct', 'hi']);
  expect(connection.counts()).toMatchObject({ admitted: 2, failed: 1 });
});

describe('reconnecting', () => {
  test.each([1000, 1001, 4000, undefined])('a kick (%s) is over at once', async (code) => {
    const { lark, app, connection, log } = withConnection(await startRig(), {
      timing: { reconnectBaseMs: 60_000, reconnectMaxMs: 60_000 },
    });
    await connection.start();
    await lark.waitFor(() => lark.online(app) === 1);
    lark.kick(code === undefined ? {} : { code });
    // The first try waits for nothing, or this would time out.
    await eventually(() => connection.status()).toMatchObject({
      state: 'connected',
      reconnects: 1,
    });
    await lark.waitFor(() => lark.online(app) === 1);
    const lost = log.lines.find(({ event }) => event === 'lark_disconnected');
    expect(lost).toMatchObject({ close_code: code ?? 1006 });
  });

  test('messages from the time without a link arrive later', async () => {
    const { lark, app, ann, connection, intake } = withConnection(await startRig());
    await connection.start();
    for (let round = 0; round < 5; round++) {
      lark.kick();
      lark.say({ chat: lark.directChat(ann, app), from: ann, text: `${round}` });
      await lark.waitFor(
        () => lark.online(app) === 1 && connection.status().reconnects === round + 1,
      );
      lark.redeliverNow();
      await eventually(() => intake.texts).toContain(`${round}`);
    }
  });

  test('a link that is closed right after the upgrade is replaced', async () => {
    const { lark, connection } = withConnection(await startRig());
    lark.faults.inject({ kind: 'kick_after_upgrade', times: 3 });
    await connection.start();
    await eventually(() => [
      lark.faults.counts().kick_after_upgrade,
      connection.status().state,
    ]).toEqual([3, 'connected']);
    await lark.waitFor(() => lark.cloud.connections.all().length === 1);
  });

  test('during an outage the start succeeds, and the connection comes up later by itself', async () => {
    const { lark, connection, log } = withConnection(await startRig({ callTimeoutMs: 100 }));
    lark.faults.inject({ kind: 'bootstrap_http', status: 500, times: 2 });
    lark.faults.inject({ kind: 'bootstrap_hang' });
    lark.faults.inject({ kind: 'handshake_refused', status: 403, times: 2 });
    await connection.start();
    expect(['waiting', 'connecting']).toContain(connection.status().state);
    expect(connection.status().lastError).toContain('timed out');
    await eventually(() => connection.status().state).toBe('connected');
    expect(connection.status()).toMatchObject({ reconnects: 0 });
    const failed = log.lines.filter(({ event }) => event === 'lark_connect_failed');
    expect(failed).toHaveLength(5);
    expect(failed.map(({ retry_in_ms: delayMs }) => delayMs)[0]).toBe(0);
    expect(failed.slice(1).every(({ retry_in_ms: delayMs }) => Number(delayMs) > 0)).toBe(true);
  });

  test('no server listens', async () => {
    const rig = await startRig();
    await rig.lark.stop();
    const { connection } = withConnection(rig);
    await connection.start();
    expect(connection.status().lastError).toContain('ECONNREFUSED');
  });

  test('delays double up to a bound, and start again after a good link', async () => {
    const delays: number[] = [];
    const clock = {
      ...systemClock,
      skewMs: 0,
      nowMs: () => Date.now() + clock.skewMs,
      after: (delayMs: number, run: () => void) => {
        delays.push(delayMs);
        return systemClock.after(0, run);
      },
    };
    const { lark, connection } = withConnection(await startRig(), {
      clock,
      timing: { reconnectBaseMs: 1_000, reconnectMaxMs: 8_000 },
    });
    lark.faults.inject({ kind: 'bootstrap_http', times: 6 });
    await connection.start();
    await eventually(() => connection.status().state).toBe('connected');
    expect(delays).toHaveLength(6);
    expect(delays[0]).toBe(0);
    for (const [at, full] of [1_000, 2_000, 4_000, 8_000, 8_000].entries()) {
      expect(delays[at + 1]).toBeGreaterThanOrEqual(full / 2);
      expect(delays[at + 1]).toBeLessThanOrEqual(full);
    }
    clock.skewMs = 61_000;
    lark.kick();
    await eventually(() => connection.status().reconnects).toBe(1);
    expect(delays.slice(6)).toEqual([0]);
  });

  test('restart opens a new link at once', async () => {
    const { lark, app, connection } = withConnection(await startRig(), {
      timing: { reconnectBaseMs: 60_000, reconnectMaxMs: 60_000 },
    });
    await connection.start();
    for (let round = 1; round <= 3; round++) {
      connection.restart();
      await eventually(() => connection.status()).toMatchObject({
        state: 'connected',
        reconnects: round,
      });
    }
    await lark.waitFor(() => lark.online(app) === 1);
  });
});

describe('refusals', () => {
  test.each<[number, string]>([
    [403, 'credentials_refused'],
    [514, 'credentials_refused'],
    [10003, 'credentials_refused'],
    [10014, 'credentials_refused'],
    [1000040344, 'credentials_refused'],
    [1000040350, 'already_running'],
    [1000040351, 'wrong_brand'],
  ])('%i is final, and the real code is told whatever data is', async (code, error) => {
    for (const data of ['object', 'null', 'absent'] as const) {
      const { lark, connection } = withConnection(await startRig());
      lark.faults.inject({ kind: 'bootstrap_refused', code, msg: 'the reason', data });
      await expect(connection.start()).rejects.toMatchObject({
        code: error,
        message: expect.stringContaining(`${code} the reason`),
        next: expect.any(String),
      });
      expect(connection.status()).toMatchObject({
        state: 'refused',
        lastError: expect.stringContaining(String(code)),
      });
      expect(lark.calls({ path: '/callback/ws/endpoint' })).toHaveLength(1);
    }
  });

  test.each([1, 1000040343, 1234567])('%i is tried again, whatever data is', async (code) => {
    const { lark, connection } = withConnection(await startRig());
    for (const data of ['object', 'null', 'absent'] as const) {
      lark.faults.inject({ kind: 'bootstrap_refused', code, msg: 'busy', data });
    }
    await connection.start();
    expect(connection.status().lastError).toContain(`${code} busy`);
    await eventually(() => connection.status().state).toBe('connected');
  });

  test('a wrong secret', async () => {
    const { connection } = withConnection(await startRig(), { appSecret: new Secret('wrong') });
    await expect(connection.start()).rejects.toMatchObject({ code: 'credentials_refused' });
  });

  const refuse = ({ lark }: Rig, code: number, times: number) =>
    lark.faults.inject({ kind: 'bootstrap_refused', code, msg: 'the reason', times });
  const refuseTokens = ({ lark }: Rig) =>
    lark.faults.inject({
      kind: 'business_error',
      code: 10014,
      msg: 'app secret invalid',
      path: '/tenant_access_token/',
      times: 1_000,
    });
  const asked = ({ lark }: Rig) => lark.calls({ path: '/callback/ws/endpoint' }).length;

  test.each([514, 403, 1000040350, 1000040351, 10014])(
    '%i on a reconnect is asked again, and says meanwhile why',
    async (code) => {
      const rig = withConnection(await startRig(), { timing: { refusedBaseMs: 10 } });
      const { connection, terminal, log } = rig;
      await connection.start();
      refuse(rig, code, 2);
      rig.lark.kick();
      await eventually(() => connection.status()).toMatchObject({
        state: 'waiting',
        refusedSinceMs: expect.any(Number),
        lastError: expect.stringContaining(`${code} the reason`),
      });
      await eventually(() => connection.status()).toMatchObject({
        state: 'connected',
        reconnects: 1,
        refusedSinceMs: undefined,
      });
      expect(terminal).toEqual([]);
      const lines = log.lines.filter(({ event }) => event === 'lark_connect_refused');
      expect(lines.map(({ level }) => level)).toEqual(['error', 'warn']);
      expect(lines[0]?.['next']).toEqual(expect.any(String));
    },
  );

  test('a refusal that lasts ends the connection only if Lark gives no token either', async () => {
    const rig = withConnection(await startRig());
    const { connection, terminal } = rig;
    await connection.start();
    refuse(rig, 514, 1_000);
    rig.lark.kick();
    const tokens = () => rig.lark.calls({ path: '/tenant_access_token/' }).length;
    // It has lasted: from here on each try asks for a token as well.
    await eventually(tokens).toBeGreaterThan(3);
    expect(terminal).toEqual([]);
    expect(connection.status().state).not.toBe('refused');
    refuseTokens(rig);
    await eventually(() => terminal).toMatchObject([{ code: 'credentials_refused' }]);
    expect(connection.status().state).toBe('refused');
    const askedBefore = asked(rig);
    rig.lark.faults.calm();
    connection.restart();
    await eventually(() => connection.status().state).toBe('connected');
    expect(asked(rig)).toBe(askedBefore + 1);
  });

  test('a short refusal does not end the connection, whatever the token endpoint says', async () => {
    const rig = withConnection(await startRig(), { timing: { refusedMsMax: 60_000 } });
    const { connection, terminal } = rig;
    await connection.start();
    refuseTokens(rig);
    refuse(rig, 514, 5);
    rig.lark.kick();
    await eventually(() => connection.status()).toMatchObject({
      state: 'connected',
      reconnects: 1,
    });
    expect(terminal).toEqual([]);
    expect(rig.lark.calls({ path: '/tenant_access_token/' })).toEqual([]);
  });

  test('the pauses grow up to a bound, and start again after a link', async () => {
    const delays: number[] = [];
    const clock: Clock = {
      nowMs: () => Date.now(),
      after: (delayMs, run) => {
        delays.push(delayMs);
        return systemClock.after(0, run);
      },
    };
    const timing = { refusedMsMax: 60_000, refusedBaseMs: 2_000, refusedMaxMs: 8_000 };
    const rig = withConnection(await startRig(), { clock, timing });
    const { connection } = rig;
    await connection.start();
    for (const reconnects of [1, 2]) {
      refuse(rig, 403, 4);
      rig.lark.kick();
      await eventually(() => connection.status()).toMatchObject({ state: 'connected', reconnects });
      const pauses = delays.splice(0).slice(-4);
      for (const [at, full] of [2_000, 4_000, 8_000, 8_000].entries()) {
        expect(pauses[at]).toBeGreaterThanOrEqual(full / 2);
        expect(pauses[at]).toBeLessThanOrEqual(full);
      }
    }
  });
});

describe('a stop', () => {
  test('an event that is being stored is stored and acked first', async () => {
    const { lark, app, ann, connection, intake } = withConnection(await startRig());
    await connection.start();
    let store!: () => void;
    intake.before = () => new Promise((resolve) => (store = resolve));
    lark.say({ chat: lark.directChat(ann, app), from: ann, text: 'last words' });
    await eventually(() => connection.status().lastEventAtMs).toBeDefined();
    const stopped = connection.stop();
    store();
    await stopped;
    expect(intake.texts).toEqual(['last words']);
    await lark.waitFor(() => lark.deliveries({ eventType: RECEIVE })[0]?.acked);
    await lark.waitFor(() => lark.cloud.connections.all().length === 0);
    expect(connection.status().state).toBe('stopped');
  });

  test.each(['handshake_hang', 'bootstrap_hang'] as const)(
    'in the middle of a %s',
    async (kind) => {
      const { lark, connection } = withConnection(await startRig({ callTimeoutMs: 60_000 }), {
        timing: { handshakeTimeoutMs: 60_000 },
      });
      lark.faults.inject({ kind });
      const started = connection.start();
      await lark.waitFor(() => lark.faults.counts()[kind] === 1);
      await connection.stop();
      expect(connection.status().state).toBe('stopped');
      if (kind === 'handshake_hang') await started;
    },
  );

  test('a handshake that still runs is ended', async () => {
    const rig = await startRig();
    const silent = await startServer((response) => {
      const URL = `${silent.url.replace('http', 'ws')}/?fpid=1&service_id=2`;
      json(response, { code: 0, msg: '', data: { URL, ClientConfig: { PingInterval: 120 } } });
    });
    onTestFinished(() => silent.stop());
    const upgrade = new Promise<Duplex>((resolve) => {
      silent.server.once('upgrade', (_request, socket) => resolve(socket));
    });
    const { connection } = withConnection(rig, { openBaseUrl: silent.url });
    const started = connection.start();
    const socket = await upgrade;
    onTestFinished(() => void socket.destroy());
    const ended = new Promise((resolve) => socket.on('end', resolve).on('error', resolve).resume());
    await connection.stop();
    await ended;
    await started;
  });

  test('can be followed by another start', async () => {
    const { lark, app, connection } = withConnection(await startRig());
    for (let round = 0; round < 3; round++) {
      await connection.start();
      await lark.waitFor(() => lark.online(app) === 1);
      await connection.stop();
      await lark.waitFor(() => lark.cloud.connections.all().length === 0);
    }
  });
});
