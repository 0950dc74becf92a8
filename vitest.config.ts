import { defineConfig } from 'vitest/config';
import { TEST_MS, WAIT_MS } from './test/kit/bounds.ts';
import { LongestFirst } from './test/kit/sequencer.ts';

/** A seed that draws another order of the files. */
const order = process.env['ORDER'];

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // axios, which the Lark SDK uses, sends even loopback calls to a proxy unless told otherwise.
    env: { NO_PROXY: '127.0.0.1,localhost,::1', no_proxy: '127.0.0.1,localhost,::1' },
    expect: { poll: { timeout: WAIT_MS, interval: 20 } },
    testTimeout: TEST_MS,
    hookTimeout: TEST_MS,
    sequence:
      order === undefined
        ? { sequencer: LongestFirst }
        : { shuffle: { files: true, tests: false }, seed: Number(order) },
    pool: 'forks',
    // One process runs many files and loads the program once: that is half of the work of a whole run. So a
    // file that changes something of its process changes it back, and replaces no module (`vi.mock`).
    isolate: false,
    restoreMocks: true,
    unstubEnvs: true,
    // Most of the long ones wait for processes and sockets, not for a core.
    maxWorkers: 4,
  },
});
