/** What can go wrong with a call to an agent elsewhere. */
import { CallFailed, StatusRefused } from '../../net/fetch.ts';
import { TOO_LARGE } from '../../net/http.ts';
import { NOT_PUBLIC } from '../../net/public-addresses.ts';
import { errorText } from '../../core/errors.ts';

type TroubleKind =
  /** Nothing left this machine. */
  | 'not_sent'
  /** It left, and no whole answer came. */
  | 'no_answer'
  /** Its address is one of this machine or its network, and nobody named it. */
  | 'not_public'
  | 'too_large'
  /** It wants to know who asks, or does not let the bridge in. */
  | 'login'
  /** Its address leads elsewhere, or nothing is there. */
  | 'moved'
  /** Its server has trouble. */
  | 'status'
  /** It refuses the call in words. */
  | 'refused'
  | 'unknown_task'
  /** It has no such method, or not for this task. */
  | 'unsupported'
  /** It does not take files of this kind. */
  | 'wrong_files'
  /** What it says is not A2A. */
  | 'unreadable'
  /** A token would go over the open internet for all to read. */
  | 'unprotected'
  /** Its card can't be used. */
  | 'card'
  /** The files of the message can't be read. */
  | 'files_unreadable'
  /** They are more than an agent is sent. */
  | 'files_too_large';

export class AgentTrouble extends Error {
  override readonly name = 'AgentTrouble';
  readonly kind: TroubleKind;
  /** In the agent's own words, or why a card can't be used. */
  readonly said: string | undefined;

  constructor(kind: TroubleKind, detail: string, said?: string) {
    super(detail);
    this.kind = kind;
    this.said = said;
  }
}

/** Errors of the protocol by the names that the SDK gives them, whatever carried them. */
const REFUSALS: Readonly<Partial<Record<string, TroubleKind>>> = {
  TaskNotFoundError: 'unknown_task',
  UnsupportedOperationError: 'unsupported',
  VersionNotSupportedError: 'unsupported',
  ContentTypeNotSupportedError: 'wrong_files',
  TaskNotCancelableError: 'refused',
  InvalidAgentResponseError: 'unreadable',
};
/** JSON-RPC's code for a method that the server does not have. */
const METHOD_NOT_FOUND = -32_601;

/** What a call of the SDK threw. It has no class of its own for an answer that it can't read. */
export function troubleOf(error: unknown): AgentTrouble {
  if (error instanceof AgentTrouble) return error;
  if (error instanceof CallFailed) return failedCall(error);
  if (error instanceof StatusRefused) return refusedStatus(error);
  // An error within a stream comes wrapped.
  const known = error instanceof Error && error.cause instanceof Error ? error.cause : error;
  // Only what the agent said has a transport.
  const { name = '', envelopeCode, transport } = known as Partial<Record<string, string | number>>;
  const detail = errorText(error);
  if (envelopeCode === METHOD_NOT_FOUND) return new AgentTrouble('unsupported', detail);
  const kind = REFUSALS[name] ?? (transport === undefined ? undefined : 'refused');
  if (kind === undefined) return new AgentTrouble('unreadable', detail);
  return new AgentTrouble(kind, detail, errorText(known));
}

function failedCall({ failure: { kind, code, detail } }: CallFailed): AgentTrouble {
  if (code === NOT_PUBLIC) return new AgentTrouble('not_public', detail);
  return new AgentTrouble(code === TOO_LARGE ? 'too_large' : kind, detail);
}

export function refusedStatus({ status, message }: Pick<StatusRefused, 'status' | 'message'>) {
  if (status === 401 || status === 403) return new AgentTrouble('login', message);
  const isMoved = status < 400 || status === 404 || status === 405 || status === 410;
  return new AgentTrouble(isMoved ? 'moved' : 'status', message);
}

/** Nobody is at its address. */
export const UNREACHABLE: ReadonlySet<TroubleKind> = new Set(['not_sent', 'moved']);

/** The agent surely did nothing about the message, so it may be sent again. */
export function isUnheard({ kind }: AgentTrouble): boolean {
  return kind === 'not_sent' || kind === 'moved' || kind === 'unsupported';
}

/** The next try may succeed, without any change. */
export function isPassing({ kind }: AgentTrouble): boolean {
  return ['not_sent', 'no_answer', 'status', 'moved'].includes(kind);
}
