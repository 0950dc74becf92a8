/** A page for operators and monitoring, at a path of a server of this process. */
interface Page {
  /** Only for callers on this machine. A server that is only for such pages serves it to all callers. */
  readonly local?: true;
  readonly render: () => PageAnswer | Promise<PageAnswer>;
}

export interface PageAnswer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** By path. */
export type Pages = Readonly<Record<string, Page>>;
