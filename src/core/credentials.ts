import type { Brand } from './brand.ts';
import type { AppId, OpenId } from './ids.ts';
import type { Secret } from './secret.ts';

/** What connects to Lark as one app. */
export interface Credentials {
  readonly appId: AppId;
  readonly appSecret: Secret;
  readonly brand: Brand;
}

/** Those of a bot whose maker Lark has named. */
export interface OwnedCredentials extends Credentials {
  /** By the open id that the app knows them under; undefined if nobody knows it. */
  readonly owner: OpenId | undefined;
}
