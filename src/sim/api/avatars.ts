import type { Cloud } from '../cloud.ts';
import { originOf, type Call, type Route } from './http.ts';

const PATH = '/avatar';

/** One grey pixel. */
const PIXEL = Buffer.from(
  'iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAAAAAA6fptVAAAACklEQVR4nGNoAAAAggCBd81ytgAAAABJRU5ErkJggg==',
  'base64',
);

/** Every avatar is the same picture. Clients only need an address that returns a picture. */
export function avatarRoutes(): readonly Route[] {
  return [
    {
      method: 'GET',
      path: `${PATH}/:name`,
      auth: 'none',
      handle: () => ({ status: 200, headers: { 'Content-Type': 'image/png' }, body: PIXEL }),
    },
  ];
}

/** The address of the picture of a person, a bot or a chat. */
export function avatarUrl(cloud: Cloud, call: Call, id: string): string {
  return `${originOf(cloud.baseUrl, call.headers)}${PATH}/${id}.png`;
}
