/** What a client of the simulator needs in its environment. */
import type { LarkCloud } from '../control/lark-cloud.ts';
import type { SimApp } from '../world/model.ts';

type Environment = Readonly<Record<string, string | undefined>>;

/** They name the secret and the bot of another app than the simulator's. */
const OF_ANOTHER_APP = ['LARK_APP_SECRET_FILE', 'LARK_BOT_OPEN_ID'];

export interface Started {
  readonly lark: LarkCloud;
  /** A world from a file may have none. */
  readonly app: SimApp | undefined;
  /** The file with the certificate to trust, with TLS. */
  readonly caFile: string | undefined;
}

export function variablesOf({ lark, app, caFile }: Started): Readonly<Record<string, string>> {
  return {
    ...(app !== undefined && {
      LARK_APP_ID: app.appId,
      LARK_APP_SECRET: app.appSecret,
      LARK_BRAND: app.brand,
    }),
    LARK_OPEN_BASE_URL: lark.openBaseUrl,
    LARK_ACCOUNTS_BASE_URL: lark.accountsBaseUrl,
    LARK_CONTROL_URL: lark.controlUrl,
    LARK_PAGE_URL: lark.pageUrl,
    ...(caFile !== undefined && { NODE_EXTRA_CA_CERTS: caFile }),
  };
}

/** The environment of a command that talks to the simulator and to no real Lark. */
export function environmentWith(env: Environment, started: Started): Environment {
  const rest = Object.entries(env).filter(([name]) => !OF_ANOTHER_APP.includes(name));
  const own = new URL(started.lark.openBaseUrl).hostname;
  const noProxy = [own, env['NO_PROXY'] ?? env['no_proxy'] ?? ''].filter((one) => one !== '');
  return {
    ...Object.fromEntries(rest),
    ...variablesOf(started),
    // Some clients read only one of the two.
    NO_PROXY: noProxy.join(','),
    no_proxy: noProxy.join(','),
  };
}

/** The variables as a shell reads them, one `export` a line. */
export function shellLines(variables: Readonly<Record<string, string>>): string[] {
  return Object.entries(variables).map(([name, value]) => `export ${name}=${shellWord(value)}`);
}

function shellWord(word: string): string {
  return /^[\w./:@%+=-]+$/.test(word) ? word : `'${word.replaceAll("'", String.raw`'\''`)}'`;
}
