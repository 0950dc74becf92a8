/**
 * Loaded before the program with `--import`: at SIGUSR2 the clock is so many milliseconds ahead as the file
 * CLOCK_OFFSET_FILE says. Timers go on as they do when somebody sets a machine's clock.
 */
import { readFileSync } from 'node:fs';

const realNow = Date.now.bind(Date);
let offsetMs = 0;
Date.now = () => realNow() + offsetMs;

process.on('SIGUSR2', () => {
  offsetMs = Number(readFileSync(process.env['CLOCK_OFFSET_FILE'] ?? '', 'utf8'));
  process.stderr.write(`"clock_set":${offsetMs}\n`);
});
