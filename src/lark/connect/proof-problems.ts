/** What is missing when a proof fails, in words, and where to correct it. */
import type { Brand } from '../../core/brand.ts';
import { BridgeError, type ErrorCode } from '../../core/errors.ts';
import type { AppId } from '../../core/ids.ts';
import { CALLBACK_NEEDS, EVENT_NEEDS, SCOPE_NEEDS } from '../app-needs.ts';
import { isPassing, reasonFor } from '../codes.ts';
import type { RefusalReason } from '../facts.ts';
import { botChatUrl, type ConsolePage, consolePageUrl, openBaseUrl } from '../brand.ts';
import type { DeliveryResult } from '../../bridge/ports/delivery.ts';

const PUBLISH = 'and publish a version of the app';

/** Pages of a bot. */
export interface BotPlaces {
  console(page: ConsolePage): string;
  /** Opens the chat with the bot. Undefined if the open platform is not Lark's own. */
  readonly chatUrl: string | undefined;
}

export function placesOf(bot: {
  readonly appId: AppId;
  readonly brand: Brand;
  /** Set if it is not the brand's own open platform. */
  readonly openBaseUrl: string | undefined;
}): BotPlaces {
  const base = openBaseUrl(bot.brand, bot.openBaseUrl);
  return {
    console: (page) => consolePageUrl(base, bot.appId, page),
    chatUrl: bot.openBaseUrl === undefined ? botChatUrl(bot.brand, bot.appId) : undefined,
  };
}

export interface Problem {
  readonly text: string;
  readonly next: string;
}

/** What is known about a step that waits for a person. */
interface WaitFacts {
  readonly step: 'reply' | 'press';
  /** The chat shows that the person has written. Undefined if the chat could not be read. */
  readonly hasWritten: boolean | undefined;
  /** Long connections of the app, ours included. Undefined if Lark did not say. */
  readonly connections: number | undefined;
}

export function whatIsMissing(facts: WaitFacts, places: BotPlaces): Problem {
  const { step, hasWritten, connections = 1 } = facts;
  if (connections > 1) {
    const what = hasWritten === true ? 'you have written, but your message' : `a ${step}`;
    return {
      text: `${what} has not arrived here: Lark counts ${connections} connections of this app, and gives each event to one of them only`,
      next: 'Stop the other program that uses this app.',
    };
  }
  if (step === 'press') {
    return {
      text: 'your message has arrived, a press of the button has not',
      next: `Press the button on the bot's card. If Lark then shows an error (200340): add the callback ${CALLBACK_NEEDS.button.name}, choose to receive callbacks through a persistent connection, ${PUBLISH}: ${places.console('callbacks')}`,
    };
  }
  if (hasWritten === true) {
    return { text: 'you have written, but Lark sent no event about it', next: subscribe(places) };
  }
  const where = places.chatUrl === undefined ? '' : ` (${places.chatUrl})`;
  if (hasWritten === false) {
    return { text: 'nobody has written to the bot yet', next: `Write to the bot in Lark${where}.` };
  }
  return {
    text: 'no message to the bot has arrived',
    next: `Write to the bot in Lark${where}. If you have: ${subscribe(places)}`,
  };
}

function subscribe(places: BotPlaces): string {
  return `Add the event ${EVENT_NEEDS.message.name} and the permission ${SCOPE_NEEDS.direct.anyOf[0]}, choose to receive events through a persistent connection, ${PUBLISH}: ${places.console('events')}`;
}

/** The long connection was refused for good: its message, and the app's page. */
export function connectionRefused(error: BridgeError, places: BotPlaces): BridgeError {
  const page = `the app in the developer console: ${places.console('app')}`;
  const next = error.next === undefined ? `See ${page}` : `${error.next} See ${page}`;
  return new BridgeError(error.code, error.message, { next, cause: error });
}

export function notConnected(lastError: string | undefined): BridgeError {
  const why = lastError ?? 'no answer in time';
  return new BridgeError('unreachable', `the long connection to Lark did not come up: ${why}`, {
    next: 'Check the network; behind a proxy, set HTTPS_PROXY.',
  });
}

interface Fix {
  readonly todo: string;
  readonly page?: ConsolePage;
}

/** What to do where a bot can't write to a person. */
const FIXES: Readonly<Partial<Record<RefusalReason, Fix>>> = {
  bot_switched_off: { page: 'bot', todo: `Switch the bot ability on, ${PUBLISH}:` },
  permission_missing: { page: 'permissions', todo: `Add the permission, ${PUBLISH}:` },
  person_not_included: {
    page: 'versions',
    todo: 'Publish a version whose availability includes you:',
  },
  address_not_allowed: {
    page: 'security',
    todo: "Add this machine's address to the allow-list, or empty it:",
  },
  app_disabled: { page: 'app', todo: 'Have the app enabled for your organisation:' },
  quota_used_up: { todo: "Have your organisation's quota raised, or wait for the next month." },
  blocked_by_person: { todo: 'Unblock the bot in Lark.' },
};

type Undelivered = Extract<DeliveryResult, { ok: false }>;

/** The id names nobody: each app has its own ids for people. */
export function isUnknownPerson({ code }: Undelivered): boolean {
  return reasonFor(code) === 'person_unknown';
}

export function notSent(refusal: Undelivered, places: BotPlaces): BridgeError {
  const message = `the bot could not write to you: ${refusal.detail}`;
  const reason = reasonFor(refusal.code);
  const fix = reason && FIXES[reason];
  if (fix !== undefined) {
    const where = fix.page === undefined ? '' : ` ${places.console(fix.page)}`;
    return new BridgeError('access_denied', message, { next: fix.todo + where });
  }
  if (isPassing(refusal)) {
    return new BridgeError('unreachable', message, { next: 'Try again in some minutes.' });
  }
  const isFinal = refusal.action === 'give_up' || refusal.action === 'unsure';
  const code: ErrorCode = isFinal ? 'failed' : 'access_denied';
  return new BridgeError(code, message, {
    next: `Check what the app lacks in the developer console: ${places.console('app')}`,
  });
}

export function botSwitchedOff(detail: string, places: BotPlaces): BridgeError {
  return new BridgeError('access_denied', detail, {
    next: `Switch the bot ability on, ${PUBLISH}: ${places.console('bot')}`,
  });
}

export function proofTimedOut({ text, next }: Problem): BridgeError {
  return new BridgeError('timed_out', text, { next });
}

/** The person who confirmed the bot used nearly all of the time. */
export function noTimeLeft(): BridgeError {
  return proofTimedOut({
    text: 'the time was over before the long connection was up',
    next: '--timeout SEC gives more time.',
  });
}

export function proofInterrupted(): BridgeError {
  return new BridgeError('interrupted', 'the check was interrupted; the bot stays as it is');
}
