import type { LarkCloud } from './lark-cloud.ts';
import type { Route } from '../api/http.ts';
import { readObject, type Given, type Shape } from './fields.ts';
import { Misuse } from '../world/misuse.ts';

/** One row of the control table: what can be asked of the cloud over HTTP. */
export interface ControlCommand {
  readonly method: Route['method'];
  /** Below `/_control`. */
  readonly path: string;
  /** From the query and the JSON body; others are refused. */
  readonly fields: Shape;
  readonly answer: string;
  readonly doc: string;
  /** The field that takes the body as it is when the other fields are in the query; in base64. */
  readonly bytesField?: string;
  perform(lark: LarkCloud, values: unknown): unknown;
}

interface CommandRow<S extends Shape> extends Omit<ControlCommand, 'perform'> {
  readonly fields: S;
  readonly run: (lark: LarkCloud, given: Given<S>) => unknown;
}

/** A row whose fields are judged before it runs. */
export function command<const S extends Shape>({ run, ...row }: CommandRow<S>): ControlCommand {
  return {
    ...row,
    perform: (lark, values) => {
      const reading = readObject(row.fields, values, '');
      if (!reading.ok) throw new Misuse(reading.problems.join('; '));
      return run(lark, reading.value);
    },
  };
}
