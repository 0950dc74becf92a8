import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { Db } from '../../../src/store/sqlite/db.ts';
import { SqliteFolders } from '../../../src/store/sqlite/hub/folders.ts';
import { temporaryFolder } from '../../kit/folder.ts';
import { silentLog } from '../../kit/log.ts';

test('folders are kept in the order in which they were added, and seen by every process at once', async () => {
  const path = join(temporaryFolder(), 'bridge.db');
  const open = () => {
    const db = Db.open(path, silentLog);
    onTestFinished(() => db.close());
    return new SqliteFolders(db);
  };
  const [daemon, command] = [open(), open()];
  expect(await daemon.folders()).toEqual([]);
  expect(await command.addFolder('/srv/work', 2)).toBe(true);
  expect(await command.addFolder('/srv/other', 1)).toBe(true);
  expect(await command.addFolder('/srv/work', 3)).toBe(false);
  expect(await daemon.folders()).toEqual(['/srv/other', '/srv/work']);
  expect(await daemon.removeFolder('/srv/other')).toBe(true);
  expect(await command.removeFolder('/srv/other')).toBe(false);
  expect(await command.folders()).toEqual(['/srv/work']);
});
