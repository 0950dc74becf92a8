/**
 * What one workspace may have in the database. The bridge in this process has bounds of its own.
 * `bytes`: a quarter of a gigabyte is more than a busy agent writes in the 30 days for which inboxes are kept, and four
 * such workspaces fit on a disk of any server. `rows`: a row costs about 1 KB beside its texts, so that many of them
 * take as much. `waiting`: turns that it sent and that are not settled. No person waits for so many, and it is a tenth
 * of what may wait for one agent, so one sender alone can't fill the queue of others.
 */
export const QUOTA = { bytes: 256 * 1024 * 1024, rows: 200_000, waiting: 1_000 } as const;
export type Quota = keyof typeof QUOTA;

/** How much of a quota a workspace has, by its name. */
export interface QuotaUse {
  readonly workspace: string;
  readonly quota: Quota;
  readonly used: number;
}
