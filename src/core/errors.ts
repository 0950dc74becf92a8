/**
 * Every error that the program expects. `exit` is the exit code when the error ends a command: 1 failed, 2 usage or
 * configuration, 3 credentials refused, 4 unreachable, 5 already running, 6 timed out or expired, 130 interrupted, as
 * shells say it.
 */
export const ERRORS = {
  failed: { exit: 1 },
  usage: { exit: 2 },
  config_invalid: { exit: 2 },
  state_corrupt: { exit: 2 },
  state_newer: { exit: 1 },
  store_unavailable: { exit: 1 },
  credentials_refused: { exit: 3 },
  wrong_brand: { exit: 3 },
  access_denied: { exit: 3 },
  platform_refused: { exit: 3 },
  unreachable: { exit: 4 },
  port_in_use: { exit: 1 },
  already_running: { exit: 5 },
  timed_out: { exit: 6 },
  expired: { exit: 6 },
  interrupted: { exit: 130 },
} as const satisfies Record<string, { readonly exit: number }>;

export type ErrorCode = keyof typeof ERRORS;

/**
 * An error that the program expects. `message` says what happened, in words for people. `next` says what to do
 * about it. Any other error is a bug and must stay visible.
 */
export class BridgeError extends Error {
  override readonly name = 'BridgeError';
  readonly code: ErrorCode;
  readonly next: string | undefined;

  constructor(code: ErrorCode, message: string, options: { next?: string; cause?: unknown } = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.next = options.next;
  }

  get exitCode(): number {
    return ERRORS[this.code].exit;
  }
}

/** After these errors the same call may work later, without any change. */
export const PASSING_ERRORS: ReadonlySet<ErrorCode> = new Set(['unreachable', 'interrupted']);

/** The text of anything thrown, without its stack. */
export function errorText(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Where anything thrown comes from, for the log of a bug. */
export function errorStack(error: unknown): string | undefined {
  return error instanceof Error ? error.stack : undefined;
}

/** An error of the operating system, about a file, a folder or a program. Any other error is a bug. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}

/** The database refuses for now: the disk is full, or somebody else holds the file. */
export function isStoreTrouble(error: unknown): error is BridgeError {
  return error instanceof BridgeError && error.code === 'store_unavailable';
}
