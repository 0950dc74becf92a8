import { expect, test } from 'vitest';
import { Pruning, PRUNE_EVERY_MS } from '../../../src/bridge/pruning.ts';
import type { Journal } from '../../../src/bridge/ports/journal.ts';
import type { OrderQueue } from '../../../src/bridge/ports/orders.ts';
import type { Engine } from '../../../src/bridge/turns/engine.ts';
import { Orders, type OrdersParts } from '../../../src/bridge/turns/orders.ts';
import { QueueNotices } from '../../../src/bridge/turns/queue-notices.ts';
import { BridgeError } from '../../../src/core/errors.ts';
import type { Service } from '../../../src/time/service.ts';
import { VirtualClock } from '../../kit/clock.ts';
import { recordingLog, type RecordingLog } from '../../kit/log.ts';

interface Surroundings {
  readonly clock: VirtualClock;
  readonly log: RecordingLog;
  readonly fail: () => never;
}

/** Each service with a part that fails whenever it is asked. */
const SERVICES: Readonly<Record<string, (given: Surroundings) => Service>> = {
  pruning: ({ fail, ...given }) =>
    new Pruning({ journal: { prune: fail } as unknown as Journal, ...given }),
  queue_notices: ({ fail, ...given }) =>
    new QueueNotices({ engine: { waiting: fail } as unknown as Engine, ...given }),
  orders: ({ fail, ...given }) =>
    new Orders({
      orders: { writtenOutside: fail } as unknown as OrderQueue,
      ...given,
    } as unknown as OrdersParts),
};

test.each(
  Object.keys(SERVICES).flatMap((name) => [
    { name, error: new TypeError('a bug'), level: 'error' },
    { name, error: new BridgeError('store_unavailable', 'the disk is full'), level: 'warn' },
  ]),
)('$name goes on after $error.message, which is logged as $level', async (given) => {
  const clock = new VirtualClock();
  const log = recordingLog();
  let rounds = 0;
  const fail = () => {
    rounds += 1;
    throw given.error;
  };
  const service = SERVICES[given.name]?.({ clock, log, fail });
  await service?.start();
  await clock.pass(2 * PRUNE_EVERY_MS);
  await service?.stop();
  expect(rounds).toBeGreaterThan(1);
  const [line] = log.lines;
  expect(line).toMatchObject({
    level: given.level,
    event: `${given.name}_failed`,
    error: given.error.message,
  });
  expect(line?.['stack']).toBe(given.level === 'error' ? given.error.stack : undefined);
});
