import { describe, expect, test } from 'vitest';
import { parseSend, parseWait, sendBody } from '../../../src/platform/a2a.ts';
import { workspaceId } from '../../../src/core/ids.ts';
import type { HttpResult } from '../../../src/platform/http.ts';

const answer = (status: number, body: unknown, retryAfterSecs?: number): HttpResult => ({
  kind: 'answer',
  status,
  body,
  retryAfterSecs,
});
const parts = [{ kind: 'text', text: 'hi' }];

describe('a turn on its way to the hub', () => {
  const body = sendBody({
    messageId: 'm1',
    text: 'hello',
    target: workspaceId('w'),
    context: {
      brand: 'lark',
      chatId: 'oc_1',
      chatType: 'group',
      senderOpenId: 'ou_1',
      messageId: 'om_1',
      threadId: 'omt_1',
      parentId: 'om_0',
    },
  }) as { params: { message: Record<string, unknown>; metadata: Record<string, unknown> } };

  test('MOL-A2A-01: it is a JSON-RPC message/send with the stable message id', () => {
    expect(body).toMatchObject({
      jsonrpc: '2.0',
      method: 'message/send',
      params: { message: { role: 'user', messageId: 'm1' } },
    });
  });

  test('LCM-IN-07, LCM-IN-08: where it came from is in the header line and in the metadata', () => {
    expect(body.params.message['parts']).toEqual([
      {
        kind: 'text',
        text: '[lark-channel] brand=lark chat_id=oc_1 chat_type=group sender_open_id=ou_1 message_id=om_1\nhello',
      },
    ]);
    expect(body.params.metadata).toMatchObject({
      brand: 'lark',
      chat_id: 'oc_1',
      chat_type: 'group',
      sender_open_id: 'ou_1',
      message_id: 'om_1',
      thread_id: 'omt_1',
      parent_id: 'om_0',
    });
  });
});

describe('what an answer to a send means', () => {
  test.each([
    ['message', { result: { kind: 'message', parts } }],
    ['status message', { result: { kind: 'task', status: { message: { parts } } } }],
    ['artifacts', { result: { kind: 'task', artifacts: [{ parts }] } }],
    ['old part form', { result: { parts: [{ type: 'text', text: 'hi' }] } }],
  ])('MOL-RES-01: the text is found in the %s', (_where, body) => {
    expect(parseSend(answer(200, body))).toEqual({ kind: 'answered', text: 'hi' });
  });

  test('MOL-RES-02: errors, also those in words, are failures', () => {
    expect(parseSend(answer(200, { error: { code: -1, message: 'no' } }))).toEqual({
      kind: 'failed',
      detail: 'no',
    });
    const said = { result: { parts: [{ kind: 'text', text: 'Agent error: no' }] } };
    expect(parseSend(answer(200, said))).toEqual({ kind: 'failed', detail: 'no' });
  });

  test('MOL-RES-03: a poll target takes it without saying which answer will be its own', () => {
    const body = { status: 'queued', delivery_mode: 'poll', method: 'message/send' };
    expect(parseSend(answer(200, body))).toEqual({ kind: 'accepted_uncorrelated' });
  });

  test('MOL-RES-04, MOL-RES-05: a queue id is a ticket', () => {
    expect(parseSend(answer(202, { queued: true, queue_id: 'q' }))).toEqual({
      kind: 'accepted',
      ticket: 'q',
    });
    expect(parseSend(answer(200, { status: 'queued', queued: true, queue_id: 'q' }))).toEqual({
      kind: 'accepted',
      ticket: 'q',
    });
  });

  test.each([400, 401, 402, 403, 404, 413])(
    'MOL-RES-08, MOL-RES-09: HTTP %i is a refusal',
    (status) => {
      expect(parseSend(answer(status, { error: 'words' }))).toEqual({
        kind: 'refused',
        detail: 'words',
      });
    },
  );

  test('MOL-RES-10: what was delivered is never sent again', () => {
    expect(parseSend(answer(502, { error: 'x', delivery_confirmed: true })).kind).toBe('unknown');
    expect(parseSend(answer(502, { error: 'failed to reach workspace agent' })).kind).toBe('busy');
  });

  test('MOL-RES-11: busy, waking and warming say how long to wait', () => {
    expect(parseSend(answer(503, { busy: true, retry_after: 30 }))).toMatchObject({
      kind: 'busy',
      retryAfterMs: 30_000,
    });
    expect(parseSend(answer(503, { error: 'x', restarting: true }))).toMatchObject({
      kind: 'busy',
    });
    expect(parseSend(answer(429, undefined, 7))).toMatchObject({
      kind: 'busy',
      retryAfterMs: 7_000,
    });
  });

  test('MOL-RES-12: an empty 2xx is not an answer', () => {
    expect(parseSend(answer(200, undefined)).kind).toBe('unknown');
  });

  test('nothing sent and no answer are told apart', () => {
    expect(parseSend({ kind: 'not_sent', detail: '' }).kind).toBe('unreachable');
    expect(parseSend({ kind: 'no_answer', detail: '' }).kind).toBe('unknown');
  });

  test.each([[], 'text', 7, { jsonrpc: '2.0' }, { result: null }])(
    'MOL-RES-07: %j is told as it is and nothing is thrown',
    (body) => {
      expect(parseSend(answer(200, body)).kind).toBe('unknown');
    },
  );
});

describe('what a look at a queue item means', () => {
  const response = { jsonrpc: '2.0', result: { parts } };

  test('MOL-RES-13: a completed item has the answer', () => {
    expect(parseWait(answer(200, { status: 'completed', response_body: response }))).toEqual({
      kind: 'answered',
      text: 'hi',
    });
  });

  test('MOL-RES-13: an old server gives it in base64', () => {
    const encoded = Buffer.from(JSON.stringify(response)).toString('base64');
    expect(parseWait(answer(200, { status: 'completed', response_body: encoded }))).toEqual({
      kind: 'answered',
      text: 'hi',
    });
  });

  test.each(['queued', 'dispatched'])('%s is pending', (status) => {
    expect(parseWait(answer(200, { status }))).toEqual({ kind: 'pending' });
  });

  test.each(['failed', 'dropped'])('%s is a failure with its reason', (status) => {
    expect(parseWait(answer(200, { status, last_error: 'why' }))).toEqual({
      kind: 'failed',
      detail: 'why',
    });
  });

  test('MOL-RES-14: just enqueued is retried, forbidden is lost', () => {
    expect(parseWait(answer(404, { error: 'x', retryable: true })).kind).toBe('pending');
    expect(parseWait(answer(403, { error: 'access denied' })).kind).toBe('lost');
    expect(parseWait(answer(500, undefined)).kind).toBe('unreachable');
  });
});
