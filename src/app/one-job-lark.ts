import type { Config } from '../config/load.ts';
import type { Log } from '../core/log.ts';
import { NO_OBSERVER } from '../bridge/ports/observer.ts';
import { Lark } from '../lark/lark.ts';
import { CallCounts } from '../store/sqlite/bridge/calls.ts';
import type { Db } from '../store/sqlite/db.ts';
import { steadyClock, systemClock } from '../time/clock.ts';
import { closing, type Service } from '../time/service.ts';
import type { LarkSettings } from './context.ts';

/** Lark for a command that does one job and ends. `closers` are stopped after everything that calls Lark. */
export function larkForOneJob(
  settings: LarkSettings,
  { config, db, log }: { readonly config: Config; readonly db: Db; readonly log: Log },
): { readonly lark: Lark; readonly closers: readonly Service[] } {
  const calls = new CallCounts({ db, app: settings.appId, clock: systemClock });
  const lark = new Lark({
    clock: systemClock,
    random: Math.random,
    ...settings,
    // The bot's id matters in groups only, and Lark delivers what is said there again later.
    botOpenId: undefined,
    lastKnown: undefined,
    paceClock: steadyClock,
    proxy: config,
    callLimits: config.callLimits,
    countCall: (callClass) => calls.count(callClass),
    log,
    observer: NO_OBSERVER,
  });
  return {
    lark,
    closers: [
      closing('call_counts', () => calls.flush()),
      closing('lark_http', () => lark.http.close()),
    ],
  };
}
