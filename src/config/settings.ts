/**
 * Every setting, one row each. The type of the configuration, `lark-bridge config`, the table of the settings in
 * the documents and the texts about wrong values all come from here.
 */
import { BRANDS, type Brand } from '../core/brand.ts';
import type { Language } from '../core/language.ts';
import { TURNS_RUNNING_MAX } from '../core/limits.ts';
import {
  allProxyUrl,
  appId,
  baseUrl,
  commandPrefix,
  host,
  hostNames,
  hostPort,
  id,
  ids,
  larkId,
  oneOf,
  path,
  proxyUrl,
  readableFile,
  secret,
  socketPath,
  text,
  timeOfDay,
  timeZone,
  type ValueParser,
  wholeNumber,
  yes,
} from './values.ts';

/** After this time a turn counts as lost: the next turn may start, and the chat is told. */
const TURN_TIMEOUT_MS = 600_000;

export interface Setting<T> {
  /** Environment variables; the first that is set and not empty counts. */
  readonly env?: readonly string[];
  /** Environment variable with the path of a file that holds the value. */
  readonly envFile?: string;
  /** Command line flag, without the dashes. */
  readonly flag?: string;
  /** Key in config.json. Secrets have none: they stay out of that file. */
  readonly key?: string;
  /** Key in credentials.json. */
  readonly credential?: 'app_id' | 'app_secret' | 'tenant_brand';
  readonly parse: ValueParser<T>;
  /** The default, in the form that a person would type. `parse` reads it like any other value. */
  readonly fallback?: string;
  /** The value must never be shown, not even a wrong one. */
  readonly secret?: true;
  /** The value is the path of a file with a secret. */
  readonly secretFile?: true;
  readonly doc: string;
}

const LOG_LEVELS = ['debug', 'info', 'warn', 'error'] as const;

const LOG_FORMATS = ['text', 'json'] as const;

const MODES = ['poll', 'daemon'] as const;

const LIVE_MODES = ['on', 'off', 'sparse'] as const;

const ACCESS_MODES = ['pairing', 'allowlist', 'owner', 'open'] as const;

const CALL_LIMITS = ['lark', 'off'] as const;

export const SETTINGS = {
  stateDir: {
    // A host sets the second one for its plugins.
    env: ['LARK_CHANNEL_STATE_DIR', 'MOLECULE_PLUGIN_STATE_DIR'],
    flag: 'state-dir',
    parse: path,
    fallback: '~/.lark-bridge',
    doc: 'Folder for the credentials, settings and database of the bridge',
  },
  mode: {
    flag: 'mode',
    parse: oneOf(MODES),
    fallback: 'poll',
    doc: 'How the bridge connects to the hub: poll as its own workspace, daemon as the workspace that started it',
  },
  appId: {
    env: ['LARK_APP_ID'],
    credential: 'app_id',
    parse: appId,
    doc: 'Id of the Lark app (cli_…); `lark-bridge connect` makes one',
  },
  appSecret: {
    env: ['LARK_APP_SECRET'],
    envFile: 'LARK_APP_SECRET_FILE',
    credential: 'app_secret',
    parse: secret,
    secret: true,
    doc: 'Secret of the Lark app',
  },
  secrets: {
    env: ['LARK_BRIDGE_SECRETS'],
    key: 'secrets',
    parse: oneOf(['file', 'keyring']),
    fallback: 'file',
    doc: "Where `connect` keeps the app secret: file (credentials.json), or the system's keyring (needs the package @napi-rs/keyring)",
  },
  brand: {
    env: ['LARK_BRAND'],
    credential: 'tenant_brand',
    parse: oneOf<Brand>(BRANDS),
    fallback: 'feishu',
    doc: 'The cloud of the app: feishu (China) or lark',
  },
  lang: {
    env: ['LARK_BRIDGE_LANG'],
    flag: 'lang',
    key: 'lang',
    parse: oneOf<'auto' | Language>(['auto', 'en', 'zh']),
    fallback: 'auto',
    doc: 'Language of the bridge in chats, for people who have not chosen one; auto is zh on feishu and en on lark',
  },
  botOpenId: {
    env: ['LARK_BOT_OPEN_ID'],
    key: 'bot_open_id',
    parse: larkId('ou_'),
    doc: 'Open id of the bot; a group message counts only if it mentions this id',
  },
  openBaseUrl: {
    env: ['LARK_OPEN_BASE_URL'],
    key: 'open_base_url',
    parse: baseUrl,
    doc: 'Address of the open platform, instead of the address of the brand',
  },
  accountsBaseUrl: {
    env: ['LARK_ACCOUNTS_BASE_URL'],
    key: 'accounts_base_url',
    parse: baseUrl,
    doc: 'Address of the accounts service, instead of the address of the brand',
  },
  defaultChatId: {
    env: ['LARK_DEFAULT_CHAT_ID'],
    key: 'default_chat_id',
    parse: larkId('oc_'),
    doc: 'Chat for messages that the agent sends before anybody has written to the bot; unset: none',
  },
  agent: {
    env: ['LARK_BRIDGE_AGENT'],
    key: 'agent',
    parse: text,
    doc: 'Agent on the hub that gets the turns; unset: the agent that was added or chosen last (`agents use`), or `echo`',
  },
  access: {
    env: ['LARK_BRIDGE_ACCESS'],
    key: 'access',
    parse: oneOf(ACCESS_MODES),
    fallback: 'pairing',
    doc: 'Who may talk to the bot. pairing: whom the owner lets in, by a code or a button; allowlist: the same without codes; owner: nobody else; open: everybody who can reach it',
  },
  turnTimeoutSecs: {
    flag: 'turn-timeout-secs',
    key: 'turn_timeout_secs',
    parse: wholeNumber(1, 7 * 24 * 3600),
    fallback: String(TURN_TIMEOUT_MS / 1000),
    doc: 'Turn timeout in seconds; without an answer the next message is then processed',
  },
  agentTurnLimitSecs: {
    key: 'agent_turn_limit_secs',
    parse: wholeNumber(1, 7 * 24 * 3600),
    fallback: '7200',
    doc: 'Seconds after which a turn of an agent with a memory is ended; while a person is asked they stand still',
  },
  silenceNoticeSecs: {
    key: 'silence_notice_secs',
    parse: wholeNumber(1, 24 * 3600),
    fallback: '180',
    doc: 'Seconds without any sign of an agent after which the chat is told, with a button to stop it',
  },
  agentProcessesMax: {
    key: 'agent_processes_max',
    parse: wholeNumber(1, 100),
    fallback: '4',
    doc: 'Programs of agents with a memory that live at the same time; a turn that needs one more waits in line',
  },
  agentIdleSecs: {
    key: 'agent_idle_secs',
    parse: wholeNumber(1, 7 * 24 * 3600),
    fallback: '600',
    doc: 'Seconds without work after which the program of an agent with a memory is ended; its memory stays',
  },
  thoughts: {
    key: 'thoughts',
    parse: oneOf(['on', 'off']),
    fallback: 'off',
    doc: 'Whether people see what an agent thinks on its way',
  },
  usageLine: {
    key: 'usage_line',
    parse: oneOf(['on', 'off']),
    fallback: 'on',
    doc: 'Whether an answer ends with a line that says what it used, for agents that tell',
  },
  reportAt: {
    key: 'report_at',
    parse: timeOfDay,
    doc: 'Time of day, such as 18:00, at which the owner gets a report of the day; unset: none, unless the owner orders one with /report',
  },
  reportTimeZone: {
    key: 'report_time_zone',
    parse: timeZone,
    doc: 'Time zone of reports, such as Asia/Shanghai; unset: that of the machine',
  },
  questionTimeoutSecs: {
    key: 'question_timeout_secs',
    parse: wholeNumber(1, 7 * 24 * 3600),
    fallback: '600',
    doc: 'Seconds for which the question of an agent waits for an answer; the time of its turn stands still meanwhile',
  },
  maxTurns: {
    key: 'max_turns',
    parse: wholeNumber(1, 1000),
    fallback: String(TURNS_RUNNING_MAX),
    doc: 'Turns that run at once, if the hub can tell their answers apart',
  },
  burstWaitSecs: {
    env: ['LARK_BRIDGE_BURST_WAIT_SECS'],
    key: 'burst_wait_secs',
    parse: wholeNumber(0, 600),
    fallback: '15',
    doc: 'Seconds that pictures and files without words, sent to the bot alone, wait for the words that follow; 0: they do not wait',
  },
  attachmentsMaxMb: {
    env: ['LARK_BRIDGE_ATTACHMENTS_MAX_MB'],
    key: 'attachments_max_mb',
    parse: wholeNumber(1, 1_000_000),
    fallback: '2048',
    doc: 'Megabytes that files of messages may take on the disk; the oldest are removed first',
  },
  attachmentsKeepDays: {
    env: ['LARK_BRIDGE_ATTACHMENTS_KEEP_DAYS'],
    key: 'attachments_keep_days',
    parse: wholeNumber(1, 3650),
    fallback: '7',
    doc: 'Days after which files of messages are removed from the disk',
  },
  onInterrupted: {
    flag: 'on-interrupted',
    key: 'on_interrupted',
    parse: oneOf(['rerun', 'ask']),
    fallback: 'rerun',
    doc: 'What to do with a turn interrupted by a crash: run it again, or ask the chat',
  },
  live: {
    env: ['LARK_BRIDGE_LIVE'],
    key: 'live',
    parse: oneOf(LIVE_MODES),
    fallback: 'on',
    doc: 'on: a card shows what the agent does while it works; sparse: with few calls to Lark (docs/live-cards.md has the numbers); off: no such card',
  },
  commandPrefix: {
    env: ['LARK_BRIDGE_COMMAND_PREFIX'],
    key: 'command_prefix',
    parse: commandPrefix,
    fallback: '/',
    doc: 'One to three characters before each word for the bridge itself, such as /stop; every other word goes to the agent',
  },
  callLimits: {
    env: ['LARK_BRIDGE_CALL_LIMITS'],
    parse: oneOf(CALL_LIMITS),
    fallback: 'lark',
    doc: 'lark: calls stay within the rate limits of the public clouds; off: no limits, for private deployments and tests',
  },
  platformUrl: {
    env: ['PLATFORM_URL'],
    key: 'platform_url',
    parse: baseUrl,
    doc: 'Address of a hub that exists already; unset: the embedded one',
  },
  workspaceId: {
    env: ['WORKSPACE_ID'],
    key: 'workspace_id',
    parse: id,
    doc: 'Workspace of the bridge on the hub at PLATFORM_URL; with --mode daemon the one that started it',
  },
  workspaceToken: {
    env: ['MOLECULE_WORKSPACE_TOKEN'],
    envFile: 'MOLECULE_WORKSPACE_TOKEN_FILE',
    parse: secret,
    secret: true,
    doc: 'Token of that workspace; a file is read again when it changes',
  },
  targetWorkspaceId: {
    env: ['MOLECULE_TARGET_WORKSPACE_ID'],
    key: 'target_workspace_id',
    parse: id,
    doc: 'Workspace that gets the turns; with --mode daemon unset means WORKSPACE_ID',
  },
  channelApiVersion: {
    env: ['MOLECULE_CHANNEL_API_VERSION'],
    parse: text,
    doc: 'Version of the channel socket that a host offers to --mode daemon; the bridge speaks 1',
  },
  channelSocket: {
    env: ['MOLECULE_CHANNEL_A2A_SOCKET'],
    parse: socketPath,
    doc: 'Channel socket of the host for the turns; unset: the turns go over PLATFORM_URL',
  },
  channelToken: {
    env: ['MOLECULE_CHANNEL_A2A_TOKEN'],
    parse: secret,
    secret: true,
    doc: 'Capability to use that socket',
  },
  orgId: {
    env: ['MOLECULE_ORG_ID'],
    key: 'org_id',
    parse: id,
    doc: 'Organisation to name to the hub at PLATFORM_URL',
  },
  hubHost: {
    env: ['LARK_HOST'],
    key: 'hub_host',
    parse: host,
    fallback: '127.0.0.1',
    doc: 'Address that the embedded hub listens on',
  },
  hubPort: {
    env: ['LARK_PORT'],
    key: 'hub_port',
    parse: wholeNumber(0, 65_535),
    fallback: '4001',
    doc: 'TCP port of the embedded hub; 0: any free port',
  },
  dbPath: {
    env: ['LARK_DB_PATH'],
    key: 'db_path',
    parse: path,
    fallback: '<state-dir>/bridge.db',
    doc: 'Database file',
  },
  hubNames: {
    env: ['LARK_HUB_NAMES'],
    key: 'hub_names',
    parse: hostNames,
    doc: 'Host names, separated by commas, by which others call the embedded hub and the health address; their IP addresses, localhost and LARK_HOST always work',
  },
  hubBridges: {
    env: ['LARK_HUB_BRIDGES'],
    key: 'hub_bridges',
    parse: ids,
    doc: 'Workspaces, separated by commas, of bridges elsewhere that use the embedded hub: only they and its own bridge may say that a turn comes from Lark',
  },
  corsOrigin: {
    env: ['LARK_CORS_ORIGIN'],
    key: 'cors_origin',
    parse: text,
    doc: 'Origin of web pages that may call the embedded hub; unset: none',
  },
  rateLimit: {
    env: ['LARK_RATE_LIMIT'],
    key: 'rate_limit',
    parse: wholeNumber(1, 1_000_000),
    fallback: '100',
    doc: 'Requests a second that the embedded hub takes from one address',
  },
  allowPlainHttp: {
    env: ['LARK_ALLOW_PLAIN_HTTP'],
    key: 'allow_plain_http',
    parse: yes,
    doc: 'The embedded hub may be reached from other machines (LARK_HOST) without TLS, such as behind a proxy that has it, or in a container',
  },
  tlsCert: {
    env: ['LARK_TLS_CERT'],
    key: 'tls_cert',
    parse: readableFile,
    doc: 'File with the certificate (PEM) of the embedded hub; needs LARK_TLS_KEY',
  },
  tlsKey: {
    env: ['LARK_TLS_KEY'],
    key: 'tls_key',
    parse: readableFile,
    secretFile: true,
    doc: 'File with the key (PEM) of that certificate',
  },
  httpsProxy: {
    env: ['HTTPS_PROXY', 'https_proxy'],
    parse: proxyUrl,
    doc: 'Proxy for https and wss addresses',
  },
  httpProxy: {
    env: ['HTTP_PROXY', 'http_proxy'],
    parse: proxyUrl,
    doc: 'Proxy for http and ws addresses',
  },
  allProxy: {
    env: ['ALL_PROXY', 'all_proxy'],
    parse: allProxyUrl,
    doc: 'Proxy for addresses without another proxy; a SOCKS proxy is ignored',
  },
  noProxy: {
    env: ['NO_PROXY', 'no_proxy'],
    parse: text,
    doc: 'Hosts, domains, addresses and ranges (10.0.0.0/8) that are reached without a proxy, separated by commas; each may have a port, * means all',
  },
  healthAddress: {
    env: ['LARK_BRIDGE_HEALTH_ADDRESS'],
    key: 'health_address',
    parse: hostPort,
    doc: 'host:port for /health and /metrics; unset: the port of the embedded hub, with /metrics for this machine only',
  },
  otlpEndpoint: {
    env: ['OTEL_EXPORTER_OTLP_ENDPOINT'],
    key: 'otlp_endpoint',
    parse: baseUrl,
    doc: 'Collector (OTLP over HTTP) that gets a trace of each message; unset: none. Needs the packages of OpenTelemetry',
  },
  logLevel: {
    env: ['LARK_LOG_LEVEL'],
    flag: 'log-level',
    key: 'log_level',
    parse: oneOf(LOG_LEVELS),
    fallback: 'info',
    doc: 'Minimum log level',
  },
  logFormat: {
    env: ['LARK_LOG_FORMAT'],
    flag: 'log-format',
    key: 'log_format',
    parse: oneOf(LOG_FORMATS),
    fallback: 'text',
    doc: 'Log format: text for people, json for programs (one object per line)',
  },
  noColor: {
    env: ['NO_COLOR'],
    flag: 'no-color',
    parse: yes,
    doc: 'Print no colors',
  },
} as const satisfies Record<string, Setting<unknown>>;
