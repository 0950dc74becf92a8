/** Something to read for operators and monitors, at a path of whatever server the process has. */
interface Page {
  /** Only for callers on this machine; whoever serves it holds to that, unless its address is for pages alone. */
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
