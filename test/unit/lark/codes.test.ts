import { describe, expect, test } from 'vitest';
import {
  CARD_CODES,
  CODES,
  refusalOf,
  reasonFor,
  refusalError,
  type Tried,
} from '../../../src/lark/codes.ts';
import type { HttpOutcome } from '../../../src/lark/outbound/http.ts';
import type { LarkAction } from '../../../src/bridge/ports/delivery.ts';

const reply: Tried = { kind: 'reply', inThread: false, card: false };
const inThread: Tried = { ...reply, inThread: true };
const card: Tried = { ...reply, card: true };
const send: Tried = { ...reply, kind: 'send' };
const react: Tried = { ...reply, kind: 'react' };

function answer(
  code: number | undefined,
  rest: { status?: number; msg?: string; headers?: Record<string, string> } = {},
): HttpOutcome {
  const { status = 400, msg = 'no', headers = {} } = rest;
  return {
    kind: 'answered',
    status,
    headers,
    body: code === undefined ? undefined : { code, msg },
  };
}

/** What the bridge has to do about each code when it replies with a text; from the protocol notes. */
const EXPECTED: readonly [readonly number[], LarkAction][] = [
  [[99991400, 230020, 11232, 11233, 11247], 'wait'],
  [[1500, 2200, 230049, 231015], 'retry'],
  [[99991661, 99991663, 99991664, 99991665, 99991668, 99991671, 99991677], 'retry'],
  [[10003, 10014, 99991543, 99991662], 'tell_operator'],
  [[99991401, 99991403, 99991672, 99991679, 230027, 230006, 230018, 230035], 'tell_operator'],
  [[11205], 'tell_operator'],
  [[230002, 232009, 230013, 230053, 230029], 'chat_dead'],
  [[230011, 230110, 231003], 'message_gone'],
  [[230019, 230071, 230072], 'fall_back_from_thread'],
  [[230001, 230055, 230099], 'fall_back_to_text'],
  [[230022, 230028, 230017, 234001, 234006, 234010, 234011, 234039], 'give_up'],
  [[234007], 'tell_operator'],
  [[230034, 99992351, 99992361], 'give_up'],
  [[230025], 'split'],
  [[231001, 231002, 231007, 231008], 'give_up'],
  // Files of messages.
  [[234001, 234003, 234005, 234037, 234038, 234043], 'give_up'],
  [[234004], 'chat_dead'],
  [[200740, 200750, 200770, 200850, 200860, 230031], 'give_up'],
  [[300301, 300303, 300305, 300309, 300310, 300311, 300313, 300317], 'give_up'],
  [[200810], 'retry'],
];

describe('the table', () => {
  const rows = EXPECTED.flatMap(([codes, action]) => codes.map((code) => [code, action] as const));

  test.each(rows)('%i → %s', (code, action) => {
    const refusal = refusalOf(answer(code), reply);
    expect(refusal).toMatchObject({ ok: false, action, code });
    expect(refusal.detail).toContain(`Lark ${code}: `);
    expect(refusal.retryAfterMs !== undefined).toBe(action === 'wait');
  });

  test('has only the rows of this list', () => {
    expect(new Set(Object.keys(CODES).map(Number))).toEqual(new Set(rows.map(([code]) => code)));
  });

  test.each(Object.keys(CARD_CODES).map(Number))(
    '230099 with ErrCode: %i → fall back to text',
    (inner) => {
      const msg = `Failed to create card content, ext=ErrCode: ${inner}; ErrMsg: the text of the card`;
      const said = '{"text":"the text of the card"}';
      const refusal = refusalOf(answer(230099, { msg }), { ...card, said });
      expect(refusal).toMatchObject({ action: 'fall_back_to_text', code: 230099 });
      expect(refusal.detail).toContain(CARD_CODES[inner]?.meaning);
      expect(refusal.detail).not.toContain('the text of the card');
    },
  );

  test('230099 with an unknown inner code falls back too', () => {
    expect(refusalOf(answer(230099, { msg: 'ErrCode: 1' }), card).action).toBe('fall_back_to_text');
  });

  test('a refused token is marked, and nothing else is', () => {
    const marked = Object.keys(CODES).filter(
      (code) => refusalOf(answer(Number(code)), reply).token,
    );
    expect(marked.map(Number)).toEqual([
      99991661, 99991663, 99991664, 99991665, 99991668, 99991671, 99991677,
    ]);
  });

  test('each code of a rate limit holds back the API or the chat', () => {
    const by = (scope: string) =>
      Object.keys(CODES)
        .filter((code) => refusalOf(answer(Number(code)), reply).coolDown === scope)
        .map(Number);
    expect(by('api')).toEqual([11232, 11247, 99991400]);
    expect(by('chat')).toEqual([11233, 230020]);
  });

  test('codes that a person can act on have a reason with a name', () => {
    const named = Object.keys(CODES).flatMap((code) => {
      const reason = reasonFor(Number(code));
      return reason === undefined ? [] : [[Number(code), reason]];
    });
    expect(Object.fromEntries(named)).toEqual({
      11205: 'bot_switched_off',
      230006: 'bot_switched_off',
      230013: 'person_not_included',
      230027: 'permission_missing',
      230034: 'person_unknown',
      230053: 'blocked_by_person',
      234007: 'bot_switched_off',
      99991401: 'address_not_allowed',
      99991403: 'quota_used_up',
      99991662: 'app_disabled',
      99991672: 'permission_missing',
      99991679: 'permission_missing',
      99992351: 'person_unknown',
      99992361: 'person_unknown',
    });
    expect([reasonFor(undefined), reasonFor(1)]).toEqual([undefined, undefined]);
  });
});

describe('an action that is not possible is replaced', () => {
  test.each<[number, Tried, LarkAction]>([
    [230019, inThread, 'fall_back_from_thread'],
    [230071, inThread, 'fall_back_from_thread'],
    [230072, inThread, 'fall_back_from_thread'],
    [230019, send, 'give_up'],
    [230011, send, 'give_up'],
    [230011, react, 'give_up'],
    [231003, react, 'give_up'],
    [230025, react, 'give_up'],
    [230025, send, 'split'],
    [230099, reply, 'fall_back_to_text'],
    [230099, react, 'give_up'],
    [230020, react, 'wait'],
    [230002, react, 'chat_dead'],
  ])('%i when trying to %o → %s', (code, tried, action) => {
    expect(refusalOf(answer(code), tried).action).toBe(action);
  });
});

describe('unknown codes', () => {
  test.each<[number, Tried, LarkAction]>([
    [400, reply, 'unsure'],
    [200, reply, 'unsure'],
    [400, card, 'fall_back_to_text'],
    [500, card, 'unknown'],
    [429, reply, 'wait'],
  ])('HTTP %i', (status, tried, action) => {
    expect(refusalOf(answer(777, { status }), tried)).toMatchObject({ action, code: 777 });
  });
});

describe('answers without a code of Lark', () => {
  test.each<[string, HttpOutcome, LarkAction]>([
    ['nothing was sent', { kind: 'not_sent', detail: 'ECONNREFUSED' }, 'retry'],
    ['no answer came', { kind: 'no_answer', detail: 'ECONNRESET' }, 'unknown'],
    ['an HTML page with 502', answer(undefined, { status: 502 }), 'unknown'],
    ['504', answer(undefined, { status: 504 }), 'unknown'],
    ['200 and not JSON', answer(undefined, { status: 200 }), 'unknown'],
    ['429 from a gateway', answer(undefined, { status: 429 }), 'wait'],
    ['413 from a gateway', answer(undefined, { status: 413 }), 'split'],
    ['403 from a firewall', answer(undefined, { status: 403 }), 'unsure'],
    ['a redirect', answer(undefined, { status: 302 }), 'unsure'],
  ])('%s', (_what, outcome, action) => {
    expect(refusalOf(outcome, reply)).toMatchObject({ action, code: undefined });
  });

  test('for HTTP 200 with a code the code decides', () => {
    expect(refusalOf(answer(230025, { status: 200 }), reply).action).toBe('split');
  });
});

describe('how long to wait', () => {
  test.each<[string | undefined, number]>([
    ['3', 3_000],
    ['0', 1_000],
    ['0.4', 1_000],
    [undefined, 1_000],
    ['soon', 1_000],
    ['-5', 1_000],
    ['1e9', 60_000],
  ])('x-ogw-ratelimit-reset: %s → %i ms', (reset, retryAfterMs) => {
    const headers = reset === undefined ? {} : { 'x-ogw-ratelimit-reset': reset };
    expect(refusalOf(answer(99991400, { status: 429, headers }), reply)).toMatchObject({
      retryAfterMs,
    });
  });
});

describe('the detail', () => {
  const told = (code: number, msg: string, said = '') =>
    refusalOf(answer(code, { msg }), { ...reply, said }).detail;

  test.each([
    ['a missing permission', 99991672, 'one of these scopes is required: [im:message]'],
    ['a wrong parameter', 230001, 'invalid request parameter: receive_id'],
    ['a code that is not known', 777, 'the chat is frozen until tomorrow'],
  ])('the reason that Lark gives: %s', (_what, code, msg) => {
    expect(told(code, msg)).toContain(`(${msg})`);
  });

  test('does not quote the message', () => {
    expect(told(230001, 'invalid: my secret plan, sorry', 'here is my secret plan')).toContain(
      '(invalid:[…], sorry)',
    );
    expect(told(777, '内容不合法：秘密计划如下', '我们的秘密计划如下。')).toContain(
      '(内容不合法：[…])',
    );
    expect(told(777, 'invalid: \\"say\\" it twice', '"say" it twice')).not.toContain('twice');
  });

  test('is one short line without secrets and control characters', () => {
    const detail = told(777, `bad\n\u001B[31mtoken=abcdef\u001B[0m ${'very '.repeat(200)}long`);
    expect(detail).toContain('(bad token=[secret] very very');
    expect(detail.length).toBeLessThan(400);
  });

  test('holds the log id if it is valid', () => {
    const logged = (id: string) =>
      refusalOf(answer(2200, { headers: { 'x-tt-logid': id } }), reply).detail;
    expect(logged('20260101ABCDEF')).toContain('[log id 20260101ABCDEF]');
    expect(logged('a b')).not.toContain('log id');
  });

  test.each<[HttpOutcome, string]>([
    [answer(10014, { status: 200 }), 'credentials_refused'],
    [answer(99991672), 'access_denied'],
    [answer(230002), 'access_denied'],
    [answer(230001), 'failed'],
    [answer(777), 'failed'],
    [answer(undefined, { status: 403 }), 'unreachable'],
    [answer(99991400), 'unreachable'],
    [{ kind: 'not_sent', detail: 'ENOTFOUND' }, 'unreachable'],
  ])('as an error: %j → %s', (outcome, code) => {
    expect(refusalError('it failed', refusalOf(outcome, reply))).toMatchObject({ code });
  });
});
