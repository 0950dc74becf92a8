/** What a line of an agent's output is: a message of JSON-RPC 2.0, or noise. Agents and their tools print more than messages. */
import { isObject, type Json } from '../../core/json-object.ts';

interface ReadLine {
  readonly message?: Json;
  /** What of the line is no message. */
  readonly noise?: string;
}

/** How a message begins that something was printed in front of, without an end of line. */
const GLUED = '{"jsonrpc"';

export function readLine(line: string): ReadLine {
  const text = line.trim();
  if (text === '') return {};
  const message = messageIn(text);
  if (message !== undefined) return { message };
  const at = text.indexOf(GLUED, 1);
  const glued = at === -1 ? undefined : messageIn(text.slice(at));
  return glued === undefined ? { noise: text } : { message: glued, noise: text.slice(0, at) };
}

function messageIn(text: string): Json | undefined {
  // Most noise is seen by its first character.
  if (!text.startsWith('{')) return undefined;
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) && isMessage(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function isMessage({ jsonrpc, method, id, ...rest }: Json): boolean {
  if (jsonrpc !== '2.0') return false;
  if (method !== undefined) return typeof method === 'string';
  return (
    (typeof id === 'number' || typeof id === 'string') && ('result' in rest || 'error' in rest)
  );
}
