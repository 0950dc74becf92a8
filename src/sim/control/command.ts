import type { LarkCloud } from './lark-cloud.ts';
import type { Route } from '../api/http.ts';
import { readObject, type ValuesOf, type Shape } from './fields.ts';
import { Misuse } from '../world/misuse.ts';

/** One call of the control API. */
export interface ControlCommand {
  readonly method: Route['method'];
  /** Below `/_control`. */
  readonly path: string;
  /** From the query and the JSON body. Other fields are refused. */
  readonly fields: Shape;
  readonly answer: string;
  readonly doc: string;
  /** The field that gets the raw body, as base64, if the other fields are in the query. */
  readonly bytesField?: string;
  perform(lark: LarkCloud, values: unknown): unknown;
}

interface CommandRow<S extends Shape> extends Omit<ControlCommand, 'perform'> {
  readonly fields: S;
  readonly run: (lark: LarkCloud, values: ValuesOf<S>) => unknown;
}

/** A call whose fields are validated before it runs. */
export function command<const S extends Shape>({ run, ...row }: CommandRow<S>): ControlCommand {
  return {
    ...row,
    perform: (lark, values) => {
      const result = readObject(row.fields, values, '');
      if (!result.ok) throw new Misuse(result.problems.join('; '));
      return run(lark, result.value);
    },
  };
}
