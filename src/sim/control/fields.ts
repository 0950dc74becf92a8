import { isJsonObject, type JsonObject } from '../world/json.ts';

/** The result of reading data from outside: a value of the right type, or all problems with it. */
export type ReadResult<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly string[] };

/** One field of an object from outside: its type, and how it is read. */
export interface Field<T, Optional extends boolean = boolean> {
  readonly type: string;
  readonly isOptional: Optional;
  /** Text for the documentation, after the name. */
  readonly note?: string;
  /** `at` is the name of the value in a problem. */
  read(value: unknown, at: string): ReadResult<T>;
}

export type Shape = Readonly<Record<string, Field<unknown>>>;

type ValueOf<F> = F extends Field<infer T> ? T : never;
type Required<S extends Shape, K extends keyof S> = S[K] extends Field<unknown, true> ? never : K;

/** The values of an object of this shape. Optional fields may be absent. */
export type ValuesOf<S extends Shape> = {
  readonly [K in keyof S as Required<S, K>]: ValueOf<S[K]>;
} & {
  readonly [K in keyof S as Exclude<K, Required<S, K>>]?: ValueOf<S[K]>;
};

export const text: Field<string, false> = {
  type: 'string',
  isOptional: false,
  read: (value, at) =>
    typeof value === 'string' ? valid(value) : invalid(`${at} is not a string`),
};

/** A number within bounds, both included. In a query it is text. */
export function numberIn(bounds: {
  readonly min: number;
  readonly max: number;
  readonly whole?: boolean;
}): Field<number, false> {
  const { min, max, whole = true } = bounds;
  const expected = `a ${whole ? 'whole ' : ''}number from ${min} to ${max}`;
  return {
    type: 'number',
    isOptional: false,
    read: (value, at) => {
      const given = typeof value === 'string' && value.trim() !== '' ? Number(value) : value;
      const fits =
        typeof given === 'number' &&
        given >= min &&
        given <= max &&
        (!whole || Number.isInteger(given));
      return fits ? valid(given) : invalid(`${at} is not ${expected}`);
    },
  };
}

/** In a query it is text. */
export const flag: Field<boolean, false> = {
  type: 'true or false',
  isOptional: false,
  read: (value, at) => {
    if (value === true || value === 'true') return valid(true);
    if (value === false || value === 'false') return valid(false);
    return invalid(`${at} is not true or false`);
  },
};

export const texts: Field<readonly string[], false> = {
  type: 'list of strings',
  isOptional: false,
  read: (value, at) =>
    Array.isArray(value) && value.every((one) => typeof one === 'string')
      ? valid(value)
      : invalid(`${at} is not a list of strings`),
};

export const object: Field<JsonObject, false> = {
  type: 'object',
  isOptional: false,
  read: (value, at) => (isJsonObject(value) ? valid(value) : invalid(`${at} is not an object`)),
};

/** The code that gets it has to validate it. */
export const anything: Field<unknown, false> = {
  type: 'any value',
  isOptional: false,
  read: (value) => valid(value),
};

/** One of these words. */
export function oneOf<const T extends string>(words: readonly T[]): Field<T, false> {
  return {
    type: 'string',
    isOptional: false,
    note: words.join(', '),
    read: (value, at) => {
      const chosen = words.find((word) => word === value);
      return chosen === undefined ? invalid(`${at} is none of ${words.join(', ')}`) : valid(chosen);
    },
  };
}

export function optional<T>(field: Field<T>): Field<T, true> {
  return { ...field, isOptional: true };
}

/** The same field, with a note for the documentation. */
export function withNote<T, O extends boolean>(field: Field<T, O>, note: string): Field<T, O> {
  return { ...field, note };
}

/** A list of objects of one shape. */
export function listOf<S extends Shape>(shape: S): Field<readonly ValuesOf<S>[], false> {
  return {
    type: 'list of objects',
    isOptional: false,
    note: fieldNames(shape),
    read: (value, at) => {
      if (!Array.isArray(value)) return invalid(`${at} is not a list`);
      const readings = value.map((one, index) => readObject(shape, one, `${at}[${index}]`));
      const problems = readings.flatMap((reading) => (reading.ok ? [] : reading.problems));
      if (problems.length > 0) return { ok: false, problems };
      return valid(readings.flatMap((reading) => (reading.ok ? [reading.value] : [])));
    },
  };
}

/** Reads every field of an object and returns all problems at once. `at` is empty for the outermost object. */
export function readObject<S extends Shape>(
  shape: S,
  value: unknown,
  at: string,
): ReadResult<ValuesOf<S>> {
  if (!isJsonObject(value)) return invalid(`${at === '' ? 'it' : at} is not an object`);
  const problems: string[] = [];
  const given: Record<string, unknown> = {};
  const nameOf = (name: string) => (at === '' ? name : `${at}.${name}`);
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(shape, name)) continue;
    problems.push(`${nameOf(name)} is unknown; known: ${Object.keys(shape).join(', ') || 'none'}`);
  }
  for (const [name, field] of Object.entries(shape)) {
    // Clients in other languages send null for what they leave out.
    if (value[name] === undefined || value[name] === null) {
      if (!field.isOptional) problems.push(`${nameOf(name)} is missing`);
      continue;
    }
    const reading = field.read(value[name], nameOf(name));
    if (reading.ok) given[name] = reading.value;
    else problems.push(...reading.problems);
  }
  return problems.length > 0 ? { ok: false, problems } : valid(given as ValuesOf<S>);
}

/** The fields in one line. A question mark means that a field may be left out. */
export function fieldNames(shape: Shape): string {
  return Object.entries(shape)
    .map(([name, { isOptional, note }]) => {
      const mark = isOptional ? '?' : '';
      return note === undefined ? name + mark : `${name}${mark} (${note})`;
    })
    .join(', ');
}

function valid<T>(value: T): ReadResult<T> {
  return { ok: true, value };
}

function invalid(problem: string): { readonly ok: false; readonly problems: readonly string[] } {
  return { ok: false, problems: [problem] };
}
