import { onTestFinished } from 'vitest';
import { workspaceId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import { PlatformClient } from '../../../src/platform/client.ts';
import { type Account, type Rig } from './rig.ts';
import { patientClock } from '../../kit/clock.ts';
import { recordingLog } from '../../kit/log.ts';

/** The bridge's side of the contract, as a workspace of the hub; it does not register by itself. */
export function clientOf(rig: Rig, account: Account, target: string) {
  const log = recordingLog();
  const client = new PlatformClient({
    url: rig.hub.address,
    workspace: workspaceId(account.id),
    token: () => new Secret(account.token),
    orgId: undefined,
    target: () => Promise.resolve(workspaceId(target)),
    turnTimeoutMs: 60_000,
    receive: () => Promise.resolve(),
    cursor: { load: () => Promise.resolve(undefined), save: () => Promise.resolve() },
    proxies: { httpProxy: undefined, httpsProxy: undefined, noProxy: undefined },
    clock: patientClock,
    log,
  });
  onTestFinished(() => client.stop());
  return { client, log };
}
