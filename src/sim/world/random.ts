/** Numbers in [0, 1). */
export type Random = () => number;

/**
 * A seeded stream of numbers. Streams with different names are independent: more numbers for one
 * (ids) do not change another (faults). Small and fast; not for secrets.
 */
export function createRandom(seed: number, stream: string): Random {
  let state = mix(seed | 0, stream);
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

function mix(seed: number, stream: string): number {
  let hash = seed ^ 0x811c9dc5;
  for (let at = 0; at < stream.length; at += 1) {
    hash = Math.imul(hash ^ stream.charCodeAt(at), 0x01000193);
  }
  return hash | 0;
}
