import type { TurnUpdate } from '../../src/core/turn-update.ts';
import type { VirtualClock } from '../kit/clock.ts';

/** So begins all that an agent says before its answer. */
export const SO_FAR = 'so far';

const GAP_MS = 2_500;
/** How often an agent says more than one card holds. */
const LONG_RATE = 0.03;
const LONG = 'more and more '.repeat(800);

interface Work {
  readonly name: string;
  readonly isGoingOn: () => boolean;
  readonly tell: (update: TurnUpdate) => void;
}

interface TellingParts {
  readonly clock: VirtualClock;
  readonly random: () => number;
}

/** Agents that say what they do, and what they will answer, while they work. */
export class TellingAgents {
  readonly #parts: TellingParts;

  constructor(parts: TellingParts) {
    this.#parts = parts;
  }

  begin(work: Work): void {
    const { clock, random } = this.#parts;
    let said = '';
    let number = 0;
    const next = () => {
      number += 1;
      const isLong = random() < LONG_RATE;
      const more = `${SO_FAR} ${work.name}, part ${number}; ${isLong ? LONG : ''}`;
      const goesOn = work.isGoingOn();
      const roll = random();
      if (roll < 0.6) said += more;
      // One comes when the work is over already.
      work.tell(roll < 0.6 ? { kind: 'text_added', text: more } : this.#other(roll, said, number));
      if (goesOn) clock.after(random() * GAP_MS, next);
    };
    clock.after(random() * GAP_MS, next);
  }

  #other(roll: number, said: string, number: number): TurnUpdate {
    if (roll < 0.7) return { kind: 'text_replaced', text: said };
    if (roll < 0.85) return { kind: 'status', text: `Reading page ${number}` };
    const status = roll < 0.92 ? 'running' : 'done';
    return { kind: 'step', step: { id: `step ${number % 3}`, title: 'Reading', status } };
  }
}
