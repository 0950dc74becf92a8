import { callerOf, ok, refuse, refuseField, type Call, type Route } from './http.ts';
import { CARD_CALLBACK, SCOPE_SELF_MANAGE } from './scopes.ts';

const APPLICATION = '/open-apis/application/v6/applications/:app_id';
const LANGUAGES = new Set(['zh_cn', 'en_us', 'ja_jp']);

/** The app's own entry in the developer console. An app sees only itself, and needs a permission for that. */
export function appInfoRoutes(): readonly Route[] {
  const common = { method: 'GET', auth: 'tenant', scopes: [SCOPE_SELF_MANAGE] } as const;
  return [
    { ...common, path: APPLICATION, handle: (call) => refusal(call) ?? info(call) },
    {
      ...common,
      path: `${APPLICATION}/app_versions`,
      handle: (call) => refusal(call) ?? versions(call),
    },
  ];
}

/** `lang` has no default. */
function refusal(call: Call) {
  if (!LANGUAGES.has(call.query.get('lang') ?? '')) {
    return refuseField('lang', 'lang is required');
  }
  return call.params['app_id'] === callerOf(call).appId
    ? undefined
    : refuse(210508, 'insufficient permission level');
}

function info(call: Call) {
  const { appId, name, scopes, subscriptions } = callerOf(call);
  return ok({
    app: {
      app_id: appId,
      app_name: name,
      status: 1,
      scopes: [...scopes].map((scope) => ({ scope, description: scope, level: 1 })),
      callback_info: {
        callback_type: 'websocket',
        subscribed_callbacks: [...subscriptions].filter((type) => type === CARD_CALLBACK),
      },
    },
  });
}

function versions(call: Call) {
  const { appId, subscriptions } = callerOf(call);
  const events = [...subscriptions].filter((type) => type !== CARD_CALLBACK);
  const event_infos = events.map((event_type) => ({
    event_type,
    event_name: event_type,
    event_description: event_type,
  }));
  // A change that waits for its publication, and what holds until then.
  const draft = { app_id: appId, version: '1.0.1', status: 4, event_infos: [] };
  const published = { app_id: appId, version: '1.0.0', status: 1, event_infos };
  return ok({ items: [draft, published], has_more: false, page_token: '' });
}
