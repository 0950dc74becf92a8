/** Bounds that several rooms share, each with its reason. All others stand beside their use. */

/** Body of a request to the hub: the platform's own limit (MOL-A2A-07). */
export const A2A_BODY_BYTES_MAX = 16 * 1024 * 1024;
/** Turns at work at once where answers are correlated. An agent is usually the scarce part. */
export const TURNS_RUNNING_MAX = 8;
/** A connection that has not completed its handshake by now never will. */
export const WS_HANDSHAKE_TIMEOUT_MS = 15_000;
/** How often the database is asked again when it refuses a write (disk full, locked). */
export const STORE_RETRY_MS = 1_000;
/** The platform calls a workspace stale after 60-90 s without a heartbeat. */
export const HEARTBEAT_MS = 25_000;
/** A hub that has not answered a short call by now will not. */
export const HUB_CALL_TIMEOUT_MS = 10_000;
/** Clocks that differ by more are told of: certificates and the age of messages depend on them. */
export const CLOCK_DIFFERENCE_MAX_MS = 5 * 60_000;
/** How long `doctor` waits for one answer; a person sits in front of it. */
export const DOCTOR_CALL_TIMEOUT_MS = 5_000;
