/** The programs of one agent: one for each folder, shared by the sessions there, for as long as somebody needs it. */
import type { Clock } from '../../time/clock.ts';
import type { NamedTurn } from '../turn-log.ts';
import type { AcpObserver } from './observer.ts';
import type { AcpProcess } from './process.ts';
import type { ProgramPlaces } from './places.ts';

interface ProgramsParts {
  /** Opens a program, which has to be started. Rejects with an `AcpTrouble`. */
  readonly open: (folder: string, turn: NamedTurn) => Promise<AcpProcess>;
  readonly places: ProgramPlaces;
  /** A program without work is ended after this time. */
  readonly idleMs: number;
  readonly observer: AcpObserver;
  readonly clock: Clock;
}

interface Wanted {
  readonly folder: string;
  /** The turn for which it is started if it is not there yet. */
  readonly turn: NamedTurn;
  /** All programs are at work, so this one has to wait. */
  readonly onWait: () => void;
  readonly signal: AbortSignal;
}

export interface HeldProgram {
  readonly program: AcpProcess;
  /** How many turns it works on, this one included. */
  readonly turns: () => number;
  /** No other turn gets it, and it is ended when it has no work. */
  readonly retire: () => void;
  readonly release: () => void;
}

export class Programs {
  readonly #parts: ProgramsParts;
  readonly #entries = new Map<string, Entry>();
  /** Where a program has ended while turns were at work in it. */
  readonly #broken = new Set<string>();
  /** Also those that no turn gets any more. */
  readonly #all = new Set<Entry>();

  constructor(parts: ProgramsParts) {
    this.#parts = parts;
  }

  /** Undefined: `signal` aborted first. Rejects with an `AcpTrouble` if the program can't be started. */
  async acquire(wanted: Wanted): Promise<HeldProgram | undefined> {
    const { folder, signal } = wanted;
    while (!signal.aborted) {
      const entry = this.#entries.get(folder) ?? this.#add(folder);
      // What is left of a program that ends must not work beside the next one.
      if (entry.isOver) await entry.gone;
      else {
        const held = await entry.hold(wanted);
        if (held !== undefined) return held;
      }
    }
    return undefined;
  }

  /** Ends all of them. Resolves when nothing is left. */
  async end(atMostMs: number): Promise<void> {
    await Promise.all([...this.#all].map((entry) => entry.end(atMostMs)));
  }

  #add(folder: string): Entry {
    const retire = () => {
      if (this.#entries.get(folder) === entry) this.#entries.delete(folder);
    };
    const { observer } = this.#parts;
    const onStarted = () => observer.programStarted(this.#broken.delete(folder));
    const entry = new Entry(this.#parts, { leaveList: retire, onStarted });
    this.#entries.set(folder, entry);
    this.#all.add(entry);
    void entry.gone.then(() => {
      retire();
      this.#all.delete(entry);
      if (entry.hasStarted) observer.programEnded();
      if (entry.hasStarted && entry.isAtWork) this.#broken.add(folder);
    });
    return entry;
  }
}

/** A program from the wish for it until nothing of it is left. */
class Entry {
  /** Resolves when nothing of it is left. */
  readonly gone: Promise<void>;
  readonly #parts: ProgramsParts;
  readonly #list: { readonly leaveList: () => void; readonly onStarted: () => void };
  readonly #givenUp = new AbortController();
  readonly #waiting = new Set<() => void>();
  #isInLine = false;
  #started: Promise<AcpProcess | undefined> | undefined;
  #program: AcpProcess | undefined;
  #turns = 0;
  #isOver = false;
  #isRetired = false;
  #endIdle: () => void = () => {};
  #tellGone: () => void = () => {};

  constructor(parts: ProgramsParts, list: { leaveList: () => void; onStarted: () => void }) {
    this.#parts = parts;
    this.#list = list;
    this.gone = new Promise((resolve) => {
      this.#tellGone = resolve;
    });
  }

  get hasStarted(): boolean {
    return this.#program !== undefined;
  }

  get isAtWork(): boolean {
    return this.#turns > 0;
  }

  /** It takes no more turns, and what is left of it ends. */
  get isOver(): boolean {
    return this.#isOver || this.#givenUp.signal.aborted || this.#program?.isAlive === false;
  }

  async hold({ folder, turn, onWait, signal }: Wanted): Promise<HeldProgram | undefined> {
    this.#turns += 1;
    this.#endIdle();
    let isHeld = true;
    const release = () => {
      if (isHeld) this.#release();
      isHeld = false;
    };
    this.#waiting.add(onWait);
    if (this.#isInLine) onWait();
    signal.addEventListener('abort', release, { once: true });
    try {
      this.#started ??= this.#start(folder, turn);
      const program = await this.#started;
      if (program === undefined || signal.aborted) return undefined;
      return { program, turns: () => this.#turns, retire: () => this.#retire(), release };
    } catch (error) {
      release();
      throw error;
    } finally {
      signal.removeEventListener('abort', release);
      this.#waiting.delete(onWait);
    }
  }

  async end(atMostMs: number): Promise<void> {
    this.#isOver = true;
    this.#givenUp.abort();
    await this.#program?.end({ atMostMs });
    if (this.#started !== undefined) await this.gone;
  }

  async #start(folder: string, turn: NamedTurn): Promise<AcpProcess | undefined> {
    const leave = await this.#parts.places.take(() => {
      this.#isInLine = true;
      for (const tell of this.#waiting) tell();
    }, this.#givenUp.signal);
    this.#isInLine = false;
    if (leave === undefined) {
      this.#over();
      return undefined;
    }
    const over = () => {
      leave();
      this.#over();
    };
    try {
      const program = await this.#parts.open(folder, turn);
      this.#program = program;
      this.#list.onStarted();
      void program.gone.then(over);
      // It was opened while all of them were told to end.
      if (this.#givenUp.signal.aborted) void program.end({ atMostMs: 0 });
      await program.start();
      // Those who wanted it may have gone meanwhile.
      if (this.#turns === 0) this.#beIdle(program);
      return program;
    } catch (error) {
      over();
      throw error;
    }
  }

  #over(): void {
    this.#isOver = true;
    this.#endIdle();
    this.#tellGone();
  }

  #retire(): void {
    this.#isRetired = true;
    this.#list.leaveList();
  }

  #release(): void {
    this.#turns -= 1;
    if (this.#turns > 0 || this.#isOver) return;
    const program = this.#program;
    // Nobody needs the program that waits in line.
    if (program === undefined) {
      if (this.#isInLine) this.#givenUp.abort();
      return;
    }
    if (this.#isRetired) void program.end();
    else this.#beIdle(program);
  }

  #beIdle(program: AcpProcess): void {
    const { places, clock, idleMs } = this.#parts;
    const end = () => {
      this.#endIdle();
      void program.end();
    };
    this.#endIdle();
    const cancelTimer = clock.after(idleMs, end);
    this.#endIdle = cancelTimer;
    const takeBack = places.noteIdle(end);
    this.#endIdle = () => {
      cancelTimer();
      takeBack();
    };
  }
}
