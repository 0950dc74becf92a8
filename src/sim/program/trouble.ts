/** Why the simulator can't run, in words for people. Both programs that start it name their errors like this. */
export class Trouble extends Error {
  override readonly name = 'Trouble';
  readonly kind: 'usage' | 'port_in_use' | 'failed';
  /** What to do about it. */
  readonly next: string;

  constructor(
    kind: Trouble['kind'],
    message: string,
    { next, cause }: { readonly next: string; readonly cause?: unknown },
  ) {
    super(message, { cause });
    this.kind = kind;
    this.next = next;
  }
}

/** An error of the operating system, about a file, an address or a program. Any other error is a bug. */
export function isSystemError(error: unknown): error is NodeJS.ErrnoException {
  return error instanceof Error && 'syscall' in error;
}
