export type LogFields = Readonly<Record<string, unknown>>;

/**
 * Event names are in the past tense, and fields are flat. Ids are logged; texts of chats and secrets never. `turn` is
 * always the id of the person's message, as `turns` and `trace` show it.
 */
export interface Log {
  debug(event: string, fields?: LogFields): void;
  info(event: string, fields?: LogFields): void;
  warn(event: string, fields?: LogFields): void;
  error(event: string, fields?: LogFields): void;
}

/** A log whose lines all begin with these fields. */
export function logAbout(log: Log, about: LogFields): Log {
  return {
    debug: (event, fields) => log.debug(event, { ...about, ...fields }),
    info: (event, fields) => log.info(event, { ...about, ...fields }),
    warn: (event, fields) => log.warn(event, { ...about, ...fields }),
    error: (event, fields) => log.error(event, { ...about, ...fields }),
  };
}

/** How a line names a turn at the hub: by the person's message if there is one, and by the hub's own id. */
export function hubTurn(id: string, message: string | undefined): LogFields {
  return { ...(message !== undefined && { turn: message }), hub_turn: id };
}
