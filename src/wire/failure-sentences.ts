/**
 * What the hub and its agents say to people about a turn that failed. It is stored and sent in English, in fields
 * that have no place for a code. So the code is found again from the sentence, for people who read another language.
 */
const SENTENCES = {
  a2a_address_private:
    "The agent's address belongs to this machine or its network, which has to be named when the agent is added.",
  a2a_answer_too_large: "The agent's answer is too large.",
  a2a_answer_unreadable: 'The agent answered in a form that is not A2A.',
  /** The reason is one of `CardTrouble`. */
  a2a_card_unusable: "The agent's card can't be used: {0}.",
  a2a_declined: 'The agent declined this.',
  a2a_declined_saying: 'The agent declined this: {0}.',
  a2a_ended: 'The agent ended its work on this without an answer.',
  a2a_failed: 'The agent reported a failure.',
  a2a_failed_saying: 'The agent reported a failure: {0}.',
  a2a_files_not_read: 'The agent could not be given the files of the message.',
  a2a_files_too_large:
    'The files of the message are more than {0} MB, which is all that this agent is sent.',
  a2a_files_unknown: 'The agent does not take files of this kind.',
  a2a_login: 'The agent wants a login, or does not accept the token of the bridge.',
  a2a_login_saying: 'The agent wants a login: {0}.',
  a2a_lost: 'The connection to the agent was lost, and the agent may still be at work.',
  a2a_moved: "Nothing speaks A2A at the agent's address any more.",
  a2a_server: "The agent's server has trouble.",
  a2a_task_forgotten: 'The agent does not know its work on this any more.',
  a2a_unfinished:
    'The agent ended in a way that the bridge does not know, so its answer may not be complete.',
  a2a_unprotected:
    "The agent's address is not protected (http), so the bridge does not send its token there.",
  a2a_unreachable: 'The agent could not be reached.',
  agent_at_limit_of_model: 'The agent stopped, because it reached a limit of its model.',
  agent_at_limit_of_requests:
    'The agent stopped, because it made as many requests as it may make for one message.',
  agent_broke: 'The agent broke while it worked on this.',
  agent_interrupted: 'The agent was interrupted by a restart.',
  agent_interrupted_often: 'The agent was interrupted {0} times while it worked on this.',
  agent_ended_turn: 'The agent ended its work by itself before it was done.',
  agent_message_too_large: 'The agent sent a message that is too large to be read.',
  agent_needs_login: 'The agent needs a login on the machine of the bridge.',
  agent_needs_restart:
    'lark-bridge was upgraded, and has to be restarted before this agent can run.',
  agent_not_ready: 'The agent did not get ready in time.',
  agent_not_running: 'The agent is not running.',
  agent_other_version:
    'The agent speaks another version of its protocol ({0}), so it can not be used.',
  agent_refused: 'The agent refused to go on.',
  agent_removed: 'The agent was removed.',
  agent_said_error: 'The agent reported an error: {0}.',
  agent_stopped: 'The agent stopped, and gave this reason: {0}.',
  answer_files_not_kept: 'The files of its answer could not be kept.',
  cancelled: 'The turn was cancelled.',
  folder_missing: 'The folder {0} does not exist.',
  folder_not_absolute: 'The folder {0} is not named with its full path.',
  folder_not_usable: 'The path {0} is not a folder that can be used.',
  files_not_given: "The agent's program could not be given the files of the message.",
  expired: 'The message expired before the agent got to it.',
  no_answer_in_day: 'The agent did not answer within a day.',
  no_answer_in_second: 'The agent gave no answer within 1 second.',
  no_answer_in_seconds: 'The agent gave no answer within {0} seconds.',
  hub_full_of_bytes: 'this workspace has {0} MB stored at the hub, which is all it may have',
  hub_full_of_rows:
    'this workspace has {0} messages and reports stored at the hub, which is all it may have',
  program_ended_early: "The agent's program ended before its answer was complete.",
  program_ended_for_others:
    "The agent's program, which this conversation shares with others, had to be ended.",
  program_exit_code: "The agent's program ended with exit code {0}.",
  program_signal: "The agent's program was ended by {0}.",
  program_needs_node: "The agent's program needs another version of Node than the one that it got.",
  program_not_found: "The agent's program was not found.",
  program_not_prepared:
    "The agent's program could not be started, because its user, its file of variables or the file of its turn can't be used.",
  program_not_started: "The agent's program could not be started.",
  /** The cause is a meaning of an error of the operating system. */
  program_not_started_because: "The agent's program could not be started, because {0}.",
  budget_used_up: 'the budget of the workspace is used up',
  hub_answer_unknown: 'it answered, but the hub gave its answer in an unknown form',
  task_ended: 'its task ended as {0}',
  told_error: 'it reported an error',
  too_large: 'it is too large',
  too_large_for_hub: 'it is too large for the hub',
  turn_ended: 'the turn was {0}',
  workspace_not_found: 'workspace not found',
} as const;

export type FailureCode = keyof typeof SENTENCES;

export const FAILURE_CODES = Object.keys(SENTENCES) as FailureCode[];

export function failureSentence(code: FailureCode, value: string | number = ''): string {
  return SENTENCES[code].replace('{0}', () => String(value));
}

/** Without a value the sentence itself is the pattern. */
const PATTERNS = FAILURE_CODES.map((code) => {
  const [before = '', after] = SENTENCES[code].split('{0}');
  return { code, before, after };
});

/** Undefined: somebody else said it. */
export function failureCodeOf(
  sentence: string,
): { readonly code: FailureCode; readonly value: string } | undefined {
  for (const { code, before, after } of PATTERNS) {
    if (after === undefined ? sentence !== before : !isBetween(sentence, { before, after })) {
      continue;
    }
    const end = sentence.length - (after ?? '').length;
    return { code, value: sentence.slice(before.length, end) };
  }
  return undefined;
}

function isBetween(sentence: string, { before, after }: { before: string; after: string }) {
  const isLonger = sentence.length > before.length + after.length;
  return isLonger && sentence.startsWith(before) && sentence.endsWith(after);
}

/** How a turn ends whose agent gave no answer in time. */
export function noAnswerWithin(timeoutMs: number): string {
  const secs = Math.round(timeoutMs / 1000);
  return secs === 1
    ? failureSentence('no_answer_in_second')
    : failureSentence('no_answer_in_seconds', secs);
}
