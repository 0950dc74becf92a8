/** How often live cards are updated, and how many calls a turn may cost. It is pure. */

/** `sparse` is for tenants with a small monthly quota of calls. */
export type LiveMode = 'on' | 'off' | 'sparse';

/** A turn that shows something sooner gets no card. */
export const LIVE_AFTER_MS = 1_000;
/** Calls of one turn, the end not counted. In docs/live-cards.md. */
export const LIVE_CALLS_MAX: Readonly<Record<LiveMode, number>> = { on: 300, sparse: 12, off: 0 };

/** People see no difference to more often. Lark takes 10 a second for a card, and 5 with `im` calls. */
const GAP_MS = 600;
/** All cards together make at most ten calls a second, which leaves 400 of Lark's 1,000 a minute to answers. */
const GAP_PER_CARD_MS = 100;
/** The longer a turn takes, the rarer its updates: an hour costs as many calls as the first two minutes. */
const ELAPSED_SHARE = 1 / 50;
const SPARSE_GAP_MS = 5_000;
/** The time on the card goes on when nothing else does. */
const REFRESH_MS = 10_000;
const REFRESH_SHARE = 1 / 10;

/** The least time between two updates of a card. `cards`: how many are open. */
export function gapMs(
  mode: LiveMode,
  { elapsedMs, cards }: { readonly elapsedMs: number; readonly cards: number },
): number {
  const together = GAP_PER_CARD_MS * cards;
  if (mode === 'sparse') return Math.max(SPARSE_GAP_MS, elapsedMs, together);
  return Math.max(GAP_MS, elapsedMs * ELAPSED_SHARE, together);
}

/** When the time on a card is written anew although nothing has changed. Undefined: not at all. */
export function refreshMs(mode: LiveMode, elapsedMs: number): number | undefined {
  return mode === 'on' ? Math.max(REFRESH_MS, elapsedMs * REFRESH_SHARE) : undefined;
}
