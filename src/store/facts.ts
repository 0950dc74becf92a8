/** The state of the database's file. */
export type DatabaseFact =
  | { readonly kind: 'none' }
  | {
      readonly kind: 'unreadable' | 'corrupt' | 'incomplete' | 'log_damaged';
      readonly detail: string;
    }
  | {
      readonly kind: 'sound';
      /** Version of the schema in the file. `wanted` is the version of this program. */
      readonly version: number;
      readonly wanted: number;
      readonly bytes: number;
      /** Size of the write-ahead log next to it. */
      readonly walBytes: number;
    };
