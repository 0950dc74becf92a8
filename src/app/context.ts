/** What every entry into the program needs, and what of the settings belongs together. */
import type { Config, Environment } from '../config/load.ts';
import { appId, type AppId } from '../core/ids.ts';
import type { Log } from '../core/log.ts';
import type { Secret } from '../core/secret.ts';
import { openBaseUrl } from '../lark/brand.ts';

export interface AppContext {
  readonly config: Config;
  /** What the programs of agents inherit. */
  readonly env: Environment;
  readonly log: Log;
}

export interface LarkSettings {
  readonly appId: AppId;
  readonly appSecret: Secret;
  readonly openBaseUrl: string;
}

export function larkSettings(config: Config): LarkSettings {
  const { appId: app, appSecret, brand } = config;
  if (app === undefined || appSecret === undefined) {
    throw new Error('settings were loaded without the need for a Lark app');
  }
  return { appId: appId(app), appSecret, openBaseUrl: openBaseUrl(brand, config.openBaseUrl) };
}
