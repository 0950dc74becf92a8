/** The files that take longest come first, so that no worker is left alone with one of them at the end. */
import { BaseSequencer, type TestSpecification } from 'vitest/node';

/** By their share of a whole run; where Vitest remembers earlier runs, it knows the rest. */
const LONGEST = [
  'e2e/plugin',
  'e2e/chaos',
  'e2e/bootstrap',
  'e2e/connect-check',
  'sim/model',
  'e2e/plain-poll',
  'unit/cli/bin',
  'e2e/',
  'bench/',
];

function rank({ moduleId }: TestSpecification): number {
  const at = LONGEST.findIndex((part) => moduleId.includes(`/test/${part}`));
  return at < 0 ? LONGEST.length : at;
}

export class LongestFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]): Promise<TestSpecification[]> {
    // oxlint-disable-next-line unicorn/no-array-sort -- it is no array's
    const sorted = await super.sort(files);
    return sorted.toSorted((one, other) => rank(one) - rank(other));
  }
}
