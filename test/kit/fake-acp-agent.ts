/** How a test starts the agent of `test/fixtures/acp`, and what went over its wire. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

const PROGRAM = join(import.meta.dirname, '../fixtures/acp/fake-agent.mjs');

export interface RpcMessage {
  readonly id?: number | string;
  readonly method?: string;
  readonly params?: Record<string, unknown>;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string };
}

export interface FakeAcpAgent {
  readonly argv: readonly string[];
  /** What the client sent to it, up to now. */
  received(): RpcMessage[];
}

/** `folder`: for its sessions and its log; they outlive the process. `script`: its switches. */
export function fakeAcpAgent(folder: string, script = ''): FakeAcpAgent {
  const log = join(folder, 'wire.log');
  const state = join(folder, 'sessions');
  return {
    argv: [process.execPath, PROGRAM, `--state=${state}`, `--log=${log}`, `--script=${script}`],
    received: () => {
      const lines = existsSync(log) ? readFileSync(log, 'utf8').split('\n') : [];
      return lines
        .filter((line) => line.startsWith('< '))
        .map((line) => JSON.parse(line.slice(2)) as RpcMessage);
    },
  };
}
