/** How a turn ends that an agent elsewhere did not answer, in words for the person. */
import { withoutSecrets } from '../../core/secret.ts';
import { shortened } from '../../text/cut.ts';
import { isBlank, withoutTerminalControls } from '../../text/visible.ts';
import { type FailureCode, failureSentence } from '../../wire/failure-sentences.ts';
import type { FailedResult } from '../runtime.ts';
import { type AgentStatus, textOf } from './events.ts';
import { SENT_FILES_BYTES_MAX } from './prompt.ts';
import { type AgentTrouble, UNREACHABLE } from './trouble.ts';

/** A person reads one sentence. What an agent says at length is in the log. */
const SAID_CHARS_MAX = 300;

/** A sentence for each kind of trouble that needs no words of the agent. */
const SENTENCE_OF: Readonly<
  Record<Exclude<AgentTrouble['kind'], 'card' | 'refused'>, FailureCode>
> = {
  not_sent: 'a2a_unreachable',
  no_answer: 'a2a_lost',
  not_public: 'a2a_address_private',
  too_large: 'a2a_answer_too_large',
  login: 'a2a_login',
  moved: 'a2a_moved',
  status: 'a2a_server',
  unknown_task: 'a2a_task_forgotten',
  unsupported: 'a2a_moved',
  wrong_files: 'a2a_files_unknown',
  unreadable: 'a2a_answer_unreadable',
  unprotected: 'a2a_unprotected',
  files_unreadable: 'a2a_files_not_read',
  files_too_large: 'a2a_files_too_large',
};

/** `masked` hides the token. */
export function failureFor(
  { kind, said = '' }: AgentTrouble,
  masked: (text: string) => string,
): FailedResult {
  if (kind === 'card') return failed(failureSentence('a2a_card_unusable', said));
  if (kind === 'refused') return failed(saying('a2a_declined', masked(said)));
  const sentence = failureSentence(SENTENCE_OF[kind], SENT_FILES_BYTES_MAX / 1024 ** 2);
  if (kind === 'login') return loginNeeded(sentence);
  return { ...failed(sentence), ...(UNREACHABLE.has(kind) && { isUnreachable: true }) };
}

/** The work of the agent has ended without an answer, or goes on only after a login. */
export function failureOf(
  { state, parts }: AgentStatus,
  masked: (text: string) => string,
): FailedResult {
  const said = masked(textOf(parts));
  if (state === 'auth_required') return loginNeeded(saying('a2a_login', said));
  if (state === 'rejected') return failed(saying('a2a_declined', said));
  if (state === 'failed') return failed(saying('a2a_failed', said));
  return failed(failureSentence(state === 'unknown' ? 'a2a_unfinished' : 'a2a_ended'));
}

function saying(code: 'a2a_declined' | 'a2a_failed' | 'a2a_login', said: string): string {
  const line = withoutTerminalControls(said).replaceAll(/\s+/g, ' ').trim();
  if (isBlank(line)) return failureSentence(code);
  const words = shortened(withoutSecrets(line), SAID_CHARS_MAX).replace(/[.。]+$/, '');
  return failureSentence(`${code}_saying`, words);
}

function loginNeeded(detail: string): FailedResult {
  return { ...failed(detail), login: { command: undefined } };
}

function failed(detail: string): FailedResult {
  return { ok: false, reason: 'failed', detail };
}
