/** What the app may do and receive: as Lark shows it, and as real traffic shows it. */
import type { Text } from '../core/language.ts';
import type { AppFact, AppNeeds, LarkResult, EventNeed, ScopeNeed } from '../lark/facts.ts';
import { type Finding, note, ok, problem, warning } from './finding.ts';

/** The app's pages in the developer console. */
interface RightsPages {
  readonly permissions: string;
  /** The page of permissions with these ones filled in. */
  readonly grant: (scopes: readonly string[]) => string;
  readonly events: string;
  readonly callbacks: string;
}

export function checkRights(
  app: LarkResult<AppFact>,
  needs: AppNeeds,
  pages: RightsPages,
): Finding<Text>[] {
  if (app.kind !== 'ok') {
    return [
      note('rights', 'Lark does not show this app its permissions and events.', {
        reason: app.detail,
        next: `To have them checked, grant ${needs.ownSettings} at ${pages.permissions} and publish a version. ${orConfirm([needs.ownSettings]).en}`,
      }),
    ];
  }
  const { scopes, events, callbacks, callbacksElsewhere } = app.value;
  return [
    ...checkScopes(scopes, needs.scopes, pages),
    ...checkEvents(events, needs.events, pages),
    ...checkCallbacks({ callbacks, callbacksElsewhere }, needs.callbacks, pages),
  ];
}

function checkScopes(
  granted: AppFact['scopes'],
  needs: readonly ScopeNeed[],
  { grant }: RightsPages,
): Finding<Text>[] {
  if (granted === undefined) return [];
  const missing = needs.filter(({ anyOf }) => !anyOf.some((name) => granted.includes(name)));
  const asked = missing.filter((need) => need.asked);
  const allGranted = ok('permissions', 'All permissions that the bridge needs are granted.');
  return [
    ...(asked.length === 0 ? [allGranted] : missingScopes(asked, grant)),
    ...missingScopes(
      missing.filter((need) => !need.asked),
      grant,
    ),
  ];
}

/** One step for all of them, and one page that has them filled in. */
function missingScopes(
  missing: readonly ScopeNeed[],
  grant: RightsPages['grant'],
): Finding<Text>[] {
  const names = missing.map(({ anyOf }) => anyOf[0]);
  const page = grant(names);
  const next = {
    en: `Grant them at ${page}, then create and publish a version. ${orConfirm(names).en}`,
    zh: `请在 ${page} 开通这些权限，然后创建并发布版本。${orConfirm(names).zh}`,
  };
  return missing.map((need) => missingScope(need, next));
}

/** The command asks Lark for a link that gives the app these rights. */
function orConfirm(names: readonly string[]): { readonly en: string; readonly zh: string } {
  const command = `\`lark-bridge connect --permissions ${names.join(',')}\``;
  return {
    en: `Or run ${command} and confirm its link.`,
    zh: `或者运行 ${command}，并确认其链接。`,
  };
}

function missingScope(
  { anyOf: [name], otherwise, essential, asked }: ScopeNeed,
  next: Text,
): Finding<Text> {
  const finding = { en: `The permission ${name} is not granted.`, zh: `没有开通权限 ${name}。` };
  const reason = `Without it the bot can't ${otherwise}.`;
  if (!asked) return note('permissions', finding.en, { reason, next: next.en });
  return essential
    ? problem('permissions', finding, { reason, next, error: 'access_denied' })
    : warning('permissions', finding, { reason, next });
}

function checkEvents(
  subscribed: AppFact['events'],
  needs: readonly EventNeed[],
  pages: RightsPages,
): Finding<Text>[] {
  const check = 'events';
  if (subscribed === undefined) {
    return [note(check, 'Lark did not show which events the published version subscribes to.')];
  }
  const missing = needs.filter(({ name }) => !subscribed.includes(name));
  const link = orConfirm(missing.map(({ name }) => name));
  const subscribes = ok(check, 'The published version subscribes to the events that are needed.');
  const next = {
    en: `Subscribe to it at ${pages.events} (by long connection), then create and publish a version. ${link.en}`,
    zh: `请在 ${pages.events} 订阅（使用长连接），然后创建并发布版本。${link.zh}`,
  };
  return [
    ...(missing.some(({ asked }) => asked) ? [] : [subscribes]),
    ...missing.map((need) => missingEvent(check, need, next)),
  ];
}

function missingEvent(
  check: string,
  { name, otherwise: reason, essential, asked }: EventNeed,
  next: Text,
): Finding<Text> {
  const finding = { en: `The app does not subscribe to ${name}.`, zh: `应用没有订阅 ${name}。` };
  if (!asked) return note(check, finding.en, { reason, next: next.en });
  return essential
    ? problem(check, finding, { reason, next, error: 'access_denied' })
    : warning(check, finding, { reason, next });
}

function checkCallbacks(
  { callbacks, callbacksElsewhere }: Pick<AppFact, 'callbacks' | 'callbacksElsewhere'>,
  needs: readonly EventNeed[],
  pages: RightsPages,
): Finding<Text>[] {
  const check = 'card_callback';
  if (callbacksElsewhere) {
    const finding = {
      en: 'Presses of buttons go to a web address.',
      zh: '按钮的点击被发送到了网址。',
    };
    return [
      warning(check, finding, {
        reason: 'The bridge receives only what comes by long connection.',
        next: {
          en: `Choose the long connection for callbacks at ${pages.callbacks}, then create and publish a version.`,
          zh: `请在 ${pages.callbacks} 为回调选择长连接，然后创建并发布版本。`,
        },
      }),
    ];
  }
  if (callbacks === undefined) return [];
  const missing = needs.filter(({ name }) => !callbacks.includes(name));
  if (missing.length === 0) return [ok(check, 'Presses of buttons come by long connection.')];
  const link = orConfirm(missing.map(({ name }) => name));
  const next = {
    en: `Subscribe to it at ${pages.callbacks}, then create and publish a version. ${link.en}`,
    zh: `请在 ${pages.callbacks} 订阅，然后创建并发布版本。${link.zh}`,
  };
  return missing.map((need) => missingEvent(check, need, next));
}

/** When something came from Lark last, as far as the database knows. */
export interface TrafficFact {
  readonly messageAtMs: number | undefined;
  readonly buttonAtMs: number | undefined;
  readonly nowMs: number;
}

export function checkTraffic({ messageAtMs, buttonAtMs, nowMs }: TrafficFact): Finding {
  const check = 'traffic';
  if (messageAtMs === undefined) {
    return note(check, 'The database knows of no message from Lark.', {
      reason: 'Only a message that arrives shows that everything works.',
      next: 'Write to the bot while it runs, and run this again.',
    });
  }
  const ago = (atMs: number) => `${new Date(atMs).toISOString()} (${agoOf(nowMs - atMs)} ago)`;
  const button =
    buttonAtMs === undefined ? 'no button press is known' : `last button ${ago(buttonAtMs)}`;
  return ok(check, `Last message ${ago(messageAtMs)}; ${button}.`);
}

function agoOf(ms: number): string {
  const minutes = Math.max(0, Math.round(ms / 60_000));
  if (minutes < 120) return `${minutes} min`;
  const hours = Math.round(minutes / 60);
  return hours < 72 ? `${hours} h` : `${Math.round(hours / 24)} days`;
}
