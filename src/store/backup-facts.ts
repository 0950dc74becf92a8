/** What a backup says of itself. */
export interface BackupFacts {
  readonly made_at_ms: number;
  /** The version of lark-bridge that made it. */
  readonly version: string;
  readonly app_id: string | null;
  readonly with_secrets: boolean;
  /** Files with secrets that were there, and are not in it. */
  readonly left_out: readonly string[];
}

/** A file of the state directory. */
export interface KeptFile {
  /** From the state directory, with slashes. */
  readonly path: string;
  readonly mode: number;
  readonly bytes: Uint8Array;
}
