import { expect, test } from 'vitest';
import { readLine } from '../../../../src/agents/acp/line-filter.ts';

const MESSAGE = { jsonrpc: '2.0', method: 'session/update', params: { text: '{"jsonrpc"' } };
const LINE = JSON.stringify(MESSAGE);

test('a message is read, also with spaces around it', () => {
  expect(readLine(LINE)).toEqual({ message: MESSAGE });
  expect(readLine(`  ${LINE}\t`)).toEqual({ message: MESSAGE });
});

test.each([
  ['a request', { jsonrpc: '2.0', id: 0, method: 'x' }],
  ['a request with a text as its id', { jsonrpc: '2.0', id: 'a', method: 'x' }],
  ['an answer', { id: 3, jsonrpc: '2.0', result: null }],
  ['an error', { jsonrpc: '2.0', id: 3, error: { code: 1, message: 'no' } }],
])('%s is a message, whatever the order of its fields', (_what, message) => {
  expect(readLine(JSON.stringify(message))).toEqual({ message });
});

test.each([
  ['words', 'warning: this is no message'],
  ['broken JSON', '{"jsonrpc":"2.0","method":"session/upd'],
  ['a list', '[{"jsonrpc":"2.0","method":"x"}]'],
  ['another object', '{"hello":"world"}'],
  ['another version', '{"jsonrpc":"1.0","method":"x"}'],
  ['an answer to nothing', '{"jsonrpc":"2.0","id":null,"error":{"code":-32700}}'],
  ['an answer without one', '{"jsonrpc":"2.0","id":1}'],
  ['a method that is no text', '{"jsonrpc":"2.0","method":1}'],
  ['a number', '12'],
])('R7: %s is noise', (_what, line) => {
  expect(readLine(line)).toEqual({ noise: line });
});

test('R7: noise without a line end does not eat the message after it', () => {
  expect(readLine(`progress {50%} ${LINE}`)).toEqual({
    message: MESSAGE,
    noise: 'progress {50%} ',
  });
});

test('an empty line is nothing', () => {
  expect(readLine(' \t')).toEqual({});
});
