import { CONTROL_PREFIX, type ControlHandler, type ControlRequest } from '../api/api-server.ts';
import type { ControlCommand } from './command.ts';
import { CHAT_COMMANDS } from './chat-commands.ts';
import { READ_COMMANDS } from './read-commands.ts';
import { FAULT_COMMANDS } from './fault-commands.ts';
import { WORLD_COMMANDS } from './world-commands.ts';
import type { Answer, Route } from '../api/http.ts';
import type { LarkCloud } from './lark-cloud.ts';
import { parseJson, isJsonObject, type JsonObject } from '../world/json.ts';
import { Misuse } from '../world/misuse.ts';

/** All calls, in the order of the documentation. A name can stand for an id if it is unique. */
export const CONTROL_COMMANDS: readonly ControlCommand[] = [
  ...WORLD_COMMANDS,
  ...CHAT_COMMANDS,
  ...READ_COMMANDS,
  ...FAULT_COMMANDS,
];

/** Controls the cloud over HTTP: for people with curl, and for tests in other languages. */
export function createControlHandler(lark: LarkCloud, routes: readonly Route[]): ControlHandler {
  const overview = {
    commands: CONTROL_COMMANDS.map(describe),
    routes: routes.map(({ method, path }) => `${method} ${path}`),
  };
  return async (request) => {
    const { method } = request;
    const path = request.path.slice(CONTROL_PREFIX.length).replace(/\/$/, '');
    if (method === 'GET' && path === '') return { status: 200, body: overview };
    const found = CONTROL_COMMANDS.find((one) => one.method === method && one.path === path);
    if (found === undefined) return unknownCall(method, path);
    try {
      const body = await found.perform(lark, valuesOf(found, request));
      // Not each of them tells of itself, such as one that adds a person. The page shows it at once all the same.
      if (method !== 'GET') lark.cloud.changes.notify();
      return { status: 200, body: body ?? {} };
    } catch (error) {
      if (!(error instanceof Misuse)) throw error;
      return { status: 400, body: { error: `${method} ${found.path}: ${error.message}` } };
    }
  };
}

function describe({ method, path, fields, answer, doc }: ControlCommand) {
  return {
    method,
    path: CONTROL_PREFIX + path,
    fields: Object.entries(fields).map(([name, { type, isOptional, note }]) => ({
      name,
      type,
      optional: isOptional,
      ...(note !== undefined && { note }),
    })),
    answer,
    doc,
  };
}

function unknownCall(method: string, path: string): Answer {
  const others = CONTROL_COMMANDS.filter((one) => one.path === path);
  const hint = others.length === 0 ? '' : ` (there is ${others.map(nameOf).join(' and ')})`;
  const next = `GET ${CONTROL_PREFIX} lists every call with its fields`;
  const error = `there is no ${method} ${CONTROL_PREFIX}${path}${hint}; ${next}`;
  return { status: 404, body: { error, known: CONTROL_COMMANDS.map(nameOf) } };
}

function nameOf({ method, path }: ControlCommand): string {
  return `${method} ${CONTROL_PREFIX}${path}`;
}

/** Fields of query and body. The body is read as JSON whatever its content type is: some clients always send "form". */
function valuesOf(found: ControlCommand, { query, contentType, raw }: ControlRequest): JsonObject {
  const fromQuery: JsonObject = Object.fromEntries(query);
  if (raw.length === 0) return fromQuery;
  if (found.bytesField !== undefined && query.size > 0) {
    return { ...fromQuery, [found.bytesField]: raw.toString('base64') };
  }
  const text = raw.toString();
  const value = parseJson(text);
  if (isJsonObject(value)) return { ...fromQuery, ...value };
  const isMeantAsJson = text.trimStart().startsWith('{');
  const isForm = contentType.startsWith('application/x-www-form-urlencoded');
  if (isForm && value === undefined && !isMeantAsJson) {
    return { ...fromQuery, ...Object.fromEntries(new URLSearchParams(text)) };
  }
  throw new Misuse(`the body is not a JSON object${isMeantAsJson ? `: ${jsonFault(text)}` : ''}`);
}

function jsonFault(text: string): string {
  try {
    JSON.parse(text);
    return '';
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}
