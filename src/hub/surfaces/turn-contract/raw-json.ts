/** JSON that was stored as text is sent as it is: nobody parses what another workspace wrote. */
import type { FastifyReply } from 'fastify';

/** An object with these fields, of which there is one at least, and with fields that are JSON texts already. */
export function objectText(
  fields: object,
  raw: Readonly<Record<string, string | undefined>>,
): string {
  const more = Object.entries(raw).flatMap(([name, json]) =>
    json === undefined ? [] : `${JSON.stringify(name)}:${json}`,
  );
  return `${[JSON.stringify(fields).slice(0, -1), ...more].join(',')}}`;
}

/** As bytes, because a text with this type would be made JSON once more. */
export function sendJson(reply: FastifyReply, text: string): FastifyReply {
  return reply.type('application/json; charset=utf-8').send(Buffer.from(text));
}
