/** Reads an answer that comes as server-sent events: splits it into events, and builds one result. Pure. */
import { asObject, type Json } from '../core/json-object.ts';

/** No events follow a task in one of these states: it has ended, or waits for the person. */
const LAST_STATES: ReadonlySet<unknown> = new Set([
  'completed',
  'failed',
  'canceled',
  'rejected',
  'input-required',
  'auth-required',
]);

/** Takes text piece by piece, and gives the data of whole events. */
export class EventCutter {
  #line = '';
  #data: string[] = [];

  push(text: string): string[] {
    const events: string[] = [];
    const [first = '', ...others] = text.split('\n');
    this.#line += first;
    for (const other of others) {
      this.#endLine(events);
      this.#line = other;
    }
    return events;
  }

  #endLine(events: string[]): void {
    const line = this.#line.replace(/\r$/, '');
    // Other fields, and comments that keep the connection open, are not part of the answer.
    if (line.startsWith('data:')) this.#data.push(line.slice(5).replace(/^ /, ''));
    if (line !== '' || this.#data.length === 0) return;
    events.push(this.#data.join('\n'));
    this.#data = [];
  }
}

/** Collects the parts of a streamed answer. Progress is ignored. */
export class StreamedTurn {
  readonly #artifacts = new Map<unknown, unknown[]>();

  /** The whole JSON-RPC response when this event completes it. Otherwise undefined. */
  take(data: string): Json | undefined {
    const response = parseObject(data);
    const result = asObject(response?.['result']);
    if (result === undefined) return asObject(response?.['error']) && response;
    // Only a message has parts of its own among the forms of an event, and it is the whole answer.
    if (Array.isArray(result['parts'])) return response;
    if (result['artifact'] !== undefined) this.#gather(result['artifact'], result['append']);
    if (Array.isArray(result['artifacts'])) {
      for (const artifact of result['artifacts'] as unknown[]) this.#gather(artifact, false);
    }
    const status = asObject(result['status']);
    if (result['final'] !== true && !LAST_STATES.has(status?.['state'])) return undefined;
    const artifacts = [...this.#artifacts.values()].map((parts) => ({ parts }));
    return { result: { kind: 'task', status, artifacts } };
  }

  #gather(raw: unknown, append: unknown): void {
    const artifact = asObject(raw);
    const parts = Array.isArray(artifact?.['parts']) ? (artifact['parts'] as unknown[]) : [];
    const id = artifact?.['artifactId'] ?? this.#artifacts.size;
    const before = append === true ? (this.#artifacts.get(id) ?? []) : [];
    this.#artifacts.set(id, joined(before, parts));
  }
}

/** An appended part continues in the middle of a text. */
function joined(before: readonly unknown[], parts: readonly unknown[]): unknown[] {
  const [last, next] = [asObject(before.at(-1)), asObject(parts[0])];
  if (typeof last?.['text'] !== 'string' || typeof next?.['text'] !== 'string') {
    return [...before, ...parts];
  }
  const text = last['text'] + next['text'];
  return [...before.slice(0, -1), { ...next, text }, ...parts.slice(1)];
}

function parseObject(text: string): Json | undefined {
  try {
    return asObject(JSON.parse(text));
  } catch {
    // Not an event for us. A stream may contain others.
    return undefined;
  }
}
