#!/usr/bin/env node
/// <reference types="node" />
import { closeSync, openSync, writeSync } from 'node:fs';
import { devNull } from 'node:os';
import { isatty } from 'node:tty';

/** Supervisors commonly send SIGKILL after 10 s. */
const STOP_MS_MAX = 9_500;
/** What a finished command left open is not waited for longer than this. */
const LINGER_MS_MAX = 2_000;
/** `conf` sends the process each signal once more, at once; a person's second Ctrl-C takes longer. */
const REPEAT_MS_MIN = 200;
/** As shells say it, and as src/core/errors.ts has it. */
const INTERRUPTED = 130;
const stopping = new AbortController();
let asked = { name: '', atMs: 0 };
/** The parts of the program that are open. Nothing is open before it is loaded. */
let openNow = () => /** @type {string[]} */ ([]);

/** Says what the stop did not wait for. Returns the exit code. */
function cutOff() {
  const open = openNow();
  const isBridge = open.length > 0;
  const what = isBridge
    ? `without waiting for ${open.join(', ')}. What is not done is stored, and goes on at the next start.`
    : 'in the middle of the command.';
  try {
    writeSync(2, `lark-bridge: ended ${STOP_MS_MAX / 1000} s after ${asked.name} ${what}\n`);
  } catch {
    // Nobody reads any more.
  }
  return isBridge ? 0 : 1;
}

// SIGHUP: the terminal was closed.
for (const name of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(name, () => {
    if (stopping.signal.aborted) {
      const isEcho = name === asked.name && Date.now() - asked.atMs < REPEAT_MS_MIN;
      // A closed terminal is told by the shell and by the system, and nobody is there to be impatient.
      if (!isEcho && name !== 'SIGHUP') process.exit(INTERRUPTED);
      return;
    }
    asked = { name, atMs: Date.now() };
    // As the reason of an abort is by default, but with the name of the signal.
    stopping.abort(new DOMException(name, 'AbortError'));
    setTimeout(() => process.exit(process.exitCode ?? cutOff()), STOP_MS_MAX).unref();
  });
}
// Node sets the terminal back as it ends, and aborts if that is gone: then there is none to set back.
const terminals = [0, 1, 2].filter((stream) => isatty(stream));
process.once('exit', () => {
  for (const stream of terminals.filter((one) => !isatty(one))) {
    closeSync(stream);
    // Takes the number that has just become free.
    openSync(devNull, 'r+');
  }
});
// To wait for a signal does not by itself keep the process alive.
const alive = setInterval(() => {}, 2 ** 30);
const program = await loadProgram();
openNow = program.openParts;
process.exitCode = await program.main(process.argv.slice(2), stopping.signal);
clearInterval(alive);
setTimeout(() => process.exit(), LINGER_MS_MAX).unref();

/** With too low a limit of open files the program can't even be read, and Node would print its own source. */
async function loadProgram() {
  try {
    const { main } = await import('../dist/cli/main.js');
    const { openParts } = await import('../dist/host/open-parts.js');
    return { main, openParts };
  } catch (error) {
    const { code } = /** @type {NodeJS.ErrnoException} */ (error);
    if (code !== 'EMFILE' && code !== 'ENFILE') throw error;
    process.stderr.write(
      'error: lark-bridge may not open enough files to start\nnext: Raise the limit: `ulimit -n 4096` in the shell, `LimitNOFILE=4096` in a unit of systemd.\n',
    );
    process.exit(1);
  }
}
