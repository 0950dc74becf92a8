import { isJsonObject, type JsonObject } from '../world/json.ts';

/** What came of reading foreign data: a value of the right type, or everything that is wrong with it. */
export type Reading<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly problems: readonly string[] };

/** One field of what others send: its type in a word, and how it is judged. */
export interface Field<T, Optional extends boolean = boolean> {
  readonly type: string;
  readonly isOptional: Optional;
  /** Said in the documentation behind the name. */
  readonly note?: string;
  /** `at` is how the problem names the value. */
  read(value: unknown, at: string): Reading<T>;
}

export type Shape = Readonly<Record<string, Field<unknown>>>;

type ValueOf<F> = F extends Field<infer T> ? T : never;
type Required<S extends Shape, K extends keyof S> = S[K] extends Field<unknown, true> ? never : K;

/** What a shape makes of an object: fields that were left out are not there. */
export type Given<S extends Shape> = {
  readonly [K in keyof S as Required<S, K>]: ValueOf<S[K]>;
} & {
  readonly [K in keyof S as Exclude<K, Required<S, K>>]?: ValueOf<S[K]>;
};

export const text: Field<string, false> = {
  type: 'string',
  isOptional: false,
  read: (value, at) => (typeof value === 'string' ? fine(value) : wrong(`${at} is not a string`)),
};

/** A number within bounds, both included. A query carries it as text. */
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
      return fits ? fine(given) : wrong(`${at} is not ${expected}`);
    },
  };
}

/** A query carries them as text. */
export const flag: Field<boolean, false> = {
  type: 'true or false',
  isOptional: false,
  read: (value, at) => {
    if (value === true || value === 'true') return fine(true);
    if (value === false || value === 'false') return fine(false);
    return wrong(`${at} is not true or false`);
  },
};

export const texts: Field<readonly string[], false> = {
  type: 'list of strings',
  isOptional: false,
  read: (value, at) =>
    Array.isArray(value) && value.every((one) => typeof one === 'string')
      ? fine(value)
      : wrong(`${at} is not a list of strings`),
};

export const object: Field<JsonObject, false> = {
  type: 'object',
  isOptional: false,
  read: (value, at) => (isJsonObject(value) ? fine(value) : wrong(`${at} is not an object`)),
};

/** Judged by whoever gets it. */
export const anything: Field<unknown, false> = {
  type: 'any value',
  isOptional: false,
  read: (value) => fine(value),
};

/** One of a few words. */
export function oneOf<const T extends string>(words: readonly T[]): Field<T, false> {
  return {
    type: 'string',
    isOptional: false,
    note: words.join(', '),
    read: (value, at) => {
      const chosen = words.find((word) => word === value);
      return chosen === undefined ? wrong(`${at} is none of ${words.join(', ')}`) : fine(chosen);
    },
  };
}

export function optional<T>(field: Field<T>): Field<T, true> {
  return { ...field, isOptional: true };
}

/** The same field with words for the documentation. */
export function noted<T, O extends boolean>(field: Field<T, O>, note: string): Field<T, O> {
  return { ...field, note };
}

/** A list of objects of one shape. */
export function listOf<S extends Shape>(shape: S): Field<readonly Given<S>[], false> {
  return {
    type: 'list of objects',
    isOptional: false,
    note: fieldNames(shape),
    read: (value, at) => {
      if (!Array.isArray(value)) return wrong(`${at} is not a list`);
      const readings = value.map((one, index) => readObject(shape, one, `${at}[${index}]`));
      const problems = readings.flatMap((reading) => (reading.ok ? [] : reading.problems));
      if (problems.length > 0) return { ok: false, problems };
      return fine(readings.flatMap((reading) => (reading.ok ? [reading.value] : [])));
    },
  };
}

/** Judges every field of an object and names all problems at once. `at` is empty for the outermost one. */
export function readObject<S extends Shape>(
  shape: S,
  value: unknown,
  at: string,
): Reading<Given<S>> {
  if (!isJsonObject(value)) return wrong(`${at === '' ? 'it' : at} is not an object`);
  const problems: string[] = [];
  const given: Record<string, unknown> = {};
  const nameOf = (name: string) => (at === '' ? name : `${at}.${name}`);
  for (const name of Object.keys(value)) {
    if (Object.hasOwn(shape, name)) continue;
    problems.push(`${nameOf(name)} is unknown; known: ${Object.keys(shape).join(', ') || 'none'}`);
  }
  for (const [name, field] of Object.entries(shape)) {
    // Other languages write what they leave out as null.
    if (value[name] === undefined || value[name] === null) {
      if (!field.isOptional) problems.push(`${nameOf(name)} is missing`);
      continue;
    }
    const reading = field.read(value[name], nameOf(name));
    if (reading.ok) given[name] = reading.value;
    else problems.push(...reading.problems);
  }
  return problems.length > 0 ? { ok: false, problems } : fine(given as Given<S>);
}

/** The fields in one line: a question mark means that it may be left out. */
export function fieldNames(shape: Shape): string {
  return Object.entries(shape)
    .map(([name, { isOptional, note }]) => {
      const mark = isOptional ? '?' : '';
      return note === undefined ? name + mark : `${name}${mark} (${note})`;
    })
    .join(', ');
}

function fine<T>(value: T): Reading<T> {
  return { ok: true, value };
}

function wrong(problem: string): { readonly ok: false; readonly problems: readonly string[] } {
  return { ok: false, problems: [problem] };
}
