#!/usr/bin/env node
/// <reference types="node" />
import { main } from '../dist/cli/main.js';

/** Supervisors commonly send SIGKILL after 10 s. */
const STOP_MS_MAX = 9_500;
/** What a finished command left open is not waited for longer than this. */
const LINGER_MS_MAX = 2_000;
/** `conf` sends the process each signal once more, at once; a person's second Ctrl-C takes longer. */
const REPEAT_MS_MIN = 200;
const stopping = new AbortController();
let asked = { name: '', atMs: 0 };

for (const name of ['SIGINT', 'SIGTERM']) {
  process.on(name, () => {
    if (stopping.signal.aborted) {
      const isEcho = name === asked.name && Date.now() - asked.atMs < REPEAT_MS_MIN;
      if (!isEcho) process.exit(1);
      return;
    }
    asked = { name, atMs: Date.now() };
    stopping.abort();
    setTimeout(() => process.exit(process.exitCode ?? 1), STOP_MS_MAX).unref();
  });
}
// To wait for a signal does not by itself keep the process alive.
const alive = setInterval(() => {}, 2 ** 30);
process.exitCode = await main(process.argv.slice(2), stopping.signal);
clearInterval(alive);
setTimeout(() => process.exit(), LINGER_MS_MAX).unref();
