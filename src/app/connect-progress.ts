/** How far `connect` has come in a state directory, so that the next one goes on from there. */
import type { AppId } from '../core/ids.ts';
import { connectFile } from '../host/connect-file.ts';
import { parsePendingCode, type PendingCodes, recordOf } from '../lark/connect/pending-code.ts';

/** What is left to do for a bot that is stored, in this order. */
const STEPS = ['prove', 'agents', 'service'] as const;
type Step = (typeof STEPS)[number];

export function connectProgress(stateDir: string) {
  const file = connectFile(stateDir);
  return {
    /** `before`: the bot that the state directory holds already. */
    pendingCodes: (before: AppId | undefined): PendingCodes => ({
      load: () => parsePendingCode(file.load()),
      keep: (pending) => file.save({ ...recordOf(pending), app_before: before ?? null }),
      forget: () => file.remove(),
    }),

    /** The next step for the bot that the state directory holds; undefined if `connect` ended. */
    nextStep(app: AppId): Step | undefined {
      const record = file.load();
      if (parsePendingCode(record) !== undefined) {
        // Its bot was stored, and the process ended before it could say so.
        return record['app_before'] === app ? undefined : 'prove';
      }
      return record['app_id'] === app
        ? STEPS.find((step) => step === record['next_step'])
        : undefined;
    },

    reach: (app: AppId, step: Step) => file.save({ app_id: app, next_step: step }),

    end: () => file.remove(),
  };
}
