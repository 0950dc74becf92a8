/** The only file that knows Lark's and Feishu's domains. */
import type { Brand } from '../core/brand.ts';
import type { AppId } from '../core/ids.ts';

const DOMAINS = {
  feishu: {
    open: 'https://open.feishu.cn',
    accounts: 'https://accounts.feishu.cn',
    links: 'https://applink.feishu.cn',
  },
  lark: {
    open: 'https://open.larksuite.com',
    accounts: 'https://accounts.larksuite.com',
    links: 'https://applink.larksuite.com',
  },
} as const satisfies Record<Brand, { open: string; accounts: string; links: string }>;

/** The address of the open platform, without a slash at its end. `override` replaces it for both brands. */
export function openBaseUrl(brand: Brand, override?: string): string {
  return override === undefined ? DOMAINS[brand].open : withoutSlash(override);
}

/** The address of the accounts service, without a slash at its end. `override` replaces it for both brands. */
export function accountsBaseUrl(brand: Brand, override?: string): string {
  return override === undefined ? DOMAINS[brand].accounts : withoutSlash(override);
}

/** Where a person confirms a user code. Users report that it works for both brands, unlike the launcher page. */
export const CONSENT_PAGE_PATH = '/page/cli';

export function consentPageUrl(brand: Brand): string {
  return DOMAINS[brand].open + CONSENT_PAGE_PATH;
}

/** Where people change an app. */
const CONSOLE_PAGES = {
  app: '',
  bot: '/bot',
  permissions: '/auth',
  events: '/event?tab=event',
  callbacks: '/event?tab=callback',
  versions: '/version',
  security: '/safe',
} as const;

export type ConsolePage = keyof typeof CONSOLE_PAGES;

/** A page of the app in the developer console, which is on the open platform's host. */
export function consolePageUrl(openBase: string, app: AppId, page: ConsolePage): string {
  return `${openBase}/app/${app}${CONSOLE_PAGES[page]}`;
}

/** The console's page of permissions, with `scopes` filled in. */
export function grantPageUrl(openBase: string, app: AppId, scopes: readonly string[]): string {
  const page = consolePageUrl(openBase, app, 'permissions');
  return `${page}?q=${scopes.join(',')}&op_from=openapi&token_type=tenant`;
}

/** Opens the direct chat with the bot in the Lark or Feishu app. */
export function botChatUrl(brand: Brand, app: AppId): string {
  return `${DOMAINS[brand].links}/client/bot/open?appId=${app}`;
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
