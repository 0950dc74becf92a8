/** Programs under measurement: started, awaited, and read through /proc. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';

/** Of utime and stime in /proc/PID/stat, on every Linux. */
const US_PER_TICK = 10_000;
const PAGE_BYTES = 4096;
const READY_MS_MAX = 60_000;

/** What still runs; a bench that fails must leave nothing behind. */
const running = new Set();

process.on('exit', () => {
  for (const group of running) {
    try {
      process.kill(-group, 'SIGKILL');
    } catch (error) {
      // It has just ended by itself.
      if (error.code !== 'ESRCH') throw error;
    }
  }
});
for (const signal of ['SIGINT', 'SIGTERM']) process.on(signal, () => process.exit(1));

export class Program {
  #child;
  #log;
  /** Resolves with the exit code or the signal. */
  ended;
  /** From the spawn to the ready line. */
  readyMs;

  /** A ready line on stdout holds `"event":"ready"`. stderr goes to the file `log`. */
  static async start(argv, { env, log, tracer = [] }) {
    const program = new Program();
    await program.#start([...tracer, process.execPath, ...argv], env, log);
    return program;
  }

  async #start([command, ...words], env, log) {
    const startedAt = performance.now();
    const stderr = openSync(log, 'a');
    this.#log = log;
    // A group of its own, so that a tracer and what it traces can be ended together.
    const stdio = ['ignore', 'pipe', stderr];
    this.#child = spawn(command, words, { env, stdio, detached: true });
    closeSync(stderr);
    const { pid } = this.#child;
    running.add(pid);
    this.ended = once(this.#child, 'exit').then(([code, signal]) => {
      running.delete(pid);
      return code ?? signal;
    });
    await Promise.race([this.#saysReady(), this.#endsEarly(), tooLate()]);
    this.readyMs = performance.now() - startedAt;
  }

  async #saysReady() {
    for await (const line of createInterface({ input: this.#child.stdout })) {
      if (line.includes('"event":"ready"')) break;
    }
    this.#child.stdout.resume();
  }

  async #endsEarly() {
    const how = await this.ended;
    const told = readFileSync(this.#log, 'utf8').slice(-2000);
    throw new Error(`a program ended before it was ready (${how}): ${told}`);
  }

  get pid() {
    return this.#child.pid;
  }

  cpuUs() {
    return cpuUs(this.pid);
  }

  residentMb() {
    const [, pages] = readFileSync(`/proc/${this.pid}/statm`, 'utf8').split(' ');
    return (Number(pages) * PAGE_BYTES) / 1e6;
  }

  async stop(signal = 'SIGTERM') {
    this.#child.kill(signal);
    return this.ended;
  }
}

/** What a process has used of the processors so far, in microseconds. */
export function cpuUs(pid) {
  const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) * US_PER_TICK;
}

/** The words to put before a command so that its fsyncs are counted in `file`; none without strace. */
export function fsyncTracer(file) {
  if (spawnSync('strace', ['-V']).status !== 0) return undefined;
  return ['strace', '-f', '--seccomp-bpf', '-c', '-o', file, '-e', 'trace=fsync,fdatasync'];
}

/** The process that a tracer has started. */
export function tracedPid(tracerPid) {
  const [pid] = readFileSync(`/proc/${tracerPid}/task/${tracerPid}/children`, 'utf8').split(' ');
  return Number(pid);
}

/** The calls in strace's table: %, seconds, µs/call, calls, (errors,) name. */
export function fsyncsIn(file) {
  const rows = readFileSync(file, 'utf8').matchAll(/^\s*[\d.]+\s+[\d.]+\s+\d+\s+(\d+).*sync$/gm);
  return [...rows].reduce((sum, [, calls]) => sum + Number(calls), 0);
}

async function tooLate() {
  await new Promise((resolve) => setTimeout(resolve, READY_MS_MAX).unref());
  throw new Error(`a program was not ready after ${READY_MS_MAX} ms`);
}
