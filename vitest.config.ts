import { defineConfig } from 'vitest/config';
import { TEST_MS, WAIT_MS } from './test/kit/bounds.ts';

export default defineConfig({
  test: {
    include: ['test/**/*.test.ts'],
    // axios, which the Lark SDK uses, sends even loopback calls to a proxy unless told otherwise.
    env: { NO_PROXY: '127.0.0.1,localhost,::1', no_proxy: '127.0.0.1,localhost,::1' },
    expect: { poll: { timeout: WAIT_MS, interval: 20 } },
    testTimeout: TEST_MS,
    hookTimeout: TEST_MS,
    pool: 'forks',
    // Most of the long ones wait for processes and sockets, not for a core.
    maxWorkers: 3,
  },
});
