/** Loaded before the program with `--import`: from SIGUSR2 on the disk never says that a write is kept. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

process.on('SIGUSR2', () => {
  fs.fdatasync = () => {};
  syncBuiltinESMExports();
  process.stderr.write('"disk_hangs"\n');
});
