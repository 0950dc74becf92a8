import type { Call } from '../api/http.ts';
import { isJsonObject, type JsonObject } from '../world/json.ts';
import { Misuse } from '../world/misuse.ts';

/** The fields of a control call, judged: from the query of a GET, from the JSON body otherwise. */
export class ControlFields {
  readonly #values: Readonly<Record<string, unknown>>;

  constructor(call: Call) {
    this.#values = call.method === 'GET' ? Object.fromEntries(call.query) : call.body;
  }

  all(): Readonly<Record<string, unknown>> {
    return this.#values;
  }

  text(name: string): string {
    const value = this.textOrNone(name);
    if (value === undefined) throw new Misuse(`${name} is missing`);
    return value;
  }

  textOrNone(name: string): string | undefined {
    const value = this.#values[name];
    if (value === undefined || typeof value === 'string') return value;
    throw new Misuse(`${name} is not a string`);
  }

  number(name: string): number {
    const value = this.numberOrNone(name);
    if (value === undefined) throw new Misuse(`${name} is missing`);
    return value;
  }

  numberOrNone(name: string): number | undefined {
    const value = this.#values[name];
    if (value === undefined) return undefined;
    const number = typeof value === 'string' && value !== '' ? Number(value) : value;
    if (typeof number === 'number' && Number.isFinite(number)) return number;
    throw new Misuse(`${name} is not a number`);
  }

  flag(name: string): boolean {
    const value = this.#values[name];
    if (value === undefined || typeof value === 'boolean') return value === true;
    throw new Misuse(`${name} is not true or false`);
  }

  texts(name: string): string[] {
    const value = this.#values[name] ?? [];
    if (Array.isArray(value) && value.every((one) => typeof one === 'string')) return value;
    throw new Misuse(`${name} is not a list of strings`);
  }

  objectOrNone(name: string): JsonObject | undefined {
    const value = this.#values[name];
    if (value === undefined || isJsonObject(value)) return value;
    throw new Misuse(`${name} is not an object`);
  }

  /** One of a few words. */
  choice<T extends string>(name: string, words: readonly T[]): T | undefined {
    const value = this.textOrNone(name);
    if (value === undefined) return undefined;
    const chosen = words.find((word) => word === value);
    if (chosen === undefined) throw new Misuse(`${name} is none of ${words.join(', ')}`);
    return chosen;
  }
}
