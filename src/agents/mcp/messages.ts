/** What is in a message of the Model Context Protocol, before anybody has checked it. */
import { asObject } from '../../core/json-object.ts';

/** True if one of the messages waits for a person. */
export function asksPerson(message: unknown): boolean {
  return isOneOf(message, ({ method, params }) => {
    return method === 'tools/call' && asObject(params)?.['name'] === 'ask_person';
  });
}

export function asksForTools(message: unknown): boolean {
  return isOneOf(message, ({ method }) => method === 'tools/list');
}

function isOneOf(
  message: unknown,
  test: (one: { readonly method?: unknown; readonly params?: unknown }) => boolean,
): boolean {
  const all: readonly unknown[] = Array.isArray(message) ? message : [message];
  return all.some((one) => test(asObject(one) ?? {}));
}
