/** What `run` and `hub` start: the parts of the program, in the order in which they start. */
import { assemble } from './bridge-parts.ts';
import { type AppContext, larkSettings } from './context.ts';
import { createEmbeddedHub, openHub } from './hub-access.ts';
import { Monitoring } from './monitoring.ts';
import { journalOf, openState, watchDatabase } from './state.ts';
import type { Log } from '../core/log.ts';
import { startAll, stopAll, type Service } from '../time/service.ts';
import { Notifier } from '../host/notify.ts';
import { loadLateFiles } from '../net/late-files.ts';
import { noteOpen, notedUntilStopped } from '../host/open-parts.ts';
import type { HealthReport } from '../observe/health/health.ts';
import { steadyClock, systemClock } from '../time/clock.ts';

/** A bridge that runs, or a hub alone. */
export interface Running {
  readonly hubUrl: string;
  /** The health at this moment. */
  readonly health: () => HealthReport;
  /** Resolves when it is ready for the first time. */
  readonly becameReady: Promise<void>;
  /**
   * Rejects when it can't go on: Lark refuses the credentials for good, or the database is lost. Never
   * resolves.
   */
  readonly ended: Promise<never>;
  stop(): Promise<void>;
}

/** The bot: the hub (the embedded one unless another is named), the bridge, and the long connection. */
export async function startBridge(context: AppContext): Promise<Running> {
  const { config, env, log } = context;
  const lark = larkSettings(config);
  return openOrClose(log, async (opened) => {
    const db = openState(config, log, { opened, app: lark });
    const { journal } = journalOf(db, lark.appId);
    const monitoring = new Monitoring({ config, env, db, journal, clock: systemClock, log });
    await startAll(monitoring.first, log);
    opened.push(...monitoring.first);
    const hub = await openHub(context, { db, monitoring }, opened);
    const { services, ended, turnsAtWork } = assemble(context, { lark, hub, db, monitoring });
    const health = () => monitoring.report();
    // Starts last, because it tells the service manager that everything is ready.
    const notifier = new Notifier({
      env,
      pid: process.pid,
      report: health,
      clock: systemClock,
      log,
    });
    const watch = watchDatabase(db, log);
    const all = [watch.service, ...services, monitoring.last, notifier];
    await startAll(all, log);
    opened.push(...all);
    const { version } = monitoring;
    log.info('bridge_started', { version, hub: hub.url, ready: health().ready });
    return {
      hubUrl: hub.url,
      health,
      becameReady: monitoring.becameReady,
      ended: firstOf(ended, watch.ended),
      stop: () => toldStop(opened, { log, turnsAtWork }),
    };
  });
}

/** The hub alone, without a bot. */
export async function startHub(context: AppContext): Promise<Running> {
  const { config, env, log } = context;
  return openOrClose(log, async (opened) => {
    const db = openState(config, log, { opened });
    const journal = undefined;
    const monitoring = new Monitoring({ config, env, db, journal, clock: systemClock, log });
    const { pages, agents: agentMeter } = monitoring;
    const hub = createEmbeddedHub(context, db, { pages, agentMeter });
    const { service, ended } = watchDatabase(db, log);
    const all = [...monitoring.first, service, hub, monitoring.last];
    await startAll(all, log);
    opened.push(...all);
    const turnsAtWork = () => hub.turnsAtWork;
    return {
      hubUrl: hub.address,
      health: () => monitoring.report(),
      becameReady: monitoring.becameReady,
      ended,
      stop: () => toldStop(opened, { log, turnsAtWork }),
    };
  });
}

/** Rejects when the first of them does. */
function firstOf(...endings: readonly Promise<never>[]): Promise<never> {
  const first = Promise.race(endings);
  first.catch(() => {});
  return first;
}

/** A stop takes up to ten seconds, so the log says that it goes on, and what for. */
async function toldStop(
  opened: readonly Service[],
  { log, turnsAtWork }: { readonly log: Log; readonly turnsAtWork: () => number },
): Promise<void> {
  const beganMs = steadyClock.nowMs();
  log.info('stop_begun', { turns_at_work: turnsAtWork() });
  await stopParts(opened, log);
  log.info('stopped', { took_ms: Math.round(steadyClock.nowMs() - beganMs) });
}

function stopParts(opened: readonly Service[], log: Log): Promise<void> {
  return stopAll(notedUntilStopped(opened), log);
}

/** Runs `open`, which puts what it opens into a list. If it fails, everything in the list is closed again. */
async function openOrClose<T>(log: Log, open: (opened: Service[]) => Promise<T>): Promise<T> {
  const opened: Service[] = [];
  const started = noteOpen('start');
  loadLateFiles();
  try {
    return await open(opened);
  } catch (error) {
    await stopParts(opened, log);
    throw error;
  } finally {
    started();
  }
}
