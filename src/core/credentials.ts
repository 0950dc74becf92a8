import type { Brand } from './brand.ts';
import type { AppId } from './ids.ts';
import type { Secret } from './secret.ts';

/** What connects to Lark as one app. */
export interface Credentials {
  readonly appId: AppId;
  readonly appSecret: Secret;
  readonly brand: Brand;
}
