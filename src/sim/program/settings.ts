/** The options and files of a start of the simulator, checked together. */
import { readFileSync } from 'node:fs';
import {
  flag,
  numberIn,
  oneOf,
  optional,
  readObject,
  text,
  type ValuesOf,
  type ReadResult,
  type Shape,
} from '../control/fields.ts';
import { WORLD_SHAPE, type WorldPlan } from '../control/world-plan.ts';
import type { PROGRAM_FLAGS } from './flags.ts';
import { isSystemError, Trouble } from './trouble.ts';

/** More seconds make no sense to a client. */
const SECONDS_MAX = 86_400;
/** With more, clients time out before the cloud answers. */
const TIME_SCALE_MAX = 10_000;
const SEED_MAX = 2 ** 31 - 1;

const FLAGS = {
  '--port': optional(numberIn({ min: 0, max: 65_535 })),
  '--host': optional(text),
  '--seed': optional(numberIn({ min: 0, max: SEED_MAX })),
  '--time-scale': optional(numberIn({ min: 0.001, max: TIME_SCALE_MAX, whole: false })),
  '--call-limits': optional(oneOf(['on', 'off'])),
  '--client-config': optional(text),
  '--world': optional(text),
  '--tls': optional(flag),
  '--tls-hosts': optional(text),
  '--ca-file': optional(text),
} satisfies Record<`--${keyof typeof PROGRAM_FLAGS}`, unknown>;

/** What bootstrap and pong send to the client, in seconds. */
const CLIENT_CONFIG = {
  ReconnectCount: optional(numberIn({ min: -1, max: 1_000_000 })),
  ReconnectInterval: optional(numberIn({ min: 0, max: SECONDS_MAX, whole: false })),
  ReconnectNonce: optional(numberIn({ min: 0, max: SECONDS_MAX, whole: false })),
  PingInterval: optional(numberIn({ min: 0.01, max: SECONDS_MAX, whole: false })),
};

export interface SimulateSettings {
  readonly host: string;
  readonly port: number;
  readonly seed: number | undefined;
  readonly timeScale: number | undefined;
  readonly callLimits: boolean;
  readonly clientConfig: ValuesOf<typeof CLIENT_CONFIG> | undefined;
  readonly world: WorldPlan | undefined;
  readonly tls:
    | { readonly hosts: readonly string[]; readonly caFile: string | undefined }
    | undefined;
}

/** Throws `usage` with everything that is wrong. */
export function simulateSettings(options: Readonly<Record<string, unknown>>): SimulateSettings {
  const problems: string[] = [];
  const valueOf = <T>(reading: ReadResult<T>, of = ''): T | undefined => {
    if (reading.ok) return reading.value;
    problems.push(...reading.problems.map((problem) => of + problem));
    return undefined;
  };
  const typed = Object.keys(FLAGS).map((name) => [name, options[name.slice('--'.length)]] as const);
  const flags = valueOf(readObject(FLAGS, Object.fromEntries(typed), '')) ?? {};
  const fileOf = <S extends Shape>(name: 'client-config' | 'world', shape: S) => {
    const path = options[name];
    if (typeof path !== 'string') return undefined;
    const content = valueOf(jsonIn(path), `--${name}: `);
    return content && valueOf(readObject(shape, content.json, ''), `${path}: `);
  };
  const clientConfig = fileOf('client-config', CLIENT_CONFIG);
  const world = fileOf('world', WORLD_SHAPE);
  const { '--tls-hosts': hosts, '--ca-file': caFile } = flags;
  const isTls = options['tls'] === true;
  if (!isTls && (hosts !== undefined || caFile !== undefined)) {
    problems.push('--tls-hosts and --ca-file need --tls');
  }
  if (flags['--host'] === '') problems.push('--host is empty');
  if (problems.length > 0) {
    throw new Trouble('usage', problems.join('; '), {
      next: 'Correct the options (`--help` lists them) and start it again.',
    });
  }
  return {
    host: flags['--host'] ?? '127.0.0.1',
    port: flags['--port'] ?? 0,
    seed: flags['--seed'],
    timeScale: flags['--time-scale'],
    callLimits: flags['--call-limits'] !== 'off',
    clientConfig,
    world,
    tls: isTls
      ? { hosts: (hosts ?? '').split(',').filter((name) => name !== ''), caFile }
      : undefined,
  };
}

function jsonIn(path: string): ReadResult<{ readonly json: unknown }> {
  try {
    return { ok: true, value: { json: JSON.parse(readFileSync(path, 'utf8')) } };
  } catch (error) {
    if (isSystemError(error)) return { ok: false, problems: [`can't read it: ${error.message}`] };
    if (!(error instanceof SyntaxError)) throw error;
    return { ok: false, problems: [`${path} is not JSON: ${error.message}`] };
  }
}
