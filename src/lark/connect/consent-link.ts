/** The link that a person opens to create the bot, and what it asks of Lark for the bot. */
import { gzipSync } from 'node:zlib';
import { ASKED_AT_FIRST } from '../app-needs.ts';
import { CONSENT_PAGE_PATH } from '../brand.ts';

const BOT_NAME = 'lark-bridge';

/** `preset: false` limits the consent page to this list. The platform's default asks for far more. */
const ADDONS = {
  preset: false,
  scopes: { tenant: ASKED_AT_FIRST.scopes },
  events: { items: { tenant: ASKED_AT_FIRST.events } },
  callbacks: { items: ASKED_AT_FIRST.callbacks },
};

interface ConsentLinks {
  readonly url: string;
  /** The server's own link, if it differs. It helps if the first page refuses the code. */
  readonly launcherUrl: string | undefined;
}

/**
 * `serverUrl` is the server's `verification_uri_complete`. With `pageUrl` the first link leads to that page and
 * the server's link is the second one. Without it there is only the server's link.
 */
export function consentLinks({
  serverUrl,
  userCode,
  pageUrl,
}: {
  serverUrl: URL;
  userCode: string;
  pageUrl: string | undefined;
}): ConsentLinks {
  const launcher = withQuery(serverUrl);
  if (pageUrl === undefined) return { url: launcher, launcherUrl: undefined };
  const page = new URL(pageUrl);
  page.searchParams.set('user_code', userCode);
  const url = withQuery(page);
  return { url, launcherUrl: launcher === url ? undefined : launcher };
}

/** The consent page on the server's own host, if that host has Lark's paths. Undefined: use the server's link. */
export function consentPageOnHostOf(serverUrl: URL): string | undefined {
  return serverUrl.pathname === '/page/launcher'
    ? `${serverUrl.origin}${CONSENT_PAGE_PATH}`
    : undefined;
}

/** The same query as the official SDK's `registerApp`, in its order. The page reads `addons` from it. */
function withQuery(page: URL): string {
  const url = new URL(page);
  url.searchParams.set('from', 'sdk');
  url.searchParams.set('source', 'node-sdk/lark-bridge');
  url.searchParams.set('tp', 'sdk');
  url.searchParams.set('name', BOT_NAME);
  url.searchParams.set(
    'addons',
    gzipSync(JSON.stringify(ADDONS), { level: 9 }).toString('base64url'),
  );
  url.searchParams.set('createOnly', 'true');
  return url.href;
}
