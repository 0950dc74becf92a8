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

/** A hub that can't be reached is tried again after this, doubling up to the maximum, without end. */
export const TURN_SEND_BACKOFF_BASE_MS = 500;
export const TURN_SEND_BACKOFF_MAX_MS = 30_000;

/** How long a hub may hold a send for its answer: one that comes at once then saves a second call. */
export const SEND_WAIT_SECS = 1;

/** How long one wait for a queue item is held open; below the idle limits of common proxies (30 s). */
export const QUEUE_WAIT_MS = 25_000;

/** The official SDK sends REST calls without any limit of its own. */
export const LARK_CALL_TIMEOUT_MS = 15_000;
/** A text request may carry 150 KB; JSON escaping and the envelope need their share of it. */
export const LARK_TEXT_BYTES_MAX = 100 * 1024;
/** An answer of Lark beyond this is not read to its end. A page of history can hold 50 long messages. */
export const LARK_ANSWER_BYTES_MAX = 16 * 1024 * 1024;
/** TCP and TLS to Lark; shorter than a call, so that "nothing was sent" can be told from "no answer". */
export const LARK_CONNECT_TIMEOUT_MS = 8_000;
/** Tokens live for two hours; a new one is fetched this long before. */
export const LARK_TOKEN_EARLY_MS = 5 * 60 * 1000;
/** Calls at work at once; 50 a second need about ten at usual latencies. */
export const LARK_CALLS_RUNNING_MAX = 16;
/** Calls that wait for their turn; beyond this the outbox keeps them. */
export const LARK_CALLS_WAITING_MAX = 10_000;
/** Lark's limits per app and API. */
export const LARK_API_PER_SECOND_MAX = 50;
export const LARK_API_PER_MINUTE_MAX = 1_000;
/** Lark's limit for messages to one person or one group. */
export const LARK_CHAT_PER_SECOND_MAX = 5;
/** Chats whose pace is remembered; a forgotten one has rested for long. */
export const LARK_CHATS_PACED_MAX = 2_000;
/** Lark's windows are a second and a minute: nobody has to wait longer, whatever a header says. */
export const LARK_COOL_DOWN_MS_MAX = 60_000;
/** Pages of 50 messages that one look into a chat's history reads. */
export const LARK_HISTORY_PAGES_MAX = 40;
/** Lark's longest idempotency key. */
export const LARK_UUID_CHARS_MAX = 50;
/** Lark honours an idempotency key for an hour; a margin for clocks. */
export const LARK_UUID_HONOURED_MS = 55 * 60 * 1000;

/** A connection that has not completed its handshake by now never will. */
export const WS_HANDSHAKE_TIMEOUT_MS = 15_000;
/** Long enough for a lossy mobile network (3 s causes storms), short enough to notice a dead link. */
export const WS_PONG_TIMEOUT_MS = 20_000;
/** Reconnect delays: the first at once, then doubling up to this. Lark's own default is two minutes. */
export const WS_RECONNECT_MAX_MS = 8_000;
export const WS_RECONNECT_BASE_MS = 500;
/** A connection that lasted this long was sound: after it the first reconnect is at once again. */
export const WS_STABLE_MS = 60_000;
/** Lark asks for a ping every 90–120 s; more often finds a dead link sooner and keeps NATs open. */
export const WS_PING_INTERVAL_MAX_MS = 30_000;
/** Whatever a server says: less would be a storm of pings. */
export const WS_PING_INTERVAL_MIN_MS = 1_000;

/** Time for a person to scan and confirm: 285 s were seen, a code lives 600 s or longer. */
export const CONNECT_TIMEOUT_MS = 600_000;
/** What RFC 8628 and the official SDK take when the server names none. */
export const GRANT_INTERVAL_MS = 5_000;
export const GRANT_LIFETIME_MS = 600_000;
/** RFC 8628: each `slow_down` adds this to the interval, for good. */
export const GRANT_SLOW_DOWN_MS = 5_000;
/** A host that has never answered is given up after so many calls: there it is not the weather. */
export const GRANT_FIRST_CALLS_MAX = 4;
export const GRANT_BACKOFF_BASE_MS = 500;
export const GRANT_BACKOFF_MAX_MS = 10_000;
/** Codes in a row that are refused at their first poll; one more would not fare better. */
export const GRANT_DEAD_CODES_MAX = 3;

/** Calls to Lark under way at once; the rate limits bind first, this bounds sockets and memory. */
export const OUT_CONCURRENT_MAX = 32;
/** A send that Lark or the network refused is tried again after this, doubling up to the maximum. */
export const OUT_BACKOFF_BASE_MS = 1_000;
export const OUT_BACKOFF_MAX_MS = 60_000;
/** More tries than these, with their waits, take longer than ten minutes. */
export const OUT_RECENT_ATTEMPTS_MAX = 20;
/** A missing permission is rarely granted within minutes, and each try costs a call of the quota. */
export const OUT_OPERATOR_WAIT_MS = 10 * 60_000;
/** What Lark did not take for a day is a dead letter. */
export const OUT_KEEP_TRYING_MS = 24 * 60 * 60 * 1000;
/** A sign of receipt that comes later than this tells nobody anything. */
export const RECEIPT_USEFUL_MS = 10_000;
/** A turn that is over sooner needs no sign of receipt, which saves two calls of the quota. */
export const RECEIPT_DELAY_MS = 700;
/** Behind so many calls that wait, a sign of receipt would come too late: Lark takes 50 a second. */
export const RECEIPTS_BEHIND_MAX = 500;
/** When a person is told that their message waits. */
export const QUEUE_NOTICE_AFTER_MS = 5_000;
/** At most so many such notices to one chat a minute. */
export const QUEUE_NOTICES_PER_MINUTE = 5;
/** When a person is told that the agent can't be reached. */
export const OFFLINE_NOTICE_AFTER_MS = 10_000;
/** How often waiting turns are looked at for such notices. */
export const NOTICE_LOOK_MS = 1_000;
/** A message that is older than this when it comes may have lost its point: a person decides. */
export const STALE_AFTER_MS = 30 * 60_000;
/** How often the database is asked again when it refuses a write (disk full, locked). */
export const STORE_RETRY_MS = 1_000;

/** Items that wait for one agent. Past this the sender is told to come back, which bounds memory and disk. */
export const HUB_QUEUE_ITEMS_MAX = 10_000;
/** Times that a turn is begun before it counts as the one that kills the process. */
export const HUB_ATTEMPTS_MAX = 5;
/** How long one request may wait for a queue item. */
export const HUB_WAIT_SECS_MAX = 30;
/** A repeated message is known for this long after its turn ended; also how long a polling agent may take. */
export const HUB_ITEM_KEEP_MS = 24 * 60 * 60 * 1000;
/** The longest time that a client may ask an inbox back for. */
export const HUB_ACTIVITY_KEEP_MS = 30 * 24 * 60 * 60 * 1000;
/** Rows deleted in one commit, so that tidying up never holds the event loop for long. */
export const HUB_PRUNE_BATCH_ROWS = 200;
/** How often the hub tidies up. */
export const HUB_PRUNE_EVERY_MS = 10 * 60_000;
/** How often the dispatcher looks without being woken: items that expire, agents that were removed. */
export const HUB_LOOK_MS = 10_000;
/** Two missed heartbeats of 30 s and a margin (MOL-REG-08). */
export const HUB_STALE_AFTER_MS = 90_000;
/** Rows of one inbox answer: the platform's own default and maximum (MOL-ACT-04). */
export const HUB_ACTIVITY_ROWS_DEFAULT = 100;
export const HUB_ACTIVITY_ROWS_MAX = 500;
/** An inbox answer is cut short past this; clients refuse more than 64 MB (MOL-RES-12). */
export const HUB_ACTIVITY_BYTES_MAX = 32 * 1024 * 1024;
/** Callers whose request rate is remembered; past this idle ones are forgotten. */
export const HUB_CALLERS_REMEMBERED = 10_000;
/** Turns that end within this after the hub was told to stop are not cancelled. */
export const HUB_STOP_FINISH_MS = 1_000;
/** How long cancelled agents may take to end before the hub stops without them. */
export const HUB_STOP_CANCEL_MS = 4_000;

/** An agent's answer. Longer ones would be dozens of Lark messages and are a program gone wrong. */
export const AGENT_OUTPUT_BYTES_MAX = 1024 * 1024;
/** What is kept of an agent's stderr, for the log. */
export const AGENT_STDERR_BYTES_MAX = 8 * 1024;
/** SIGTERM to SIGKILL. Shorter than the hub's own stop. */
export const AGENT_KILL_GRACE_MS = 2_000;
/** Output that was written before an agent's program ended arrives within this. */
export const AGENT_DRAIN_MS = 500;
/** The platform calls a workspace stale after 60-90 s without a heartbeat. */
export const HEARTBEAT_MS = 25_000;
/** A hub that has not answered a short call by now will not. */
export const HUB_CALL_TIMEOUT_MS = 10_000;
/** Lark is asked who the bot is until it says so. */
export const BOT_INFO_RETRY_BASE_MS = 2_000;
export const BOT_INFO_RETRY_MAX_MS = 60_000;
/** How exactly one knows afterwards when a killed process stopped. */
export const ALIVE_EVERY_MS = 5_000;
/** How often the daemon looks whether an operator left an order; a person waits for it. */
export const ORDERS_LOOK_MS = 500;
/** How long a command waits for the daemon to carry out its order, and how often it looks. */
export const ORDER_WAIT_MS = 5_000;
export const ORDER_WAIT_LOOK_MS = 50;
/** How often the journal forgets what is old, and how much in one short write. */
export const PRUNE_EVERY_MS = 10 * 60_000;
export const PRUNE_ROWS = 500;
/** Dead letters wait for an operator, who may be on holiday. */
export const DEAD_LETTER_KEEP_MS = 30 * 24 * 60 * 60 * 1000;
/** Lark redelivers soon after short outages by itself; after longer ones only hours later. */
export const GAP_READ_AFTER_MS = 10 * 60_000;
/** Chats that were quiet for longer are not read back: each one costs a call of the monthly quota. */
export const GAP_CHATS_ACTIVE_MS = 7 * 24 * 60 * 60 * 1000;
export const GAP_CHATS_MAX = 100;
/** How often an open gap or a quiet connection is looked at. */
export const GAP_LOOK_MS = 15_000;
/** A connection without events for so long is put to the proof, then after twice as long, and so on. */
export const QUIET_PROOF_MS = 10 * 60_000;
export const QUIET_PROOF_MAX_MS = 6 * 60 * 60 * 1000;
/** A message is missed only if its event had this long to come. */
export const EVENT_GRACE_MS = 30_000;
/** Lark's count of connections may be stale by minutes after a restart. */
export const STRANGERS_FIRST_LOOK_MS = 5 * 60_000;
export const STRANGERS_LOOK_MS = 24 * 60 * 60_000;
/** How often a workspace looks into its inbox (MOL-INB-01). */
export const INBOX_POLL_MS = 5_000;
/** How long a stop waits for calls under way; all of it has to fit into the 10 s that supervisors give. */
export const OUT_STOP_MS_MAX = 3_000;
