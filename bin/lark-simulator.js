#!/usr/bin/env node
/// <reference types="node" />
import { main } from '../dist/sim/program/main.js';

const stopping = new AbortController();
// SIGHUP: the terminal was closed.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    // A terminal that is closed says so twice, and nobody is there to be impatient.
    if (stopping.signal.aborted && name !== 'SIGHUP') process.exit(1);
    // The command beside the simulator gets the same signal.
    stopping.abort(new DOMException(name, 'AbortError'));
  });
}
process.exitCode = await main(process.argv.slice(2), stopping.signal, process);
