/** What the parts of a message need while they are drawn. */
import type { FieldBlock, FieldValue, Press } from '../view/nodes.ts';

export interface Drawing {
  readonly myId: string | undefined;
  /** What the person has filled in and not sent yet, by the name of the field. It outlives a new drawing. */
  readonly values: Map<string, FieldValue>;
  /** Which panels the person opened or closed. */
  readonly panels: Map<string, boolean>;
  readonly press: (press: Press, formValues: Readonly<Record<string, unknown>> | undefined) => void;
  readonly choose: (field: FieldBlock, value: FieldValue) => void;
  /** Draws the message again, after values have changed. */
  readonly redraw: () => void;
  /** The form around what is drawn now. */
  readonly form: Form | undefined;
}

/** The fields of a form, as they are drawn. */
interface Form {
  readonly fields: FieldBlock[];
}
