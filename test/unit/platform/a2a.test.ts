/** The envelope of a turn; what the answers mean is in test/contract/platform. */
import { expect, test } from 'vitest';
import { workspaceId } from '../../../src/core/ids.ts';
import { messageOf, parseOutcome, parseSend, sendBody } from '../../../src/platform/a2a.ts';

test('LCM-IN-07, LCM-IN-08, MOL-CC-03: where a message came from is in the header line and in the metadata', () => {
  const { params } = sendBody({
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
  expect(params.message['parts']).toEqual([
    {
      kind: 'text',
      text: '[lark-channel] brand=lark chat_id=oc_1 chat_type=group sender_open_id=ou_1 message_id=om_1\nhello',
    },
  ]);
  expect(params.metadata).toEqual({
    source: 'lark',
    brand: 'lark',
    chat_id: 'oc_1',
    chat_type: 'group',
    sender_open_id: 'ou_1',
    message_id: 'om_1',
    thread_id: 'omt_1',
    parent_id: 'om_0',
  });
});

test.each([undefined, null, 7, 'text', '"text"', [], { params: [] }, { params: { message: 1 } }])(
  'MOL-INB-08: %j holds no text, and nothing is thrown',
  (body) => {
    expect(messageOf(body)).toEqual({ state: undefined, text: '', files: [] });
  },
);

test('a failure names the agent where the hub ran it itself, and nothing that can not be a name', () => {
  const failed = (agent: unknown) =>
    parseOutcome({
      error: { code: -32000, message: 'It broke.', data: { reason: 'failed', agent } },
    });
  expect(failed('shout')).toEqual({ kind: 'failed', detail: 'It broke.', agent: 'shout' });
  for (const agent of [undefined, 7, '', 'A b', 'x'.repeat(41), '\u001B[2J']) {
    expect(failed(agent)).toEqual({ kind: 'failed', detail: 'It broke.' });
  }
});

test('F13: a hub without room has not taken the turn: its words are told, and nothing is in doubt', () => {
  const error = 'this workspace has 256 MB stored at the hub, which is all it may have';
  const told = parseSend({
    kind: 'answer',
    status: 507,
    form: 'json',
    body: { error },
    retryAfterSecs: undefined,
    dateMs: undefined,
    headers: {},
  });
  expect(told).toEqual({ kind: 'refused', detail: error });
});
