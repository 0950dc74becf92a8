import { afterEach, describe, expect, test } from 'vitest';
import type { LarkCloud } from '../../../src/sim/control/lark-cloud.ts';
import { startLarkCloud } from '../../../src/sim/server.ts';
import type { CallRecord } from '../../../src/sim/world/call-record.ts';

let lark: LarkCloud;

afterEach(() => lark.stop());

describe('a route that the simulator does not have', () => {
  test('is answered as by the gateway, reported to the caller of startLarkCloud and marked', async () => {
    const told: CallRecord[] = [];
    lark = await startLarkCloud({ onUnknownRoute: (call) => told.push(call) });
    const path = '/open-apis/docx/v1/documents/abc';
    const answer = await fetch(lark.openBaseUrl + path);
    expect([answer.status, await answer.text()]).toEqual([404, '404 page not found']);
    await fetch(`${lark.openBaseUrl}/open-apis/bot/v3/info`);
    expect(told.map((call) => [call.method, call.path])).toEqual([['GET', path]]);
    expect(lark.calls().map((call) => [call.path, call.unknownRoute])).toEqual([
      [path, true],
      ['/open-apis/bot/v3/info', false],
    ]);
  });

  test('is unknown too if only its method is unknown', async () => {
    lark = await startLarkCloud();
    await fetch(`${lark.openBaseUrl}/open-apis/bot/v3/info`, { method: 'POST' });
    expect(lark.calls()).toMatchObject([{ method: 'POST', status: 404, unknownRoute: true }]);
  });
});
