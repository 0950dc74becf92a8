import type { A2aRuntime } from '../../../../src/agents/a2a/runtime.ts';
import type { A2aSpec } from '../../../../src/agents/runtime.ts';
import { systemClock } from '../../../../src/time/clock.ts';
import { silentLog } from '../../../kit/log.ts';

export type A2aOptions = ConstructorParameters<typeof A2aRuntime>[0];

/** For an agent of this machine. */
export function a2aOptions(
  url: string,
  { spec, ...more }: Partial<Omit<A2aOptions, 'spec'>> & { spec?: Partial<A2aSpec> } = {},
): A2aOptions {
  return {
    spec: { kind: 'a2a', url, isPrivate: true, ...spec },
    env: {},
    answerBytesMax: 1024 * 1024,
    clock: systemClock,
    log: silentLog,
    ...more,
  };
}
