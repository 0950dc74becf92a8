/** Pages of the process, such as its health, on the hub's port. */
import type { FastifyRequest } from 'fastify';
import type { Pages } from '../../../net/pages.ts';
import { Refusal } from './refusal.ts';
import type { Server } from './server.ts';

export function addPages(server: Server, pages: Pages): void {
  for (const [path, page] of Object.entries(pages)) {
    server.get(path, { config: { isForAll: true } }, async (request, reply) => {
      if (page.local === true && !isLocal(request)) {
        throw new Refusal(403, 'only for callers on this machine');
      }
      const { status, contentType, body } = await page.render();
      return reply.code(status).type(contentType).send(body);
    });
  }
}

/** From this machine, and not forwarded by a proxy on this machine. */
function isLocal({ ip, headers }: FastifyRequest): boolean {
  const forwarded = headers['x-forwarded-for'] ?? headers['forwarded'] ?? headers['via'];
  return forwarded === undefined && /^(?:::ffff:)?127\.|^::1$/.test(ip);
}
