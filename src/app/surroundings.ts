/** What the commands of people need of the parts around the bridge. */
import type { BridgeParts } from '../bridge/bridge.ts';
import type { Diagnosis } from '../bridge/ports/commands.ts';
import type { LongConnection } from '../bridge/ports/intake.ts';
import type { Config } from '../config/load.ts';
import type { Text } from '../core/language.ts';
import { checkNode, checkStateDirectory, readStateDirectory } from '../doctor/machine.ts';
import { checkDaemon } from '../doctor/running.ts';
import { checkProtection } from '../doctor/hub.ts';
import { checkQuota } from '../doctor/storage.ts';
import type { Finding } from '../doctor/finding.ts';
import { installedVersion, packageFacts } from '../host/package.ts';
import type { CallCounts } from '../store/sqlite/bridge/calls.ts';
import { systemClock } from '../time/clock.ts';
import { askLark, larkFound, routesFound } from './doctor-lark.ts';
import type { HubAccess } from './hub-access.ts';
import { protectionTroubles } from './hub-protection.ts';
import type { Monitoring } from './monitoring.ts';

const SETTINGS: Text = { en: 'the settings', zh: '设置' };

interface SurroundingsParts {
  readonly config: Config;
  readonly hub: HubAccess;
  readonly monitoring: Monitoring;
  readonly link: () => LongConnection;
  readonly calls: CallCounts;
}

export function createSurroundings(
  parts: SurroundingsParts,
): NonNullable<BridgeParts['surroundings']> {
  const { config, hub, monitoring, link } = parts;
  return {
    prefix: config.commandPrefix,
    version: monitoring.version,
    agentName: () => hub.agentName(),
    ...(hub.controls !== undefined && { agents: hub.controls }),
    link,
    diagnose: () => diagnose(parts),
  };
}

/**
 * The checks of `doctor` that are about a bridge that runs. Those that open the database or take locks are made from
 * another process only: in this one they would release what it holds.
 */
async function diagnose(parts: SurroundingsParts): Promise<readonly Diagnosis[]> {
  const { config, monitoring, link, calls } = parts;
  const { version, engines } = packageFacts();
  const ownVersion = installedVersion() ?? version;
  const facts = await askLark(config);
  const ours = link().connectedSinceMs() === undefined ? 0 : 1;
  const health = monitoring.report();
  const findings: readonly Finding<Text>[] = [
    checkNode(process.versions.node, engines.node),
    ...checkStateDirectory(config.stateDir, readStateDirectory(config.stateDir)),
    ...checkDaemon({ pid: process.pid, health, version, ownVersion }),
    checkQuota(calls.thisMonth()),
    ...checkProtection(protectionTroubles(config, systemClock.nowMs())),
    ...routesFound(config),
    ...larkFound(config, facts, { ours, secretFrom: SETTINGS }),
  ];
  return findings;
}
