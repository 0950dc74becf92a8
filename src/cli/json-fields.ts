/** The one spelling of fields on stdout: snake_case, and each time in ISO 8601. */

const TIME = /(?:A|^a|S|^s)(?:tMs|inceMs)$/;

/** The fields of an object of ours: `lastEventAtMs` becomes `last_event_at`. Undefined ones stay away. */
export function jsonFields(value: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(value).map(([name, one]: [string, unknown]) =>
      TIME.test(name)
        ? [snakeCase(name.slice(0, -2)), timesIn(one)]
        : [snakeCase(name), inner(one)],
    ),
  );
}

function inner(value: unknown): unknown {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
    ? jsonFields(value)
    : value;
}

/** One time, or times by names that are not ours. */
function timesIn(value: unknown): unknown {
  if (typeof value === 'number') return new Date(value).toISOString();
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([name, one]) => [name, timesIn(one)]));
}

function snakeCase(name: string): string {
  return name.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}
