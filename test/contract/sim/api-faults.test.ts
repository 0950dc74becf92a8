import type { Client } from '@larksuiteoapi/node-sdk';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import type { SimApp, SimChat } from '../../../src/sim/world/model.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import { codeOf, createClient } from './sdk-client.ts';

let lark: LarkCloud;
let app: SimApp;
let chat: SimChat;
let client: Client;

beforeEach(async () => {
  lark = await startLarkCloud();
  app = lark.addApp();
  chat = lark.directChat(lark.addUser({ name: 'Ada' }), app);
  client = createClient(lark, app);
});

afterEach(() => lark.stop());

/** Axios's error, as the SDK throws it. */
interface Thrown {
  readonly code?: string;
  readonly response?: {
    readonly status: number;
    readonly data: unknown;
    readonly headers: Record<string, string>;
  };
}

function send(uuid = 'u1') {
  return client.im.v1.message.create({
    params: { receive_id_type: 'chat_id' },
    data: { receive_id: chat.chatId, msg_type: 'text', content: '{"text":"hi"}', uuid },
  });
}

const thrownBy = (call: Promise<unknown>): Promise<Thrown> =>
  call.then(
    (answer) => {
      throw new Error(`was taken: ${JSON.stringify(answer)}`);
    },
    (error: unknown) => error as Thrown,
  );

const sent = () => lark.shows(chat).length;

describe('faults of calls', () => {
  test('response_lost: carried out, then the socket is closed; the same uuid does not send it again', async () => {
    lark.faults.inject({ kind: 'response_lost', path: '/im/v1/messages' });
    expect((await thrownBy(send())).code).toBe('ECONNRESET');
    expect(sent()).toBe(1);
    const { data } = await send();
    expect(data?.message_id).toBe(lark.shows(chat)[0]?.messageId);
    expect(sent()).toBe(1);
    expect(lark.calls({ path: '/im/v1/messages' })).toMatchObject([
      { status: 0, uuid: 'u1' },
      { status: 200, uuid: 'u1' },
    ]);
    expect(lark.calls({ path: '/im/v1/messages' })[0]?.code).toBeUndefined();
  });

  test('request_lost: the socket is closed, and nothing is done', async () => {
    lark.faults.inject({ kind: 'request_lost', path: '/im/v1/messages' });
    expect((await thrownBy(send())).code).toBe('ECONNRESET');
    expect(sent()).toBe(0);
  });

  test('response_hang: carried out, never answered', async () => {
    lark.faults.inject({ kind: 'response_hang', path: '/im/v1/messages' });
    const call = thrownBy(send());
    await lark.waitFor(() => lark.faults.counts().response_hang);
    expect(sent()).toBe(1);
    await lark.stop();
    await call;
  });

  test('response_slow: carried out later', async () => {
    lark.faults.inject({ kind: 'response_slow', path: '/im/v1/messages', delayMs: 30 });
    const call = send();
    await lark.waitFor(() => lark.faults.counts().response_slow);
    expect(sent()).toBe(0);
    await call;
    expect(sent()).toBe(1);
  });

  test('rate_limited: 429, 99991400 and when to try again', async () => {
    lark.faults.inject({ kind: 'rate_limited', path: '/im/v1/messages', resetSeconds: 7 });
    const { response } = await thrownBy(send());
    expect(response).toMatchObject({
      status: 429,
      data: { code: 99991400 },
      headers: { 'x-ogw-ratelimit-limit': '50', 'x-ogw-ratelimit-reset': '7' },
    });
    expect(sent()).toBe(0);
  });

  test('chat_limited: 230020, only for calls that put a message into a chat', async () => {
    lark.faults.inject({ kind: 'chat_limited' });
    await client.im.v1.message.list({
      params: { container_id_type: 'chat', container_id: chat.chatId },
    });
    expect(await codeOf(send())).toBe(230020);
    expect(sent()).toBe(0);
  });

  test('token_revoked: 99991663 until the client asks for another token', async () => {
    await send('u0');
    lark.faults.inject({ kind: 'token_revoked' });
    expect(await codeOf(send())).toBe(99991663);
    // The official client keeps its invalid token.
    expect(await codeOf(send())).toBe(99991663);
    expect(lark.faults.counts()).toEqual({ token_revoked: 1 });
    client = createClient(lark, app);
    expect((await send()).code).toBe(0);
  });

  test('business_error with HTTP 200: the official client treats it as an answer', async () => {
    lark.faults.inject({
      kind: 'business_error',
      path: '/im/v1/messages',
      code: 11232,
      msg: 'create message trigger system flow control',
      status: 200,
    });
    expect((await send()).code).toBe(11232);
    expect(sent()).toBe(0);
  });

  test('business_error has HTTP 400 by default', async () => {
    lark.faults.inject({
      kind: 'business_error',
      path: '/im/v1/messages',
      method: 'POST',
      times: 2,
    });
    expect([await codeOf(send()), await codeOf(send())]).toEqual([2200, 2200]);
    expect((await send()).code).toBe(0);
  });

  test('html_502: a page instead of JSON', async () => {
    lark.faults.inject({ kind: 'html_502', path: '/im/v1/messages' });
    const { response } = await thrownBy(send());
    expect(response?.status).toBe(502);
    expect(response?.data).toMatch(/^<html>/);
    expect(response?.headers['content-type']).toContain('text/html');
  });

  test('the token endpoint can fail too', async () => {
    lark.faults.inject({ kind: 'html_502', path: 'tenant_access_token' });
    await thrownBy(send());
    expect(lark.calls()).toMatchObject([{ status: 502 }]);
  });

  test('unknown kinds and parameters are refused by name', () => {
    const inject = (injection: object) => () => lark.faults.inject(injection as never);
    expect(inject({ kind: 'flood' })).toThrow('no fault named flood');
    expect(inject({ kind: 'html_502', delayMs: 5 })).toThrow('html_502 has no parameter delayMs');
    expect(inject({ kind: 'kick', times: 'two' })).toThrow('times of kick is not a number');
    expect(() => lark.faults.setPlan({ rates: { kick: 2 } })).toThrow('between 0 and 1');
  });
});

describe('rate limits', () => {
  test('5 messages a second into one chat, for all senders together', async () => {
    const other = lark.addApp();
    const group = lark.addGroup({ name: 'Team', apps: [app, other] });
    const sendTo = (from: Client, at: number) =>
      from.im.v1.message.create({
        params: { receive_id_type: 'chat_id' },
        data: { receive_id: group.chatId, msg_type: 'text', content: `{"text":"${at}"}` },
      });
    const theirs = createClient(lark, other);
    for (let at = 0; at < 5; at += 1) await sendTo(at % 2 === 0 ? client : theirs, at);
    expect(await codeOf(sendTo(theirs, 5))).toBe(230020);
    lark.advance(1_000);
    expect((await sendTo(theirs, 6)).code).toBe(0);
  });

  test('50 calls a second of one API, 1000 a minute; the header says when to try again', async () => {
    const info = () => client.request({ method: 'GET', url: '/open-apis/bot/v3/info' });
    for (let second = 0; second < 20; second += 1) {
      lark.advance(1_000);
      await Promise.all(Array.from({ length: 50 }, info));
    }
    lark.advance(1_000);
    const { response } = await thrownBy(info());
    expect(response).toMatchObject({ status: 429, data: { code: 99991400 } });
    const waitSeconds = Number(response?.headers['x-ogw-ratelimit-reset']);
    // The limit of a second would be over after one. What the calls take is a part of the minute.
    expect(waitSeconds).toBeGreaterThan(1);
    lark.advance(waitSeconds * 1_000);
    await info();
    lark.advance(60_000);
    const burst = await Promise.allSettled(Array.from({ length: 60 }, info));
    const refused = burst.filter(({ status }) => status === 'rejected');
    expect(refused.length).toBeGreaterThan(0);
    for (const { reason } of refused as PromiseRejectedResult[]) {
      const { response: refusal } = reason as Awaited<ReturnType<typeof thrownBy>>;
      expect(refusal?.headers['x-ogw-ratelimit-reset']).toBe('1');
    }
  });

  test('can be turned off', async () => {
    await lark.stop();
    lark = await startLarkCloud({ rateLimits: false });
    app = lark.addApp();
    chat = lark.directChat(lark.addUser({ name: 'Ada' }), app);
    client = createClient(lark, app);
    await Promise.all(Array.from({ length: 100 }, (_, at) => send(`u${at}`)));
    expect(sent()).toBe(100);
  });
});
