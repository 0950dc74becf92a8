import type { LarkContext } from '../core/message.ts';
import type { AgentTurn } from './runtime.ts';
import { attachmentFields } from './turn-fields.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * What every program gets of the bridge's own environment. It is a list of what is allowed, so a secret with a
 * name that nobody has thought of stays out of it. So do the settings of the bridge and systemd's variables:
 * systemd would take the program's messages for messages of the bridge.
 */
const ALLOWED =
  /^(?:PATH|HOME|USER|LOGNAME|SHELL|LANG|LANGUAGE|LC_\w+|TZ|TERM|TMPDIR|XDG_\w+|SSL_CERT_(?:FILE|DIR)|NODE_EXTRA_CA_CERTS)$/;
const PROXY = /^(?:https?|all|no)_proxy$/i;
/** Without these most programs do not start on Windows, where the case of a name does not count. */
const ALLOWED_ON_WINDOWS =
  /^(?:PATH|PATHEXT|SYSTEMROOT|SYSTEMDRIVE|WINDIR|COMSPEC|TEMP|TMP|APPDATA|LOCALAPPDATA|PROGRAMDATA|PROGRAMFILES(?:\(X86\))?|USERPROFILE|USERNAME|HOMEDRIVE|HOMEPATH)$/i;
/** Belong to the user of the bridge, so they are wrong for another user. */
const OF_OWN_USER = /^(?:XDG_\w+|TMPDIR)$/;

interface EnvironmentParts {
  /** The bridge's own environment. */
  readonly env: Environment;
  /** The variables that a person chose for the program. */
  readonly given: Environment;
  /** What names another user, if the program runs as one. */
  readonly user?: Environment | undefined;
  readonly turn: Pick<AgentTurn, 'lark' | 'claimedLark' | 'details'>;
  /** Where it may leave files for its answer. */
  readonly outputFolder?: string | undefined;
}

/** The environment of a turn's program: what is allowed, what a person chose, and where the message came from. */
export function agentEnvironment({
  env,
  given,
  user,
  turn: { lark, claimedLark, details = {} },
  outputFolder,
}: EnvironmentParts): Record<string, string> {
  const allowed = Object.entries(env).filter(
    ([name]) => isAllowed(name) && (user === undefined || !OF_OWN_USER.test(name)),
  );
  const claims = Object.fromEntries(
    Object.entries(larkVariables(claimedLark)).map(([name, value]) => [`CLAIMED_${name}`, value]),
  );
  const told = lark && {
    ...larkVariables(lark),
    LARK_ATTACHMENTS: JSON.stringify(attachmentFields(details)),
  };
  const ours = { ...told, LARK_OUTPUT_DIR: outputFolder };
  const chosen = [user ?? {}, given, claims, ours].flatMap(Object.entries<string | undefined>);
  return Object.fromEntries([...allowed, ...chosen].filter(isSet));
}

/** What programs of agents may get of an environment: the list that all get, and what was named for one. */
export function inheritable(env: Environment, named: readonly string[]): Environment {
  return Object.fromEntries(
    Object.entries(env).filter(([name]) => isAllowed(name) || named.includes(name)),
  );
}

function isAllowed(name: string): boolean {
  if (ALLOWED.test(name) || PROXY.test(name)) return true;
  return process.platform === 'win32' && ALLOWED_ON_WINDOWS.test(name);
}

/** Names of variables whose values are secrets. */
const SECRET_NAME = /(?:secret|password|passwd|token|credentials?|_key|apikey)$/i;
/** A shorter value may be an ordinary word that is in any text. */
const SECRET_CHARS_MIN = 8;

export function isSecretName(name: string): boolean {
  return SECRET_NAME.test(name);
}

/**
 * The secrets that a program was given: all that a person chose for it, and others by the names of their
 * variables. It may print them when it fails.
 */
export function secretsIn({ env, given }: Pick<EnvironmentParts, 'env' | 'given'>): string[] {
  const named = Object.entries(env).filter(([name]) => isSecretName(name));
  const values = [...named, ...Object.entries(given)].map(([, value = '']) => value);
  return values.filter((value) => value.length >= SECRET_CHARS_MIN);
}

function larkVariables(lark: LarkContext | undefined): Environment {
  if (lark === undefined) return {};
  return {
    LARK_BRAND: lark.brand,
    LARK_CHAT_ID: lark.chatId,
    LARK_CHAT_TYPE: lark.chatType,
    LARK_MESSAGE_ID: lark.messageId,
    LARK_SENDER_OPEN_ID: lark.senderOpenId,
    LARK_THREAD_ID: lark.threadId,
    LARK_PARENT_ID: lark.parentId,
  };
}

/** A variable can't contain a NUL. No id of Lark contains one. */
function isSet(entry: readonly [string, string | undefined]): entry is [string, string] {
  const [, value] = entry;
  return value !== undefined && value !== '' && !value.includes('\0');
}
