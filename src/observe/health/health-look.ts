/** The health of a daemon, as somebody beside it finds it out: asked, read from its sign of life, or concluded. */
import { type HealthReport, PARTS, type Problem, type ProblemCode } from './health.ts';

/** A sign of life older than this is one of a process that hangs, or that can't write. */
const ALIVE_STALE_MS = 15_000;

export interface HealthLook {
  /** Process that holds the lock of the state directory. */
  readonly pid: number | undefined;
  /** What a daemon noted about itself last; maybe an earlier one. */
  readonly sign:
    | {
        readonly pid: number;
        readonly atMs: number;
        readonly says: Readonly<Record<string, unknown>>;
      }
    | undefined;
  /** Why nothing could be read of it, if that is so. */
  readonly unreadable: string | undefined;
  readonly nowMs: number;
  /** The JSON at an address; undefined if none comes in time. */
  readonly ask: (url: string) => Promise<unknown>;
}

export async function lookAtHealth(look: HealthLook): Promise<HealthReport> {
  const { pid, sign, unreadable, nowMs, ask } = look;
  if (unreadable !== undefined) {
    return unwell(pid !== undefined, 'storage', { sinceMs: nowMs, text: unreadable });
  }
  if (pid === undefined) {
    return unwell(false, 'process', {
      sinceMs: sign?.atMs ?? nowMs,
      text: 'The daemon is not running. Start it with `lark-bridge run`.',
    });
  }
  if (sign?.pid !== pid) {
    return unwell(true, 'process', {
      sinceMs: nowMs,
      text: `Process ${pid} has not said yet how it is: it is starting, or it is the hub alone. Look again in a moment.`,
    });
  }
  const { health_url: url, health } = sign.says;
  const told = typeof url === 'string' ? parseReport(await ask(url)) : undefined;
  if (told !== undefined) return told;
  const noted = parseReport(health);
  if (noted !== undefined && nowMs - sign.atMs <= ALIVE_STALE_MS) return noted;
  // Nobody could be asked: the lock shows that the process is there.
  return unwell(typeof url !== 'string', 'storage', {
    sinceMs: sign.atMs,
    text: 'The daemon is there, but has not been able to note that it lives: most likely the disk of the state directory is full, or another program locks the database. Make room, or end that program. If it is neither, the process hangs: restart it.',
  });
}

function unwell(
  live: boolean,
  code: ProblemCode,
  { sinceMs, text }: { sinceMs: number; text: string },
): HealthReport {
  return {
    live,
    ready: false,
    problems: [{ code, since: new Date(sinceMs).toISOString(), text }],
  };
}

/** Undefined for anything that is no report: an older daemon, or another program at that address. */
function parseReport(raw: unknown): HealthReport | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const { live, ready, problems } = raw as Readonly<Record<string, unknown>>;
  if (typeof live !== 'boolean' || typeof ready !== 'boolean' || !Array.isArray(problems)) {
    return undefined;
  }
  return { live, ready, problems: problems.filter(isProblem) };
}

function isProblem(raw: unknown): raw is Problem {
  if (typeof raw !== 'object' || raw === null) return false;
  const { code, since, text } = raw as Readonly<Record<string, unknown>>;
  return (
    PARTS.some((part) => part === code) && typeof since === 'string' && typeof text === 'string'
  );
}
