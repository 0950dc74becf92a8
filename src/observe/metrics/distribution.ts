/** Counts values by size: for each bound, how many values were not above it and above the bound before. */
export class Distribution {
  readonly bounds: readonly number[];
  /** One more than `bounds`: the last count is for values above all bounds. */
  readonly counts: number[];
  sum = 0;

  constructor(bounds: readonly number[]) {
    this.bounds = bounds;
    this.counts = Array.from({ length: bounds.length + 1 }, () => 0);
  }

  add(value: number): void {
    // Negative if somebody has set the clock back.
    const sound = Math.max(0, value);
    const at = this.bounds.findIndex((bound) => sound <= bound);
    const place = at < 0 ? this.bounds.length : at;
    this.counts[place] = (this.counts[place] ?? 0) + 1;
    this.sum += sound;
  }
}

export function distributionOf<Name>(
  all: Map<Name, Distribution>,
  name: Name,
  bounds: readonly number[],
): Distribution {
  let found = all.get(name);
  if (found === undefined) {
    found = new Distribution(bounds);
    all.set(name, found);
  }
  return found;
}
