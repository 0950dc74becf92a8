/** The value in a JSON text. Undefined for anything else. */
export function parseJson(json: unknown): unknown {
  if (typeof json !== 'string') return undefined;
  try {
    return JSON.parse(json) as unknown;
  } catch {
    return undefined; // Not JSON: the caller decides what that means.
  }
}
