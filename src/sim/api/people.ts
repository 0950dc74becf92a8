import type { Cloud } from '../cloud.ts';
import { avatarUrl } from './avatars.ts';
import { callerOf, refuse, type Answer, type Call } from './http.ts';
import type { SimUser } from '../world/model.ts';
import { SCOPE_USER_ID } from '../world/scopes.ts';

export type IdType = 'open_id' | 'union_id' | 'user_id';

/** An app with one of these may read the address book. */
export const CONTACT_SCOPES = [
  'contact:contact.base:readonly',
  'contact:contact:access_as_app',
  'contact:contact:readonly',
  'contact:contact:readonly_as_app',
] as const;

/** Without one of these, an app gets people without their names. */
const NAME_SCOPES = ['contact:user.base:readonly', ...CONTACT_SCOPES.slice(1)];

/** The error codes for unknown ids, by type of id. */
const UNKNOWN_ID_CODES: Readonly<Record<IdType, number>> = {
  open_id: 99992351,
  user_id: 99992360,
  union_id: 99992364,
};

/** Undefined if the query has an unknown type. */
export function idTypeOf(call: Call, name: string): IdType | undefined {
  const idType = call.query.get(name) ?? 'open_id';
  return idType === 'open_id' || idType === 'union_id' || idType === 'user_id' ? idType : undefined;
}

export function idOf(user: SimUser, idType: IdType): string {
  return { open_id: user.openId, union_id: user.unionId, user_id: user.userId }[idType];
}

/** A list of 1 to `countMax` ids; undefined if it is not one. */
export function idList(value: unknown, countMax: number): readonly string[] | undefined {
  if (!Array.isArray(value) || value.length < 1 || value.length > countMax) return undefined;
  return value.every((id) => typeof id === 'string') ? value : undefined;
}

/** A list in a query: the name is repeated, or has brackets, as the SDK's `request` writes it. */
export function queryList(call: Call, name: string): string[] {
  return [...call.query.getAll(name), ...call.query.getAll(`${name}[]`)];
}

export function unknownIds(idType: IdType, ids: readonly string[]): Answer {
  const msg =
    idType === 'open_id'
      ? `these open ids not existed: [${ids.join(' ')}]`
      : 'Your request contains not existed id.';
  return refuse(UNKNOWN_ID_CODES[idType], msg);
}

/** A person as the address book shows them to the calling app. */
export function userObject(cloud: Cloud, call: Call, user: SimUser): Record<string, unknown> {
  const { scopes } = callerOf(call);
  const avatar = avatarUrl(cloud, call, user.openId);
  return {
    open_id: user.openId,
    union_id: user.unionId,
    ...(scopes.has(SCOPE_USER_ID) && { user_id: user.userId }),
    ...(NAME_SCOPES.some((scope) => scopes.has(scope)) && {
      name: user.name,
      en_name: '',
      nickname: '',
      avatar: {
        avatar_72: avatar,
        avatar_240: avatar,
        avatar_640: avatar,
        avatar_origin: avatar,
      },
    }),
    mobile_visible: false,
  };
}
