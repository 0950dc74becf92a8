/** What a look at the database's file brought. */
export type DatabaseFact =
  | { readonly kind: 'none' }
  | { readonly kind: 'unreadable' | 'corrupt'; readonly detail: string }
  | {
      readonly kind: 'sound';
      /** Of the schema; and what this program wants. */
      readonly version: number;
      readonly wanted: number;
      readonly bytes: number;
      /** Of the log of writes beside it. */
      readonly walBytes: number;
    };
