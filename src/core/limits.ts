/** Bounds that several rooms share, each with its reason. All others are next to their use. */

/** How many turns run at the same time if the answers can be told apart. Usually the agents allow fewer. */
export const TURNS_RUNNING_MAX = 8;
/** After this time a handshake will no longer succeed. */
export const WS_HANDSHAKE_TIMEOUT_MS = 15_000;
/** A larger difference of clocks is reported: certificates and the age of messages depend on them. */
export const CLOCK_DIFFERENCE_MAX_MS = 5 * 60_000;
/** How long `doctor` waits for one answer. A person is waiting for the result. */
export const DOCTOR_CALL_TIMEOUT_MS = 5_000;
