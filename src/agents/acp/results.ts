/** How turns of an agent end, by what it said at their end, or by why it said nothing. */
import type { Log } from '../../core/log.ts';
import { shortened } from '../../text/cut.ts';
import { withoutTerminalControls } from '../../text/visible.ts';
import { failureSentence } from '../../wire/failure-sentences.ts';
import type { FailedResult, AgentResult } from '../runtime.ts';
import { AUTH_REQUIRED, type Trouble } from './trouble.ts';

/** What an agent says of its error is one sentence of ours. */
const SAID_CHARS_MAX = 300;
const DETAIL_LOGGED_CHARS_MAX = 1_000;

/** The agent has said that the turn is over, and why. */
export function answerResult(stopReason: unknown, text: string): AgentResult {
  return stopReason === 'end_turn'
    ? { ok: true, text }
    : unfinished(stopSentence(String(stopReason)), text);
}

/** Without the end of the answer. What was said is delivered, with a warning. */
export function unfinished(sentence: string, text: string, otherwise?: FailedResult): AgentResult {
  if (text.trim() !== '') return { ok: true, text, warning: sentence };
  return otherwise ?? { ok: false, reason: 'failed', detail: sentence };
}

function stopSentence(stopReason: string): string {
  switch (stopReason) {
    case 'max_tokens':
      return failureSentence('agent_at_limit_of_model');
    case 'max_turn_requests':
      return failureSentence('agent_at_limit_of_requests');
    case 'refusal':
      return failureSentence('agent_refused');
    case 'cancelled':
      return failureSentence('agent_ended_turn');
    default:
      return failureSentence('agent_stopped', oneLine(stopReason));
  }
}

/** A request came to nothing. `login`: the command to log in, as far as it is known. */
export function troubleResult(trouble: Trouble, login: string | undefined): FailedResult {
  switch (trouble.kind) {
    case 'refused':
      return trouble.code === AUTH_REQUIRED
        ? { ...failed(failureSentence('agent_needs_login')), login: { command: login } }
        : failed(failureSentence('agent_said_error', oneLine(trouble.said)));
    case 'silent':
      return failed(failureSentence('agent_not_ready'));
    case 'gone':
      return failed(failureSentence('program_ended_early'));
    case 'too_large':
      return failed(failureSentence('agent_message_too_large'));
    case 'other_version':
      return failed(failureSentence('agent_other_version', trouble.version));
    case 'not_started':
      return trouble.result;
  }
}

export function logTrouble(log: Log, trouble: Trouble): void {
  const fields =
    trouble.kind === 'refused'
      ? {
          code: trouble.code,
          message: trouble.said,
          data: shortened(trouble.detail ?? '', DETAIL_LOGGED_CHARS_MAX),
        }
      : {};
  log.warn('agent_request_failed', { why: trouble.kind, ...fields });
}

function failed(detail: string): FailedResult {
  return { ok: false, reason: 'failed', detail };
}

/** In a sentence, so without a line end, and without a full stop of its own. */
function oneLine(said: string): string {
  const text = withoutTerminalControls(said).replaceAll(/\s+/g, ' ').trim();
  return shortened(text.replace(/[.!。！]+$/, ''), SAID_CHARS_MAX) || '?';
}
