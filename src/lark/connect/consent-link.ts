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
  /**
   * The same page for a code that fits into 24 lines. It says nothing of permissions, because the shortest list with
   * an event needs 27 lines. So Lark gives the app its standard set for agents, which is more than the bridge uses.
   */
  readonly shortUrl: string;
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
  if (pageUrl === undefined) {
    return { url: launcher, shortUrl: withShortQuery(serverUrl), launcherUrl: undefined };
  }
  const page = new URL(pageUrl);
  page.searchParams.set('user_code', userCode);
  const url = withQuery(page);
  const launcherUrl = launcher === url ? undefined : launcher;
  return { url, shortUrl: withShortQuery(page), launcherUrl };
}

/** The consent page on the server's own host, if that host has Lark's paths. Undefined: use the server's link. */
export function consentPageOnHostOf(serverUrl: URL): string | undefined {
  return serverUrl.pathname === '/page/launcher'
    ? `${serverUrl.origin}${CONSENT_PAGE_PATH}`
    : undefined;
}

const SOURCE = 'node-sdk';

/** The same query as the official SDK's `registerApp`, in its order. The page reads `addons` from it. */
function withQuery(page: URL): string {
  const addons = gzipSync(JSON.stringify(ADDONS), { level: 9 }).toString('base64url');
  return withParameters(page, {
    ...queryFrom(`${SOURCE}/lark-bridge`),
    addons,
    createOnly: 'true',
  });
}

function withShortQuery(page: URL): string {
  return withParameters(page, { ...queryFrom(SOURCE), createOnly: 'true' });
}

function queryFrom(source: string): Readonly<Record<string, string>> {
  return { from: 'sdk', source, tp: 'sdk', name: BOT_NAME };
}

function withParameters(page: URL, parameters: Readonly<Record<string, string>>): string {
  const url = new URL(page);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}
