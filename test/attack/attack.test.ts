/** Goal: whoever attacks, nobody else notices. Method: see attack.ts; here for as long as a run of the tests has time. */
import { expect, test } from 'vitest';
import { attack } from './attack.ts';

const SEED = 1;

test(
  'hostile tenants, agents, guests and files for some seconds: nobody else notices',
  {
    timeout: 300_000,
  },
  async () => {
    const { assault, said, complaints } = await attack({
      quietMs: 1_000,
      attackedMs: 3_000,
      rounds: 1,
      callsMin: 400,
      perSecond: 10,
      seed: SEED,
      print: () => {},
    });
    expect(complaints, `again: npm run attack -- --seed ${SEED}`).toEqual([]);
    // An attack that did not take place would prove nothing.
    expect(said).toBeGreaterThan(30);
    expect(assault.calls).toBeGreaterThan(300);
    expect(Object.keys(assault.statuses)).toEqual(
      expect.arrayContaining(['200', '202', '400', '401', '403', '404']),
    );
  },
);
