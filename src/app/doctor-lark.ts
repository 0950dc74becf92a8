/** What `doctor` asks Lark. */
import { systemClock } from '../time/clock.ts';
import type { Config, ConfigRequest, ConfigReport } from '../config/load.ts';
import type { Brand } from '../core/brand.ts';
import { appId } from '../core/ids.ts';
import type { Text } from '../core/language.ts';
import type { LarkFacts } from '../lark/facts.ts';
import { APP_NEEDS } from '../lark/app-needs.ts';
import { accountsBaseUrl, consolePageUrl, grantPageUrl, openBaseUrl } from '../lark/brand.ts';
import { checkLark } from '../lark/connect/lark-check.ts';
import { proxyFor } from '../net/proxy.ts';
import { checkApp } from '../doctor/app.ts';
import type { Finding } from '../doctor/finding.ts';
import { checkClock, checkReach, checkRoutes, routeTo } from '../doctor/network.ts';
import { checkRights } from '../doctor/rights.ts';
import { checkConnections } from '../doctor/running.ts';
import type { Log } from '../core/log.ts';

export const BRAND_NAMES = {
  feishu: { en: 'Feishu', zh: '飞书' },
  lark: { en: 'Lark', zh: 'Lark' },
} as const satisfies Record<Brand, Text>;

export const SILENT: Log = { debug() {}, info() {}, warn() {}, error() {} };

export interface CheckContext {
  readonly report: ConfigReport;
  readonly env: ConfigRequest['env'];
  readonly version: string;
  readonly offline: boolean;
}

export function askLark(config: Config): Promise<LarkFacts> {
  const { appId: name, appSecret } = config;
  return checkLark({
    brand: config.brand,
    openBaseUrl: config.openBaseUrl,
    accountsBaseUrl: config.accountsBaseUrl,
    credentials:
      name === undefined || appSecret === undefined ? undefined : { appId: appId(name), appSecret },
    proxy: config,
    clock: systemClock,
  });
}

interface LarkCheckContext {
  /** How many long connections the daemon here has. */
  readonly ours: number;
  readonly secretFrom: Text;
}

export function larkFound(
  config: Config,
  { reaches, app: facts }: LarkFacts,
  { ours, secretFrom }: LarkCheckContext,
): Finding<Text>[] {
  const { brand, appId: name, botOpenId } = config;
  const clock = checkClock(reaches);
  const found = [...reaches.map(checkReach), ...(clock === undefined ? [] : [clock])];
  if (facts === undefined || name === undefined) return found;
  const base = openBaseUrl(brand, config.openBaseUrl);
  const page = (which: Parameters<typeof consolePageUrl>[2]) =>
    consolePageUrl(base, appId(name), which);
  const otherBrand = brand === 'lark' ? 'feishu' : 'lark';
  const subject = {
    brandName: BRAND_NAMES[brand],
    otherBrandName: BRAND_NAMES[otherBrand],
    otherBrand,
    pages: {
      app: page('app'),
      bot: page('bot'),
      versions: page('versions'),
      security: page('security'),
    },
    secretFrom,
    botOpenId,
  };
  const pages = {
    permissions: page('permissions'),
    grant: (scopes: readonly string[]) => grantPageUrl(base, appId(name), scopes),
    events: page('events'),
    callbacks: page('callbacks'),
  };
  const { console, connections } = facts;
  return [
    ...found,
    ...checkApp(facts, subject),
    ...(console === undefined ? [] : checkRights(console, APP_NEEDS, pages)),
    ...(connections === undefined ? [] : [checkConnections(connections, ours)]),
  ];
}

export function routesFound(config: Config): Finding<Text>[] {
  return checkRoutes(routesOf(config));
}

function routesOf({ brand, openBaseUrl: open, accountsBaseUrl: accounts, ...rest }: Config) {
  const { platformUrl } = rest;
  const targets = [
    { what: 'the open platform', url: openBaseUrl(brand, open) },
    { what: 'the accounts service', url: accountsBaseUrl(brand, accounts) },
    ...(platformUrl === undefined ? [] : [{ what: 'the hub', url: platformUrl }]),
  ];
  return targets.map(({ what, url }) => {
    const target = new URL(url);
    return routeTo(what, target, proxyFor(target, rest));
  });
}
