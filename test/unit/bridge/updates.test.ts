/** Updates of a turn: the whole bridge with the real journal on a virtual clock. */
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import type { SendResult, TurnTarget } from '../../../src/bridge/ports/target.ts';

import { Db } from '../../../src/store/sqlite/db.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';
import { message } from './samples.ts';
import { createBridge, HUB, passTime } from './whole-bridge.ts';
import { writesUnderWay } from './writes-under-way.ts';

test('a turn is watched from before it is sent until it is over, also after a restart', async () => {
  const db = Db.open(join(temporaryFolder(), 'bridge.db'), silentLog);
  onTestFinished(() => db.close());
  const clock = new VirtualClock(message.sentAtMs);
  const isWriting = writesUnderWay(db);
  const seen: string[] = [];
  let answer = (_result: SendResult & { kind: 'answered' }) => {};
  const target: TurnTarget = {
    ...HUB,
    watch: (workspace, id) => {
      seen.push(`watch ${workspace} ${id}`);
      return () => seen.push(`end ${id}`);
    },
    send: ({ messageId }) => {
      seen.push(`send ${messageId}`);
      return Promise.resolve({ kind: 'accepted', ticket: 'ticket' });
    },
    wait: (_workspace, _ticket, signal) =>
      new Promise((resolve) => {
        answer = resolve;
        signal.addEventListener('abort', () => resolve({ kind: 'pending' }));
      }),
  };
  const boot = async () => {
    const bridge = createBridge({ db, clock, target });
    await bridge.start();
    return bridge;
  };
  const pass = () => passTime(clock, { isWriting, durationMs: 1_000 });

  const first = await boot();
  await first.intake.admit({ kind: 'message', message });
  await pass();
  const id = seen[0]?.split(' ').at(-1) ?? '';
  expect(seen).toEqual([`watch agent ${id}`, `send ${id}`]);
  await Promise.all([first.stop(), pass()]);
  expect(seen.splice(0).at(-1)).toBe(`end ${id}`);

  const second = await boot();
  await pass();
  expect(seen).toEqual([`watch agent ${id}`]);
  answer({ kind: 'answered', text: 'done' });
  await pass();
  expect(seen).toEqual([`watch agent ${id}`, `end ${id}`]);
  await Promise.all([second.stop(), pass()]);
});
