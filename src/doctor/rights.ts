/** What the app may do and hear, as Lark shows it and as traffic proves it. */
import { EVENT_NEEDS, SCOPE_NEEDS, type ScopeNeed } from '../core/app-needs.ts';
import type { AppFact, Asked } from '../lark/facts.ts';
import { type Finding, note, ok, problem, warning } from './finding.ts';

/** The app's pages in the developer console. */
export interface RightsPages {
  readonly permissions: string;
  readonly events: string;
  readonly callbacks: string;
}

const SELF_MANAGE = 'application:application:self_manage';

export function judgeRights(app: Asked<AppFact>, pages: RightsPages): Finding[] {
  if (app.kind !== 'told') {
    return [
      note('rights', 'Lark does not show this app its permissions and events.', {
        reason: app.detail,
        next: `To have them looked at, grant ${SELF_MANAGE} at ${pages.permissions} and publish a version.`,
      }),
    ];
  }
  const { scopes, events, callbacks, callbacksElsewhere } = app.value;
  return [
    ...judgeScopes(scopes, pages),
    ...judgeEvents(events, pages),
    ...judgeCallbacks({ callbacks, callbacksElsewhere }, pages),
  ];
}

function judgeScopes(granted: AppFact['scopes'], { permissions }: RightsPages): Finding[] {
  if (granted === undefined) return [];
  const missing = SCOPE_NEEDS.filter(({ anyOf }) => !anyOf.some((name) => granted.includes(name)));
  if (missing.length === 0) return [ok('permissions', 'All that the bridge needs are granted.')];
  // One step for all of them, and one page that has them filled in.
  const names = missing.map(({ anyOf }) => anyOf[0]).join(',');
  const next = `Grant them at ${permissions}?q=${names}&op_from=openapi&token_type=tenant, then create and publish a version.`;
  return missing.map((need) => missingScope(need, next));
}

function missingScope({ anyOf, otherwise, essential }: ScopeNeed, next: string): Finding {
  const finding = `The permission ${anyOf[0]} is not granted.`;
  const reason = `Without it the bot can't ${otherwise}.`;
  return essential
    ? problem('permissions', finding, { reason, next, error: 'access_denied' })
    : warning('permissions', finding, { reason, next });
}

function judgeEvents(events: AppFact['events'], pages: RightsPages): Finding[] {
  const check = 'events';
  if (events === undefined) {
    return [note(check, 'Lark did not tell which events a published version subscribes to.')];
  }
  const next = `Subscribe to it at ${pages.events} (by long connection), then create and publish a version.`;
  if (!events.includes(EVENT_NEEDS.message)) {
    const reason = 'Lark sends the bridge no messages.';
    const finding = `The app does not subscribe to ${EVENT_NEEDS.message}.`;
    return [problem(check, finding, { reason, next, error: 'access_denied' })];
  }
  if (!events.includes(EVENT_NEEDS.recall)) {
    const reason = 'A message that was recalled while it waited is answered all the same.';
    const finding = `The app does not subscribe to ${EVENT_NEEDS.recall}.`;
    return [warning(check, finding, { reason, next })];
  }
  return [ok(check, 'The published version subscribes to messages and recalls.')];
}

function judgeCallbacks(
  { callbacks, callbacksElsewhere }: Pick<AppFact, 'callbacks' | 'callbacksElsewhere'>,
  pages: RightsPages,
): Finding[] {
  const check = 'card_callback';
  if (callbacksElsewhere) {
    return [
      warning(check, 'Presses of buttons go to a web address.', {
        reason: 'The bridge hears only what comes by long connection.',
        next: `Let callbacks come by long connection at ${pages.callbacks}, then create and publish a version.`,
      }),
    ];
  }
  if (callbacks === undefined || callbacks.includes(EVENT_NEEDS.button)) {
    return callbacks === undefined
      ? []
      : [ok(check, 'Presses of buttons come by long connection.')];
  }
  return [
    warning(check, `The app does not subscribe to ${EVENT_NEEDS.button}.`, {
      reason: 'Buttons of the bot do nothing; its words (/run, /skip, /retry) still work.',
      next: `Subscribe to it at ${pages.callbacks}, then create and publish a version.`,
    }),
  ];
}

/** When something came from Lark last, as far as is remembered. */
export interface TrafficFact {
  readonly messageAtMs: number | undefined;
  readonly buttonAtMs: number | undefined;
  readonly nowMs: number;
}

export function judgeTraffic({ messageAtMs, buttonAtMs, nowMs }: TrafficFact): Finding {
  const check = 'traffic';
  if (messageAtMs === undefined) {
    return note(check, 'No message has come from Lark yet, or none is remembered.', {
      reason: 'Only a message that arrives proves that all of it works.',
      next: 'Write something to the bot while it runs, and run this again.',
    });
  }
  const ago = (atMs: number) => `${new Date(atMs).toISOString()} (${agoOf(nowMs - atMs)} ago)`;
  const button =
    buttonAtMs === undefined
      ? 'no press of a button is remembered'
      : `last button ${ago(buttonAtMs)}`;
  return ok(check, `Last message ${ago(messageAtMs)}; ${button}.`);
}

function agoOf(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 72 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
