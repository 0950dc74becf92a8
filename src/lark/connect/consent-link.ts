/** The link that a person opens to create the bot, and what it asks of Lark for the bot. */
import { gzipSync } from 'node:zlib';
import type { AppId } from '../../core/ids.ts';
import { type AppRights, ASKED_AT_FIRST } from '../app-needs.ts';
import { CONSENT_PAGE_PATH } from '../brand.ts';

const NEW = { name: 'lark-bridge' };

/** Rights that an app gets beside those that it has. */
export interface MoreRights {
  readonly app: AppId;
  readonly rights: AppRights;
}

interface Consent {
  readonly serverUrl: URL;
  readonly userCode: string;
  readonly pageUrl: string | undefined;
  /** Undefined for a new app. */
  readonly more?: MoreRights | undefined;
}

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
export function consentLinks({ serverUrl, userCode, pageUrl, more }: Consent): ConsentLinks {
  const launcher = withQuery(serverUrl, more);
  if (pageUrl === undefined) {
    return { url: launcher, shortUrl: withShortQuery(serverUrl, more), launcherUrl: undefined };
  }
  const page = new URL(pageUrl);
  page.searchParams.set('user_code', userCode);
  const url = withQuery(page, more);
  const launcherUrl = launcher === url ? undefined : launcher;
  return { url, shortUrl: withShortQuery(page, more), launcherUrl };
}

/** The consent page on the server's own host, if that host has Lark's paths. Undefined: use the server's link. */
export function consentPageOnHostOf(serverUrl: URL): string | undefined {
  return serverUrl.pathname === '/page/launcher'
    ? `${serverUrl.origin}${CONSENT_PAGE_PATH}`
    : undefined;
}

const SOURCE = 'node-sdk';

/** The same query as the official SDK's `registerApp`, in its order. The page reads `addons` from it. */
function withQuery(page: URL, more: MoreRights | undefined): string {
  const from = queryFrom(`${SOURCE}/lark-bridge`);
  return more === undefined
    ? withParameters(page, {
        ...from,
        ...NEW,
        addons: addonsOf(ASKED_AT_FIRST),
        createOnly: 'true',
      })
    : withParameters(page, { ...from, addons: addonsOf(more.rights), clientID: more.app });
}

/** Rights of an app can't be left out: they are what its link is for. */
function withShortQuery(page: URL, more: MoreRights | undefined): string {
  if (more !== undefined) return withQuery(page, more);
  return withParameters(page, { ...queryFrom(SOURCE), ...NEW, createOnly: 'true' });
}

/** `preset: false` limits the consent page to this list. The platform's default asks for far more. */
function addonsOf({ scopes, events, callbacks }: AppRights): string {
  const addons = {
    preset: false,
    scopes: { tenant: scopes },
    events: { items: { tenant: events } },
    callbacks: { items: callbacks },
  };
  return gzipSync(JSON.stringify(addons), { level: 9 }).toString('base64url');
}

function queryFrom(source: string): Readonly<Record<string, string>> {
  return { from: 'sdk', source, tp: 'sdk' };
}

function withParameters(page: URL, parameters: Readonly<Record<string, string>>): string {
  const url = new URL(page);
  for (const [name, value] of Object.entries(parameters)) url.searchParams.set(name, value);
  return url.href;
}
