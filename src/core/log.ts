export type LogFields = Readonly<Record<string, unknown>>;

/** Event names are in the past tense, and fields are flat. Ids are logged; texts of chats and secrets never. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
