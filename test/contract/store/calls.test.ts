import { join } from 'node:path';
import { expect, test } from 'vitest';
import { appId } from '../../../src/core/ids.ts';
import { CallCounts } from '../../../src/store/sqlite/bridge/calls.ts';
import { Db } from '../../../src/store/sqlite/db.ts';
import { silentLog } from '../../kit/log.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { clockWithoutTimers } from '../../kit/clock.ts';

test('calls are counted by month and class, over restarts', async () => {
  const folder = temporaryFolder();
  const db = Db.open(join(folder, 'bridge.db'), silentLog);
  try {
    let nowMs = Date.UTC(2026, 0, 31, 23);
    const clock = clockWithoutTimers(() => nowMs);
    const open = () => new CallCounts({ db, app: appId('cli_0123456789abcdef'), clock });
    const first = open();
    first.count('answer');
    first.count('answer');
    first.count('reaction');
    expect(first.thisMonth()).toEqual({ answer: 2, reaction: 1 });
    await first.flush();
    const second = open();
    second.count('answer');
    await second.flush();
    expect(open().thisMonth()).toEqual({ answer: 3, reaction: 1 });
    nowMs = Date.UTC(2026, 1, 1);
    expect(open().thisMonth()).toEqual({});
  } finally {
    db.close();
  }
});
