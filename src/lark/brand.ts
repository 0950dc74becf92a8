/** The only file that knows Lark's and Feishu's domains. */
import type { Brand } from '../core/brand.ts';

const DOMAINS = {
  feishu: { open: 'https://open.feishu.cn', accounts: 'https://accounts.feishu.cn' },
  lark: { open: 'https://open.larksuite.com', accounts: 'https://accounts.larksuite.com' },
} as const satisfies Record<Brand, { open: string; accounts: string }>;

/** Address of the open platform, without a slash at its end. `override` stands for both brands. */
export function openBaseUrl(brand: Brand, override?: string): string {
  return override === undefined ? DOMAINS[brand].open : withoutSlash(override);
}

/** Address of the accounts service, without a slash at its end. `override` stands for both brands. */
export function accountsBaseUrl(brand: Brand, override?: string): string {
  return override === undefined ? DOMAINS[brand].accounts : withoutSlash(override);
}

/** Where a person confirms a user code; reported to work for both brands, which the launcher is not. */
export const PAGE_PATH = '/page/cli';

export function verificationPageUrl(brand: Brand): string {
  return DOMAINS[brand].open + PAGE_PATH;
}

function withoutSlash(url: string): string {
  return url.replace(/\/+$/, '');
}
