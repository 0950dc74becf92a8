export type LogFields = Readonly<Record<string, unknown>>;

/** Event names in the past tense and flat fields; ids yes, text of chats and secrets never. */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}
