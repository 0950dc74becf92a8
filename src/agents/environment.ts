import type { LarkContext } from '../core/message.ts';
import type { AgentTurn } from './runtime.ts';

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * The bridge's own settings, secrets included. The program gets none of them, so a secret that is added later
 * can't leak either. It also does not get systemd's variables: systemd would take the program's messages for
 * messages of the bridge.
 */
const OURS =
  /^(?:LARK_|MOLECULE_)|^(?:WORKSPACE_ID|PLATFORM_URL|NOTIFY_SOCKET|WATCHDOG_(?:USEC|PID)|CREDENTIALS_DIRECTORY)$/i;

/** The environment of a turn's program: the user's own variables, and where the message came from. */
export function agentEnvironment(
  env: Environment,
  { lark, claimedLark }: Pick<AgentTurn, 'lark' | 'claimedLark'>,
): Record<string, string> {
  const theirs = Object.entries(env).filter(([name]) => !OURS.test(name));
  const claims = Object.entries(larkVariables(claimedLark)).map(
    ([name, value]) => [`CLAIMED_${name}`, value] as const,
  );
  const known = Object.entries(larkVariables(lark));
  return Object.fromEntries([...theirs, ...claims, ...known].filter(isSet));
}

/** Names of variables whose values are secrets. */
const SECRET_NAME = /(?:secret|password|passwd|token|credentials?|_key|apikey)$/i;
/** A shorter value may be an ordinary word that is in any text. */
const SECRET_CHARS_MIN = 8;

/** The secrets that a program was given, found by the names of their variables. It may print them when it fails. */
export function secretsIn(env: Environment): string[] {
  return Object.entries(env).flatMap(([name, value = '']) =>
    SECRET_NAME.test(name) && value.length >= SECRET_CHARS_MIN ? [value] : [],
  );
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
