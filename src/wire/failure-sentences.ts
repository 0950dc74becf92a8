/**
 * What the hub and its agents say to people about a turn that failed. It is stored and sent in English, in fields
 * that have no place for a code. So the code is found again from the sentence, for people who read another language.
 */
const SENTENCES = {
  agent_broke: 'The agent broke while it worked on this.',
  agent_interrupted: 'The agent was interrupted by a restart.',
  agent_interrupted_often: 'The agent was interrupted {0} times while it worked on this.',
  agent_not_running: 'The agent is not running.',
  agent_removed: 'The agent was removed.',
  answer_files_not_kept: 'The files of its answer could not be kept.',
  cancelled: 'The turn was cancelled.',
  files_not_given: "The agent's program could not be given the files of the message.",
  expired: 'The message expired before the agent got to it.',
  no_answer_in_day: 'The agent did not answer within a day.',
  no_answer_in_second: 'The agent gave no answer within 1 second.',
  no_answer_in_seconds: 'The agent gave no answer within {0} seconds.',
  hub_full_of_bytes: 'this workspace has {0} MB stored at the hub, which is all it may have',
  hub_full_of_rows:
    'this workspace has {0} messages and reports stored at the hub, which is all it may have',
  program_exit_code: "The agent's program ended with exit code {0}.",
  program_signal: "The agent's program was ended by {0}.",
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
