/** The health of a daemon, found by another process: asked for, read from its latest status, or concluded. */
import {
  type FoundHealth,
  type HealthReport,
  parseHealthReport,
  type ProblemCode,
} from './health.ts';

/** An older status is one of a process that hangs or can't write. */
const STATUS_STALE_MS = 15_000;

export interface DaemonHealthFacts {
  /** Process that holds the lock of the state directory. */
  readonly pid: number | undefined;
  /** What a daemon wrote about itself last; maybe an earlier process. */
  readonly latest:
    | {
        readonly pid: number;
        readonly atMs: number;
        readonly status: {
          readonly health_url?: string | undefined;
          readonly health?: HealthReport;
        };
      }
    | undefined;
  /** Why the database can't be read, if it can't. */
  readonly unreadable: string | undefined;
  /** The settings name a bot. */
  readonly hasBot: boolean;
  readonly nowMs: number;
  /** The JSON at an address; undefined if none comes in time. */
  readonly ask: (url: string) => Promise<unknown>;
}

export async function daemonHealth(facts: DaemonHealthFacts): Promise<FoundHealth> {
  const { pid, latest, unreadable, hasBot, nowMs, ask } = facts;
  if (unreadable !== undefined) {
    return notReady(pid !== undefined, 'storage', { text: unreadable });
  }
  if (pid === undefined) {
    return notReady(false, 'process', {
      sinceMs: latest?.atMs,
      text: hasBot
        ? 'The bot is not running. Start it with `lark-bridge run`.'
        : 'No bot is connected yet. Create one with `lark-bridge connect`, then start it with `lark-bridge run`.',
    });
  }
  if (latest?.pid !== pid) {
    return notReady(true, 'process', {
      text: `Process ${pid} has not written its status yet: it is starting, or it is the hub alone. Try again in a moment.`,
    });
  }
  const { health_url: url, health } = latest.status;
  const answered = url === undefined ? undefined : parseHealthReport(await ask(url));
  if (answered !== undefined) return answered;
  if (health !== undefined && nowMs - latest.atMs <= STATUS_STALE_MS) return health;
  // The lock shows that the process is there, but it does not answer or has no address to answer at.
  return notReady(url === undefined, 'storage', {
    sinceMs: latest.atMs,
    text: 'The daemon is there, but it can no longer write its status. Most likely the disk of the state directory is full, or another program locks the database. Make room, or end that program. If it is neither, the process hangs: restart it.',
  });
}

function notReady(
  live: boolean,
  code: ProblemCode,
  { sinceMs, text }: { readonly sinceMs?: number | undefined; readonly text: string },
): FoundHealth {
  const since = sinceMs === undefined ? null : new Date(sinceMs).toISOString();
  return { live, ready: false, problems: [{ code, since, text }], notes: [] };
}
