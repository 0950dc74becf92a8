import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { describe, expect, test } from 'vitest';
import { apiRoutes } from '../../../src/sim/api/api-routes.ts';
import { Router } from '../../../src/sim/api/router.ts';
import { createCloud } from '../../../src/sim/cloud.ts';

const router = new Router(apiRoutes(createCloud({ seed: 1 })));

/** Every route that the official SDK knows, as `GET /open-apis/im/v1/messages/:message_id`. */
function routesOfSdk(): string[] {
  const file = createRequire(import.meta.url).resolve('@larksuiteoapi/node-sdk');
  const call = /fillApiPath\(`\$\{this\.domain\}(\/open-apis\/[^`]+)`, path\),\s*method: "(\w+)"/g;
  const found = [...readFileSync(file, 'utf8').matchAll(call)];
  return [...new Set(found.map(([, path = '', method = '']) => `${method} ${path}`))];
}

/** Routes that are not in the SDK, but in published bots. */
const ROUTES_OF_BOTS = [
  'GET /open-apis/im/v1/messages/mget',
  'POST /open-apis/im/v1/messages/batch_message',
  'POST /open-apis/im/v1/chats/batch_query',
  'POST /open-apis/im/v1/chat_p2p/batch_query',
  'GET /open-apis/im/v1/chats/:chat_id/members/bots',
  'GET /open-apis/bot/v3/bots/basic_batch',
  'POST /open-apis/contact/v3/users/search',
  'POST /open-apis/ephemeral/v1/send',
  'POST /open-apis/ephemeral/v1/delete',
  'POST /open-apis/auth/v3/app_access_token/internal',
];

const nameless = (path: string) => path.replaceAll(/:\w+/g, ':');

function routeOf(route: string): string | undefined {
  const [method = '', path = ''] = route.split(' ');
  const match = router.match(method, path.replaceAll(/:\w+/g, 'some_id'));
  return match && `${match.route.method} ${nameless(match.route.path)}`;
}

describe('the table of routes', () => {
  test('no route of the platform matches another one, such as mget as the id of a message', () => {
    const routes = [...routesOfSdk(), ...ROUTES_OF_BOTS];
    expect(routes.length).toBeGreaterThan(1_500);
    const wrong = routes.filter((route) => ![undefined, nameless(route)].includes(routeOf(route)));
    expect(wrong).toEqual([]);
  });

  test('the same with the wrong method', () => {
    for (const path of ['/im/v1/messages/mget', '/im/v1/chats/search', '/contact/v3/users/batch']) {
      for (const method of ['GET', 'PUT', 'PATCH', 'DELETE']) {
        const found = router.match(method, `/open-apis${path}`)?.route.path ?? '';
        expect(found).not.toContain(':');
      }
    }
  });

  test.each([
    'POST /open-apis/im/v1/chats',
    'PUT /open-apis/im/v1/chats/:chat_id',
    'DELETE /open-apis/im/v1/chats/:chat_id',
    'POST /open-apis/im/v1/chats/:chat_id/link',
    'GET /open-apis/im/v1/chats/search',
    'POST /open-apis/im/v1/chats/batch_query',
    'POST /open-apis/im/v1/chat_p2p/batch_query',
    'POST /open-apis/im/v1/chats/:chat_id/members',
    'DELETE /open-apis/im/v1/chats/:chat_id/members',
    'GET /open-apis/im/v1/chats/:chat_id/members/bots',
    'GET /open-apis/im/v1/chats/:chat_id/members/is_in_chat',
    'GET /open-apis/im/v1/messages/mget',
    'POST /open-apis/im/v1/messages/:message_id/forward',
    'GET /open-apis/im/v1/messages/:message_id/read_users',
    'POST /open-apis/im/v1/pins',
    'GET /open-apis/im/v1/pins',
    'DELETE /open-apis/im/v1/pins/:message_id',
    'POST /open-apis/ephemeral/v1/send',
    'POST /open-apis/ephemeral/v1/delete',
    'POST /open-apis/contact/v3/users/batch_get_id',
    'GET /open-apis/contact/v3/users',
    'GET /open-apis/contact/v3/users/find_by_department',
    'GET /open-apis/contact/v3/users/batch',
    'GET /open-apis/application/v6/scopes',
    'POST /open-apis/application/v6/scopes/apply',
    'POST /open-apis/auth/v3/app_access_token/internal',
    'GET /open-apis/bot/v3/bots/basic_batch',
  ])('has a route that published bots call: %s', (route) => {
    expect(routeOf(route)).toBe(nameless(route));
  });

  test.each(['drive', 'wiki', 'docx', 'sheets', 'bitable', 'task', 'vc'])(
    'has no routes for documents: %s',
    (tool) => {
      const known = routesOfSdk().filter((route) => route.includes(`/open-apis/${tool}/`));
      expect(known.length).toBeGreaterThan(0);
      expect(known.map(routeOf).filter((route) => route !== undefined)).toEqual([]);
    },
  );
});
