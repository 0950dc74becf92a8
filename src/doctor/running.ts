/** Processes: the daemon of this state directory, and others on the same app. */
import type { ErrorCode } from '../core/errors.ts';
import type { Text } from '../core/language.ts';
import type { LarkResult } from '../lark/facts.ts';
import type { FoundHealth, ProblemCode } from '../observe/health/health.ts';
import type { InstanceOwner } from '../host/instance-lock.ts';
import { type Finding, note, ok, problem, warning } from './finding.ts';

interface DaemonFact {
  /** Undefined if none runs. */
  readonly pid: number | undefined;
  /** Undefined if it can't be read. */
  readonly health: FoundHealth | undefined;
  /** Undefined if its status has none. */
  readonly version: string | undefined;
  readonly ownVersion: string;
}

const ERROR_OF: Readonly<Record<ProblemCode, ErrorCode>> = {
  storage: 'store_unavailable',
  lost_data: 'state_corrupt',
  lark_connection: 'unreachable',
  hub: 'unreachable',
  agent: 'unreachable',
  process: 'failed',
};

const CHINESE_OF: Readonly<Record<ProblemCode, string>> = {
  storage: '存储',
  lost_data: '数据库损坏后的丢失数据',
  lark_connection: '与 Lark 的连接',
  hub: '平台',
  agent: '智能体',
  process: '进程',
};

export function checkDaemon({ pid, health, version, ownVersion }: DaemonFact): Finding<Text>[] {
  if (pid === undefined) {
    return [
      note('daemon', 'No daemon runs on this state directory.', {
        next: 'Start it with `lark-bridge run`, or `lark-bridge service install`.',
      }),
    ];
  }
  const who = `The daemon, process ${pid},`;
  if (health === undefined) return [note('daemon', `${who} runs. Its status can't be read.`)];
  const troubles = health.problems.map(({ code, since, text }) => {
    const finding = {
      en: `${who} is not ready (${code}${since === null ? '' : `, since ${since}`}).`,
      zh: `守护进程（进程号 ${pid}）没有就绪：${CHINESE_OF[code]}有问题${since === null ? '' : `，自 ${since} 起`}。`,
    };
    return problem('daemon', finding, {
      reason: text,
      next: {
        en: 'Read its log: `lark-bridge service logs`, or where you started it.',
        zh: '请查看它的日志：运行 `lark-bridge service logs`，或在启动它的地方查看。',
      },
      error: ERROR_OF[code],
    });
  });
  const findings = health.ready ? [ok('daemon', `${who} is ready.`)] : troubles;
  if (version === undefined || version === ownVersion) return findings;
  const finding = {
    en: `The daemon runs version ${version}, this is ${ownVersion}.`,
    zh: `守护进程的版本是 ${version}，而这里是 ${ownVersion}。`,
  };
  return [
    ...findings,
    warning('daemon_version', finding, {
      reason: 'It was started before the upgrade, and keeps its version until it is restarted.',
      next: {
        en: 'Restart it: `lark-bridge service restart`, or stop and start `lark-bridge run`.',
        zh: '请重启它：运行 `lark-bridge service restart`，或停止后再启动 `lark-bridge run`。',
      },
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
export function checkConnections(count: LarkResult<number>, ours: number): Finding<Text> {
  const check = 'connections';
  if (count.kind !== 'ok') {
    return note(check, 'Lark did not count the connections of the app.', { reason: count.detail });
  }
  const { value } = count;
  const stale = 'The count can be some minutes old.';
  if (value > ours) {
    const finding = {
      en: `Lark counts ${value} connections of the app, ${ours === 0 ? 'none' : 'one'} of them is ours.`,
      zh: `Lark 统计到这个应用有 ${value} 个连接，其中 ${ours} 个是我们的。`,
    };
    return warning(check, finding, {
      reason: `Each event goes to only one connection, so another program takes messages away. ${stale}`,
      next: {
        en: 'Stop the other program that uses this app, or create a bot of its own with `lark-bridge connect`.',
        zh: '请停止使用这个应用的其他程序，或用 `lark-bridge connect` 另建一个机器人。',
      },
    });
  }
  if (value < ours) {
    const finding = {
      en: 'The daemon says that it is connected, Lark counts no connection.',
      zh: '守护进程显示已连接，但 Lark 没有统计到连接。',
    };
    return warning(check, finding, {
      reason: `Without a connection nothing arrives. ${stale}`,
      next: {
        en: 'Run this again in five minutes. If nothing has changed, restart the daemon.',
        zh: '请五分钟后再检查一次。如果没有变化，请重启守护进程。',
      },
    });
  }
  return ok(
    check,
    value === 0 ? 'No program is connected as this app.' : 'Only the daemon here is connected.',
  );
}
