import { expect, test } from 'vitest';
import { sdkLogger } from '../../../src/lark/sdk.ts';
import { recordingLog } from '../../kit/log.ts';

test('only the beginning of a text and ids are logged', () => {
  const log = recordingLog();
  const logger = sdkLogger(log);
  logger.error([
    '[ws]',
    'invoke event failed, message_type: event; message_id: 21c8-aa_b; trace_id: t1; error: Unexpected token "my salary"',
  ]);
  logger.error(['[ws]', 'failed to handle inbound frame: "hello" is not JSON']);
  logger.warn(['no pong/inbound within 20s of last ping, terminating to trigger reconnect']);
  expect(log.lines).toEqual([
    {
      level: 'warn',
      event: 'lark_sdk_complained',
      text: '[ws] invoke event failed, message_type',
      message_id: '21c8-aa_b',
      trace_id: 't1',
    },
    { level: 'warn', event: 'lark_sdk_complained', text: '[ws] failed to handle inbound frame' },
    {
      level: 'debug',
      event: 'lark_sdk_warned',
      text: 'no pong/inbound within 20s of last ping, terminating to trigger reconnect',
    },
  ]);
});

test('secrets inside errors, objects and debug lines are never logged', () => {
  const log = recordingLog();
  const logger = sdkLogger(log);
  const error = Object.assign(new TypeError('s3cret'), {
    config: { data: '{"app_secret":"s3cret"}' },
  });
  logger.error([error]);
  logger.error([[{ message: 's3cret', config: { data: 's3cret' } }]]);
  logger.info(['ready:\ns3cret']);
  logger.debug(['[ws]', 'get connect config success, ws url: wss://x?ticket=s3cret']);
  logger.trace(['s3cret']);
  expect(log.lines.map(({ thrown, text }) => [thrown, text])).toEqual([
    ['TypeError', ''],
    ['object', ''],
    [undefined, 'ready'],
  ]);
  expect(JSON.stringify(log.lines)).not.toContain('s3cret');
});
