import type { Cloud } from '../cloud.ts';
import { callerOf, ok, refuse, type Answer, type Call, type Route } from './http.ts';
import { pageOf } from './paging.ts';
import { CONTACT_SCOPES, idList, idOf, idTypeOf, queryList, userObject } from './people.ts';

const USERS = '/open-apis/contact/v3/users';
const BASIC_BATCH_LIMIT = { hitsMax: 5, windowMs: 1_000 };
const BASIC_BATCH_IDS_MAX = 10;
/** In `batch`, and in each list of `batch_get_id`. */
const BATCH_IDS_MAX = 50;
/** Everybody is in the root department. There is no other one. */
const ROOT_DEPARTMENT = '0';

/** People, as apps may see them. */
export function contactRoutes(cloud: Cloud): readonly Route[] {
  const reading = { method: 'GET', auth: 'tenant', scopes: CONTACT_SCOPES } as const;
  return [
    { ...reading, path: `${USERS}/:user_id`, handle: (call) => getUser(cloud, call) },
    { ...reading, path: `${USERS}/batch`, handle: (call) => getUsers(cloud, call) },
    { ...reading, path: USERS, handle: (call) => listUsers(cloud, call) },
    { ...reading, path: `${USERS}/find_by_department`, handle: (call) => listUsers(cloud, call) },
    {
      method: 'POST',
      path: `${USERS}/basic_batch`,
      auth: 'tenant',
      scopes: ['contact:user.basic_profile:readonly'],
      handle: (call) => basicBatch(cloud, call),
    },
    {
      method: 'POST',
      path: `${USERS}/batch_get_id`,
      auth: 'tenant',
      scopes: ['contact:user.id:readonly'],
      handle: (call) => findIds(cloud, call),
    },
  ];
}

function getUser(cloud: Cloud, call: Call): Answer {
  const idType = idTypeOf(call, 'user_id_type');
  if (idType === undefined) return refuse(40001, 'invalid parameter');
  const user = cloud.world.findUser(idType, call.params['user_id'] ?? '');
  if (user === undefined) return refuse(41050, 'no user authority error');
  return ok({ user: userObject(cloud, call, user) });
}

/** People who are not found are left out. */
function getUsers(cloud: Cloud, call: Call): Answer {
  const idType = idTypeOf(call, 'user_id_type');
  const ids = idList(queryList(call, 'user_ids'), BATCH_IDS_MAX);
  if (idType === undefined || ids === undefined) return badParameter();
  const users = ids.flatMap((id) => cloud.world.findUser(idType, id) ?? []);
  return ok({ items: users.map((user) => userObject(cloud, call, user)) });
}

/** `find_by_department`, and the older list that it replaced. */
function listUsers(cloud: Cloud, call: Call): Answer {
  const department = call.query.get('department_id') ?? ROOT_DEPARTMENT;
  const isKnown = department === ROOT_DEPARTMENT && idTypeOf(call, 'user_id_type') !== undefined;
  const page = pageOf(call, [...cloud.world.users.values()], BATCH_IDS_MAX);
  if (!isKnown || page === undefined) return badParameter();
  return ok({ ...page, items: page.items.map((user) => userObject(cloud, call, user)) });
}

function basicBatch(cloud: Cloud, call: Call): Answer {
  const app = callerOf(call);
  const waitMs = cloud.limits.take(`basic_batch ${app.appId}`, BASIC_BATCH_LIMIT);
  if (waitMs > 0) {
    return refuse(99991400, 'request trigger frequency limit', {
      status: 429,
      headers: {
        'x-ogw-ratelimit-limit': String(BASIC_BATCH_LIMIT.hitsMax),
        'x-ogw-ratelimit-reset': String(Math.ceil(waitMs / 1_000)),
      },
    });
  }
  const idType = idTypeOf(call, 'user_id_type');
  const ids = idList(call.body['user_ids'], BASIC_BATCH_IDS_MAX);
  if (idType === undefined || ids === undefined) return badParameter();
  const users = ids.flatMap((id) => {
    const user = cloud.world.findUser(idType, id);
    if (user === undefined) return [];
    const { name } = user;
    return [{ user_id: id, name, i18n_name: { zh_cn: name, en_us: name, ja_jp: name } }];
  });
  return ok({ users });
}

/** Ids by email. Nobody has a mobile number here. An unknown email or number comes back without an id. */
function findIds(cloud: Cloud, call: Call): Answer {
  const idType = idTypeOf(call, 'user_id_type');
  const emails = optionalList(call.body['emails']);
  const mobiles = optionalList(call.body['mobiles']);
  if (idType === undefined || emails === undefined || mobiles === undefined) return badParameter();
  const byEmail = emails.map((email) => {
    const user = cloud.world.findUser('email', email);
    return { ...(user !== undefined && { user_id: idOf(user, idType) }), email };
  });
  return ok({ user_list: [...byEmail, ...mobiles.map((mobile) => ({ mobile }))] });
}

function optionalList(value: unknown): readonly string[] | undefined {
  if (value === undefined || value === null) return [];
  return Array.isArray(value) && value.length === 0 ? [] : idList(value, BATCH_IDS_MAX);
}

function badParameter(): Answer {
  return refuse(40001, 'param is invalid');
}
