/** Processes: the daemon of this state directory, and others on the same app. */
import type { ErrorCode } from '../core/errors.ts';
import type { LarkResult } from '../lark/facts.ts';
import type { HealthReport, ProblemCode } from '../observe/health/health.ts';
import type { InstanceOwner } from '../host/instance-lock.ts';
import { type Finding, note, ok, problem, warning } from './finding.ts';

interface DaemonFact {
  /** Undefined if none runs. */
  readonly pid: number | undefined;
  /** Undefined if it can't be read. */
  readonly health: HealthReport | undefined;
  /** Undefined if its status has none. */
  readonly version: string | undefined;
  readonly ownVersion: string;
}

const ERROR_OF: Readonly<Record<ProblemCode, ErrorCode>> = {
  storage: 'store_unavailable',
  lark_connection: 'unreachable',
  hub: 'unreachable',
  process: 'failed',
};

export function checkDaemon({ pid, health, version, ownVersion }: DaemonFact): Finding[] {
  if (pid === undefined) {
    return [
      note('daemon', 'No daemon runs on this state directory.', {
        next: 'Start it with `lark-bridge run`, or `lark-bridge service install`.',
      }),
    ];
  }
  const who = `The daemon, process ${pid},`;
  if (health === undefined) return [note('daemon', `${who} runs. Its status can't be read.`)];
  const troubles = health.problems.map(({ code, since, text }) =>
    problem('daemon', `${who} is not ready (${code}, since ${since}).`, {
      reason: text,
      next: 'Read its log: `lark-bridge service logs`, or where you started it.',
      error: ERROR_OF[code],
    }),
  );
  const findings = health.ready ? [ok('daemon', `${who} is ready.`)] : troubles;
  if (version === undefined || version === ownVersion) return findings;
  return [
    ...findings,
    warning('daemon_version', `The daemon runs version ${version}, this is ${ownVersion}.`, {
      reason: 'It was started before the upgrade, and keeps its version until it is restarted.',
      next: 'Restart it: `lark-bridge service restart`, or stop and start `lark-bridge run`.',
    }),
  ];
}

/** Another process of this user that runs the same app on another state directory. */
export function checkOtherProcess(other: InstanceOwner | undefined): Finding {
  if (other === undefined)
    return ok('second_process', 'No other process of this user runs the app.');
  return warning(
    'second_process',
    `Process ${other.pid} runs the same app on the state directory ${other.stateDir}.`,
    {
      reason:
        'Each of two processes would get a part of the messages, so `lark-bridge run` here ends with exit code 5.',
      next: 'Stop that process, or create a bot of its own for this state directory.',
    },
  );
}

/** `ours`: how many long connections the daemon here has, 0 or 1. */
export function checkConnections(count: LarkResult<number>, ours: number): Finding {
  const check = 'connections';
  if (count.kind !== 'ok') {
    return note(check, 'Lark did not count the connections of the app.', { reason: count.detail });
  }
  const { value } = count;
  const own = ours === 0 ? 'none of them is ours' : 'one of them is ours';
  const stale = 'The count can be some minutes old.';
  if (value > ours) {
    return warning(check, `Lark counts ${value} connections of the app, ${own}.`, {
      reason: `Each event goes to only one connection, so another program takes messages away. ${stale}`,
      next: 'Stop the other program that uses this app, or create a bot of its own with `lark-bridge connect`.',
    });
  }
  if (value < ours) {
    return warning(check, 'The daemon says that it is connected, Lark counts no connection.', {
      reason: `Without a connection nothing arrives. ${stale}`,
      next: 'Run this again in five minutes. If nothing has changed, restart the daemon.',
    });
  }
  return ok(
    check,
    value === 0 ? 'No program is connected as this app.' : 'Only the daemon here is connected.',
  );
}
