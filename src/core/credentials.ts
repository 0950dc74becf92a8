import type { Brand } from './brand.ts';
import type { AppId, OpenId } from './ids.ts';
import type { Secret } from './secret.ts';

/** The credentials of one Lark app. */
export interface Credentials {
  readonly appId: AppId;
  readonly appSecret: Secret;
  readonly brand: Brand;
}

/** The credentials of a new bot, with the person who created it. */
export interface OwnedCredentials extends Credentials {
  /** The person's open id in this app; undefined if Lark did not tell it. */
  readonly owner: OpenId | undefined;
}
