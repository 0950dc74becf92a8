/** Every bound of the program, each with its reason. A queue, retry, buffer or wait has a line here. */

/** Body of a request to the hub: the platform's own limit (MOL-A2A-07). */
export const A2A_BODY_BYTES_MAX = 16 * 1024 * 1024;

/** Lark redelivers within 6 h; a day also covers a long outage and a clock that jumped. */
export const INBOX_KEEP_MS = 24 * 60 * 60 * 1000;
/** Ids are kept past their age up to this many, so that a quiet bot remembers for weeks. */
export const INBOX_KEEP_ROWS = 50_000;
/** A duplicate usually comes within minutes; this front answers it without a read. */
export const DEDUP_FRONT_ENTRIES = 10_000;

/** Past this a turn counts as lost: its slot is released and the chat is told. */
export const TURN_TIMEOUT_MS = 600_000;
/** Turns at work at once where answers are correlated. An agent is usually the scarce part. */
export const TURNS_RUNNING_MAX = 8;

/** How long one wait for a queue item is held open; below the idle limits of common proxies (30 s). */
export const QUEUE_WAIT_MS = 25_000;

/** The official SDK sends REST calls without any limit of its own. */
export const LARK_CALL_TIMEOUT_MS = 15_000;
/** A text request may carry 150 KB; JSON escaping and the envelope need their share of it. */
export const LARK_TEXT_BYTES_MAX = 100 * 1024;
/** Lark's longest idempotency key. */
export const LARK_UUID_CHARS_MAX = 50;
/** Lark honours an idempotency key for an hour; a margin for clocks. */
export const LARK_UUID_HONOURED_MS = 55 * 60 * 1000;

/** SIGTERM to exit. A supervisor commonly sends SIGKILL after 10 s. */
export const STOP_MS_MAX = 8_000;

/** A connection that has not completed its handshake by now never will. */
export const WS_HANDSHAKE_TIMEOUT_MS = 15_000;
/** Long enough for a lossy mobile network (3 s causes storms), short enough to notice a dead link. */
export const WS_PONG_TIMEOUT_MS = 20_000;
/** Reconnect delays: the first at once, then doubling up to this. Lark's own default is two minutes. */
export const WS_RECONNECT_MAX_MS = 8_000;
