/** What of the process is not closed yet, for its last words when a stop takes too long. */
import type { Service } from '../time/service.ts';

/** In the order of the stop. The process has one stop, so it has one list. */
const open = new Set<{ readonly name: string }>();

/** Until the returned function is called, the process can't be said to be closed. */
export function noteOpen(name: string): () => void {
  const part = { name };
  open.add(part);
  return () => void open.delete(part);
}

/** The same services, each noted from now until it has stopped. */
export function notedUntilStopped(services: readonly Service[]): Service[] {
  // They stop in reverse order.
  return services
    .toReversed()
    .map((service) => {
      const closed = noteOpen(service.name);
      return {
        name: service.name,
        start: () => service.start(),
        stop: () => service.stop().finally(closed),
      };
    })
    .toReversed();
}

/** The first one is what the others wait for. */
export function openParts(): string[] {
  return [...open].map(({ name }) => name);
}
