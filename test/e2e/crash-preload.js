/** Loaded before the program with `--import`: from SIGUSR2 on the disk keeps no write, which ends the process. */
import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

process.on('SIGUSR2', () => {
  fs.fdatasync = (_fd, done) => done(Object.assign(new Error('EIO: i/o error'), { code: 'EIO' }));
  syncBuiltinESMExports();
  process.stderr.write('"disk_broken"\n');
});
