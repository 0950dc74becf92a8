/**
 * `npm run soak`: the built program under a steady load for long, with the embedded hub and the echo agent.
 * Looks at its memory, its files and its event loop all the while, and counts every message at the end.
 */
import { statSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { Db } from '../../src/store/sqlite/db.ts';
import { residentBytes } from '../kit/memory.ts';
import { Crowd } from './crowd.ts';
import { type BridgeProcess, Rig } from './rig.ts';
import { INBOX_KEEP_ROWS, PRUNE_EVERY_MS } from '../../src/bridge/pruning.ts';

const CHATS = 50;
const LOOK_MS = 10_000;
const DAY_MS = 24 * 60 * 60_000;
/** More than the journal keeps of what is older than a day. */
const YESTERDAY_ROWS = 60_000;
const MB = 1024 * 1024;

/** What must hold at the end. */
const BOUNDS = {
  /** Resident memory of the last third over that of the middle third. */
  memoryGrowthMax: 1.15,
  /** The write-ahead log is written back all the time. */
  walBytesMax: 64 * MB,
  /** The journal keeps a day; so much of it for each message. */
  dbBytesPerMessageMax: 6 * 1024,
  eventLoopP99MsMax: 50,
} as const;

interface Sample {
  readonly secs: number;
  readonly rssMb: number;
  readonly dbMb: number;
  readonly walMb: number;
  readonly loopP99Ms: number;
  readonly said: number;
  readonly answered: number;
}

export interface SoakOptions {
  readonly durationMs: number;
  readonly perSecond: number;
  readonly seed: number;
  readonly print: (line: string) => void;
}

export async function main(words: string[]): Promise<number> {
  const { values } = parseArgs({
    args: words,
    options: {
      minutes: { type: 'string', default: '30' },
      rate: { type: 'string', default: '20' },
      seed: { type: 'string', default: '1' },
    },
  });
  const complaints = await soak({
    durationMs: Number(values.minutes) * 60_000,
    perSecond: Number(values.rate),
    seed: Number(values.seed),
    print: (line) => console.log(line),
  });
  for (const complaint of complaints) console.log(`BROKEN: ${complaint}`);
  return complaints.length === 0 ? 0 : 1;
}

/** Returns what did not hold. */
export async function soak(options: SoakOptions): Promise<string[]> {
  const rig = await Rig.open({
    seed: options.seed,
    messagesPerChatMax: 2_000,
    keptMax: 1_000,
    // 20 messages a second are more than the 1,000 replies a minute that Lark allows an app.
    rateLimits: false,
  });
  try {
    writeYesterday(rig);
    const bridge = await rig.run({
      words: ['run', '--json', '--log-level', 'warn'],
      env: { LARK_BRIDGE_CALL_LIMITS: 'off' },
    });
    return await new Soak(rig, bridge, options).run();
  } finally {
    await rig.close();
  }
}

class Soak {
  readonly #rig: Rig;
  readonly #bridge: BridgeProcess;
  readonly #options: SoakOptions;
  readonly #crowd: Crowd;
  readonly #samples: Sample[] = [];

  constructor(rig: Rig, bridge: BridgeProcess, options: SoakOptions) {
    this.#rig = rig;
    this.#bridge = bridge;
    this.#options = options;
    this.#crowd = new Crowd(rig, { ...options, chats: CHATS });
  }

  async run(): Promise<string[]> {
    const { durationMs, print } = this.#options;
    print('  secs  rss MB  db MB  wal MB  loop p99 ms    said  answered');
    const startedMs = Date.now();
    const talking = this.#crowd.talk(durationMs);
    let nextMs = startedMs + Math.min(LOOK_MS, durationMs / 4);
    while (Date.now() < startedMs + durationMs) {
      await sleep(Math.max(0, nextMs - Date.now()));
      nextMs += Math.min(LOOK_MS, durationMs / 4);
      this.#look(Date.now() - startedMs);
    }
    await talking;
    await this.#crowd.settle();
    this.#look(Date.now() - startedMs);
    return this.#complaints();
  }

  #look(elapsedMs: number): void {
    this.#crowd.count();
    const sample = {
      secs: Math.round(elapsedMs / 1000),
      rssMb: residentBytes(this.#bridge.child.pid) / MB,
      dbMb: this.#size('bridge.db') / MB,
      walMb: this.#size('bridge.db-wal') / MB,
      loopP99Ms: this.#loopP99Ms(),
      said: this.#crowd.said,
      answered: this.#crowd.answered,
    };
    this.#samples.push(sample);
    const { secs, rssMb, dbMb, walMb, loopP99Ms, said, answered } = sample;
    const cells = [secs, rssMb.toFixed(0), dbMb.toFixed(1), walMb.toFixed(1), loopP99Ms.toFixed(1)];
    const widths = [6, 8, 7, 8, 13];
    const row = cells.map((cell, at) => String(cell).padStart(widths[at] ?? 0)).join('');
    this.#options.print(`${row}${String(said).padStart(8)}${String(answered).padStart(10)}`);
  }

  #size(name: string): number {
    return statSync(join(this.#rig.stateDir, name), { throwIfNoEntry: false })?.size ?? 0;
  }

  /** From the status that the bridge writes. */
  #loopP99Ms(): number {
    const status = this.#rig.signOfLife() as { event_loop_delay?: { p99_ms: number } } | undefined;
    return status?.event_loop_delay?.p99_ms ?? 0;
  }

  #complaints(): string[] {
    const found = this.#crowd.complaints();
    const check = (holds: boolean, complaint: string) => {
      if (!holds) found.push(complaint);
    };
    const third = Math.floor(this.#samples.length / 3);
    const middle = median(this.#samples.slice(third, 2 * third).map(({ rssMb }) => rssMb));
    const last = median(this.#samples.slice(-third).map(({ rssMb }) => rssMb));
    check(
      last <= middle * BOUNDS.memoryGrowthMax,
      `memory grew from ${middle.toFixed(0)} to ${last.toFixed(0)} MB`,
    );
    const walBytes = Math.max(...this.#samples.map(({ walMb }) => walMb)) * MB;
    check(walBytes <= BOUNDS.walBytesMax, `the write-ahead log grew to ${walBytes} bytes`);
    // The rows of yesterday were there before the first of them.
    const [begin, end] = [this.#samples.at(0), this.#samples.at(-1)];
    const grownMb = (end?.dbMb ?? 0) - (begin?.dbMb ?? 0);
    const newMessages = (end?.said ?? 0) - (begin?.said ?? 0);
    const perMessage = (grownMb * MB) / Math.max(1, newMessages);
    check(
      perMessage <= BOUNDS.dbBytesPerMessageMax || newMessages < 1_000,
      `the database holds ${Math.round(perMessage)} bytes for each message`,
    );
    // What came since the last look at the old rows is still there.
    const rowsMax = INBOX_KEEP_ROWS + (PRUNE_EVERY_MS / 1000) * this.#options.perSecond;
    const pruned = this.#options.durationMs > PRUNE_EVERY_MS;
    const rows = withJournal(this.#rig, (db) => Number(db.get(COUNT)?.['count']));
    this.#options.print(`rows of turns at the end: ${rows}`);
    check(!pruned || rows <= rowsMax, `the journal holds ${rows} turns, and should be pruned`);
    const loop = median(this.#samples.map(({ loopP99Ms }) => loopP99Ms));
    check(loop <= BOUNDS.eventLoopP99MsMax, `event-loop delay p99 is ${loop} ms`);
    return found;
  }
}

const COUNT = 'SELECT count(*) AS count FROM turns';

function withJournal<T>(rig: Rig, work: (db: Db) => T): T {
  const db = Db.open(join(rig.stateDir, 'bridge.db'), {
    debug() {},
    info() {},
    warn() {},
    error() {},
  });
  try {
    return work(db);
  } finally {
    db.close();
  }
}

/** A busy bot's journal of yesterday, all of it answered. */
function writeYesterday(rig: Rig): void {
  const atMs = Date.now() - 1.5 * DAY_MS;
  withJournal(rig, (db) =>
    db.run(
      `WITH RECURSIVE n (at) AS (SELECT 1 UNION ALL SELECT at + 1 FROM n WHERE at < ?)
       INSERT INTO turns (app_id, message_id, chat_id, phase, state, message, received_at_ms,
         admitted_at_ms, ended_at_ms)
       SELECT ?, 'om_old_' || at, 'oc_old', 'answered', '{"phase":"answered"}', ?, ?, ?, ? FROM n`,
      YESTERDAY_ROWS,
      rig.app.appId,
      JSON.stringify({ parts: [{ kind: 'text', text: 'x'.repeat(250) }] }),
      atMs,
      atMs,
      atMs,
    ),
  );
}

function median(values: readonly number[]): number {
  return values.toSorted((one, other) => one - other)[Math.floor(values.length / 2)] ?? 0;
}
