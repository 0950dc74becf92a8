import type { Cloud } from '../cloud.ts';
import { avatarUrl } from './avatars.ts';
import { callerOf, ok, refuse, refuseField, type Call, type Route } from './http.ts';
import { idOf, idTypeOf } from './people.ts';
import { CARD_CALLBACK, SCOPE_SELF_MANAGE } from '../world/scopes.ts';

const APPLICATION = '/open-apis/application/v6/applications/:app_id';
/** A person of the tenant, not the platform or a partner. */
const OWNER_IS_MEMBER = 2;
const LANGUAGES = new Set(['zh_cn', 'en_us', 'ja_jp']);

/** The app's entry in the developer console. An app sees only its own entry, and needs a scope for it. */
export function appInfoRoutes(cloud: Cloud): readonly Route[] {
  const common = { method: 'GET', auth: 'tenant', scopes: [SCOPE_SELF_MANAGE] } as const;
  return [
    { ...common, path: APPLICATION, handle: (call) => refusal(call) ?? info(cloud, call) },
    {
      ...common,
      path: `${APPLICATION}/app_versions`,
      handle: (call) => refusal(call) ?? versions(call),
    },
    {
      method: 'GET',
      path: '/open-apis/application/v6/scopes',
      auth: 'tenant',
      handle: (call) => grantedScopes(call),
    },
    {
      method: 'POST',
      path: '/open-apis/application/v6/scopes/apply',
      auth: 'tenant',
      // Every scope of an app is granted here, so there is nothing to apply for.
      handle: () => refuse(212002, 'unauthorized scopes were empty'),
    },
  ];
}

/** `lang` is required. `me` stands for the calling app. */
function refusal(call: Call) {
  if (!LANGUAGES.has(call.query.get('lang') ?? '')) {
    return refuseField('lang', 'lang is required');
  }
  return ['me', callerOf(call).appId].includes(call.params['app_id'] ?? '')
    ? undefined
    : refuse(210508, 'insufficient permission level');
}

function info(cloud: Cloud, call: Call) {
  const app = callerOf(call);
  const { appId, name, description, scopes, subscriptions } = app;
  const idType = idTypeOf(call, 'user_id_type');
  if (idType === undefined) return refuseField('user_id_type', 'it is not a type of user ids');
  const language = call.query.get('lang') ?? '';
  const owner = cloud.world.ownerOf(app);
  const ownerId = owner && idOf(owner, idType);
  return ok({
    app: {
      app_id: appId,
      ...(ownerId !== undefined && {
        creator_id: ownerId,
        owner: { type: OWNER_IS_MEMBER, owner_id: ownerId },
      }),
      app_name: name,
      avatar_url: avatarUrl(cloud, call, appId),
      description,
      i18n: [{ i18n_key: language, name, description, help_use: '' }],
      primary_language: language,
      scene_type: 0,
      payment_type: 0,
      online_version_id: `oav_${appId.slice('cli_'.length)}`,
      status: 1,
      scopes: [...scopes].map((scope) => ({ scope, description: scope, level: 1 })),
      callback_info: {
        callback_type: 'websocket',
        subscribed_callbacks: [...subscriptions].filter((type) => type === CARD_CALLBACK),
      },
    },
  });
}

/** All scopes of the app are granted. None waits for an administrator. */
function grantedScopes(call: Call) {
  const scopes = [...callerOf(call).scopes].map((scope_name) => ({
    scope_name,
    scope_type: 'tenant',
    grant_status: 1,
  }));
  return ok({ scopes });
}

function versions(call: Call) {
  const { appId, subscriptions } = callerOf(call);
  const events = [...subscriptions].filter((type) => type !== CARD_CALLBACK);
  const event_infos = events.map((event_type) => ({
    event_type,
    event_name: event_type,
    event_description: event_type,
  }));
  // A draft that is not published yet, and the published version.
  const draft = { app_id: appId, version: '1.0.1', status: 4, event_infos: [] };
  const published = { app_id: appId, version: '1.0.0', status: 1, event_infos };
  return ok({ items: [draft, published], has_more: false, page_token: '' });
}
