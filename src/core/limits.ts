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

/** A runtime on this machine that takes no connection by now hangs. */
export const CHANNEL_CONNECT_TIMEOUT_MS = 5_000;

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

/** The check at the end of `connect`: what Lark has to do by itself (connect, take a message) it does by then. */
export const CHECK_LARK_MS_MAX = 30_000;
/** How often the check looks whether something has come. */
export const CHECK_LOOK_MS = 100;
/** A person needs some seconds to answer; after this they are told what may be missing, later again if that changes. */
export const CHECK_HINT_AFTER_MS = 30_000;
export const CHECK_HINT_EVERY_MS = 60_000;
/** A message that the chat shows, and whose event has not come by now, has none. */
export const CHECK_EVENT_GRACE_MS = 10_000;
/** The clocks of this machine and of Lark are rarely further apart. */
export const CHECK_CLOCK_SLACK_MS = 10_000;

/** Messages to Lark under way at once; the rate limits bind first, this bounds sockets and memory. */
export const OUT_CONCURRENT_MAX = 32;
/** Signs of receipt under way at once: at usual latencies enough for Lark's 50 a second. */
export const OUT_SIGNS_CONCURRENT_MAX = 8;
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

/** The embedded hub ends its agents at their time; its word on that takes a kill and a commit. */
export const HUB_VERDICT_MS = 5_000;
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
/** Threads read back, for the same reason: a chat's history does not show what is said inside of them. */
export const GAP_THREADS_MAX = 50;
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
/** How soon a change of health is in the log. */
export const HEALTH_LOOK_MS = 1_000;
/** A sign of life older than this is one of a process that hangs, or that can't write. */
export const ALIVE_STALE_MS = 15_000;
/** How long `status` waits for the daemon's own word; a locked database holds that up for seconds. */
export const HEALTH_ASK_TIMEOUT_MS = 3_000;

/** Each word to systemd costs a process, so there are few; a short watchdog may want more of them. */
export const NOTIFY_EVERY_MS_MAX = 20_000;
export const NOTIFY_EVERY_MS_MIN = 1_000;
/** systemd takes a word within milliseconds, unless it is busy with all of its units. */
export const NOTIFY_TIMEOUT_MS = 3_000;
/** A database that can't be written for this long may be helped by opening it anew; a lock passes sooner. */
export const WATCHDOG_STORAGE_DOWN_MS_MAX = 60_000;
/**
 * Lark and networks have outages of hours, which no restart ends, and a restart ends the agents at work.
 * Past this it may be ourselves who are stuck, and a restart twice an hour does little harm.
 */
export const WATCHDOG_LINE_DOWN_MS_MAX = 30 * 60_000;
/** systemctl waits for a start until the bridge is ready. */
export const SYSTEMCTL_TIMEOUT_MS = 120_000;
/** After a turn was given up, so long the next thing that its agent says unasked may be its answer after all. */
export const GIVEN_UP_DOUBT_MS = 60 * 60_000;
/** A stop waits no longer for a collector of traces. */
export const TRACES_FLUSH_MS_MAX = 1_000;
/** Turns whose trace was sent; a row that ends later must not send it again. */
export const TRACES_REMEMBERED = 1_000;
/** How much of an inbox counts as new to who never read it (MOL-INB-01). */
export const INBOX_BACKLOG_SECS = 600;
/** Where there are no cursors, what was read so lately is read again: rows become visible out of order. */
export const INBOX_OVERLAP_SECS = 60;
/** How far back it is read when the place in it is lost: less than known answers are remembered for. */
export const INBOX_RESET_SECS = 12 * 60 * 60;
/** Rows of one look: enough for five seconds, and all that a hub gives of a backlog (MOL-ACT-04). */
export const INBOX_ROWS_NEXT = 100;
export const INBOX_ROWS_BACKLOG = 500;
/** A workspace that could not be registered is tried again after this. */
export const REGISTER_RETRY_MS = 5_000;
/** How often a queued turn is asked for where the hub does not hold the question: doubling up to the second. */
export const QUEUE_LOOK_BASE_MS = 1_000;
export const QUEUE_LOOK_MAX_MS = 8_000;
/** How long a message waits for its next try when the operator has to put something right first. */
export const HUB_OPERATOR_WAIT_MS = 30_000;
/** Whatever a hub says about when to come back, a person waits for it. */
export const HUB_RETRY_AFTER_MAX_MS = 5 * 60_000;
/** Clocks that differ by more are told of: certificates and the age of messages depend on them. */
export const CLOCK_DIFFERENCE_MAX_MS = 5 * 60_000;
/** How long `doctor` waits for one answer; a person sits in front of it. */
export const DOCTOR_CALL_TIMEOUT_MS = 5_000;
/** Lark and certificates bear a minute; behind that something is wrong with the clock. */
export const DOCTOR_CLOCK_DIFFERENCE_MS = 60_000;
/** What Lark's free tenants have a month, all of their apps together. */
export const LARK_FREE_CALLS_PER_MONTH = 10_000;
/** Below this the journal of a busy week may not fit any more. */
export const DOCTOR_FREE_BYTES_LOW = 200 * 1024 * 1024;
/** Below this a commit may fail at any moment. */
export const DOCTOR_FREE_BYTES_NONE = 10 * 1024 * 1024;
/** A log of writes is brought into the database every 16 MB; far more means that something holds it up. */
export const DOCTOR_WAL_BYTES_MAX = 128 * 1024 * 1024;
