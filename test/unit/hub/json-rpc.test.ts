import { expect, test } from 'vitest';
import { laneOf } from '../../../src/hub/domain/messages.ts';
import type { TurnContent } from '../../../src/hub/ports/turns.ts';
import { normalizeRequest } from '../../../src/hub/surfaces/turn-contract/json-rpc.ts';
import { larkContextOf } from '../../../src/wire/lark-context.ts';

const parts = [{ kind: 'text', text: 'hi' }];
const someId = expect.stringMatching(/^[0-9a-f-]{36}$/) as string;

test('MOL-A2A-03: a complete request stays as it is', () => {
  const body = {
    jsonrpc: '2.0',
    id: 7,
    method: 'message/send',
    extra: true,
    params: {
      metadata: { a: 1 },
      message: { role: 'user', messageId: 'm', parts, contextId: 'c', kind: 'message' },
    },
  };
  expect(normalizeRequest(body)).toEqual(body);
  expect(normalizeRequest({ ...body, id: null })).toEqual({ ...body, id: null });
});

test('MOL-A2A-03: what is missing is added', () => {
  expect(normalizeRequest({ message: { content: 'hi' }, metadata: { a: 1 } })).toEqual({
    jsonrpc: '2.0',
    id: someId,
    method: 'message/send',
    params: { metadata: { a: 1 }, message: { role: 'user', messageId: someId, parts } },
  });
});

test('MOL-A2A-03: parts go before content, and type becomes kind', () => {
  const message = { messageId: 'm', content: 'old', parts: [{ type: 'text', text: 'hi' }, 3] };
  const body = normalizeRequest({ params: { message } });
  expect(body).toMatchObject({ params: { message: { parts: [{ kind: 'text', text: 'hi' }, 3] } } });
  expect(JSON.stringify(body)).not.toContain('content');
});

test('something that is not a request stays unchanged, so that the schema refuses it', () => {
  for (const body of [null, 3, 'x', [1]]) expect(normalizeRequest(body)).toEqual(body);
});

test('the lane is the context, else the chat, else the message alone', () => {
  const request = (contextId?: string, metadata?: Record<string, unknown>) =>
    ({ message: { contextId }, metadata }) as TurnContent;
  expect(laneOf(request('c', { chat_id: 'oc' }), 'own')).toBe('c');
  expect(laneOf(request(undefined, { chat_id: 'oc' }), 'own')).toBe('oc');
  expect(laneOf(request(undefined, { chat_id: 3 }), 'own')).toBe('own');
  expect(laneOf(request(), 'own')).toBe('own');
});

const full = {
  brand: 'lark',
  chat_id: 'oc',
  chat_type: 'p2p',
  sender_open_id: 'ou',
  message_id: 'om',
};

test('a Lark context is complete or none; thread and parent may be absent', () => {
  expect(larkContextOf({ ...full, thread_id: '', parent_id: 'om_0' })).toEqual({
    brand: 'lark',
    chatId: 'oc',
    chatType: 'p2p',
    senderOpenId: 'ou',
    messageId: 'om',
    parentId: 'om_0',
  });
  expect(larkContextOf(undefined)).toBeUndefined();
  for (const name of Object.keys(full)) {
    expect(larkContextOf({ ...full, [name]: undefined })).toBeUndefined();
    expect(larkContextOf({ ...full, [name]: 7 })).toBeUndefined();
  }
  expect(larkContextOf({ ...full, brand: 'slack' })).toBeUndefined();
  expect(larkContextOf({ ...full, chat_type: 'topic' })).toBeUndefined();
});
