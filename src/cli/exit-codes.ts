/** What the exit code of the program says. Scripts rely on it. */
export const EXIT_CODES: Readonly<Record<number, string>> = {
  0: 'done',
  1: 'failed; `status`: the bot is not ready or does not run',
  2: 'wrong usage, or configuration missing or invalid; one message lists every problem',
  3: 'credentials refused',
  4: 'unreachable',
  5: 'already running on this state directory or this app',
  6: 'timed out or expired',
  130: 'interrupted with Ctrl-C, or by a signal, before it was done',
};
