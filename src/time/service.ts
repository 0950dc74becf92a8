import { BridgeError, errorStack, errorText } from '../core/errors.ts';
import type { Log } from '../core/log.ts';

/** A part of the program that runs. The constructor only remembers; `start` opens, `stop` closes. */
export interface Service {
  readonly name: string;
  start(): Promise<void>;
  stop(): Promise<void>;
}

/** Starts in order. If one fails, those already started are stopped, and its error is thrown. */
export async function startAll(services: readonly Service[], log: Log): Promise<void> {
  const started: Service[] = [];
  for (const service of services) {
    try {
      await service.start();
    } catch (error) {
      await stopAll(started, log);
      throw error;
    }
    started.push(service);
  }
}

/** Stops in reverse order. If one fails to stop, the others are stopped all the same. */
export async function stopAll(services: readonly Service[], log: Log): Promise<void> {
  for (const service of services.toReversed()) {
    try {
      await service.stop();
    } catch (error) {
      const fields = { service: service.name, error: errorText(error) };
      if (error instanceof BridgeError) log.warn('stop_failed', fields);
      // A bug. It must be seen, and the other services still have to stop.
      else log.error('stop_failed', { ...fields, stack: errorStack(error) });
    }
  }
}

/** A service that needs no start and only has to be closed. */
export function closing(name: string, close: () => void | Promise<void>): Service {
  return {
    name,
    start: () => Promise.resolve(),
    stop: async () => {
      await close();
    },
  };
}
