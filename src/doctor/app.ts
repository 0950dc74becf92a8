/** The app in Lark: its credentials, its brand and its bot. */
import type { AppFacts, LarkResult, BotFact } from '../lark/facts.ts';
import { type Finding, note, ok, problem, warning } from './finding.ts';

interface AppSubject {
  readonly brandName: string;
  readonly otherBrandName: string;
  /** As LARK_BRAND takes it. */
  readonly otherBrand: string;
  /** The app's pages in the developer console. */
  readonly pages: Readonly<Record<'app' | 'bot' | 'versions' | 'security', string>>;
  /** Where the app secret comes from: a variable, a file, or what `connect` stored. */
  readonly secretFrom: string;
  /** The value of LARK_BOT_OPEN_ID, if it is set. */
  readonly botOpenId: string | undefined;
}

export function checkApp(facts: AppFacts, subject: AppSubject): Finding[] {
  const token = checkToken(facts, subject);
  if (facts.token.kind === 'silent') return [token];
  const endpoint = checkEndpoint(facts, subject);
  return [token, ...endpoint, ...(facts.bot === undefined ? [] : [checkBot(facts.bot, subject)])];
}

function checkToken({ token, tokenElsewhere }: AppFacts, subject: AppSubject): Finding {
  const { brandName, otherBrandName, otherBrand, pages, secretFrom } = subject;
  const check = 'secret';
  switch (token.kind) {
    case 'ok':
      return ok(check, `${brandName} accepts app id and secret.`);
    case 'silent':
      return note(check, `Lark gave no answer: ${token.detail}.`);
    case 'refused':
      break;
  }
  if (tokenElsewhere?.kind === 'ok') {
    return problem('brand', `The app lives in ${otherBrandName}, not in ${brandName}.`, {
      reason: `${brandName} refused the app id and the secret, ${otherBrandName} accepted them.`,
      next: `Set LARK_BRAND=${otherBrand}, or correct tenant_brand in credentials.json.`,
      error: 'wrong_brand',
    });
  }
  if (!token.credentials) return refusedOtherwise(check, token, pages);
  const tried = tokenElsewhere?.kind === 'refused' ? `, and so does ${otherBrandName}` : '';
  return problem(check, `${brandName} refuses app id and secret${tried}.`, {
    reason: token.detail,
    next: `Copy the app secret again from ${pages.app} ${storing(secretFrom)}`,
    error: 'credentials_refused',
  });
}

const STORED = /credentials\.json|keyring/;

function storing(secretFrom: string): string {
  return STORED.test(secretFrom)
    ? 'and store it: lark-bridge connect --app-id ID --app-secret-stdin --force'
    : `to where it comes from: ${secretFrom}.`;
}

type Refused = Extract<LarkResult<never>, { kind: 'refused' }>;

/** Lark knows the app, but does not let it in. */
function refusedOtherwise(
  check: string,
  { reason, detail }: Refused,
  pages: AppSubject['pages'],
): Finding {
  if (reason === 'quota_used_up') {
    return problem(check, 'Lark takes no calls: the quota of this month is used up.', {
      reason: detail,
      next: 'Wait for the next month, or ask an administrator to buy a larger plan.',
      error: 'access_denied',
    });
  }
  return problem(check, 'Lark does not let the app in.', {
    reason: detail,
    next:
      reason === 'address_not_allowed'
        ? `Add the address of this machine to the allow-list at ${pages.security}.`
        : `Check the app at ${pages.app}.`,
    error: 'access_denied',
  });
}

function checkEndpoint({ endpoint, token }: AppFacts, { otherBrand }: AppSubject): Finding[] {
  const check = 'long_connection';
  switch (endpoint.kind) {
    case 'offered':
      return [ok(check, 'Lark offers the app a long connection.')];
    case 'silent':
      return [
        warning(check, 'Lark offers no long connection at the moment.', {
          reason: endpoint.detail,
          next: 'Run this again in some minutes. `lark-bridge run` tries again by itself.',
        }),
      ];
    case 'refused': {
      const { error, detail, next } = endpoint;
      // The check of the secret has reported it already.
      if (error === 'credentials_refused' && token.kind !== 'ok') return [];
      if (error === 'wrong_brand') {
        return [
          problem('brand', 'The app lives in the other cloud.', {
            reason: detail,
            next: `Set LARK_BRAND=${otherBrand}, or correct tenant_brand in credentials.json.`,
            error,
          }),
        ];
      }
      // Other programs hold the connections, so the settings are not wrong.
      if (error === 'already_running') {
        return [
          warning(check, 'Lark has no connection left for the app.', { reason: detail, next }),
        ];
      }
      return [problem(check, 'Lark refuses a long connection.', { reason: detail, next, error })];
    }
  }
}

function checkBot(bot: LarkResult<BotFact>, { pages, botOpenId }: AppSubject): Finding {
  const check = 'bot';
  switch (bot.kind) {
    case 'silent':
      return note(check, `Lark did not say who the bot is: ${bot.detail}.`);
    case 'refused':
      return problem(check, 'The bot of the app is not switched on.', {
        reason: bot.detail,
        next: `Switch the bot ability on at ${pages.bot}, then create and publish a version of the app.`,
        error: 'access_denied',
      });
    case 'ok':
      break;
  }
  const { openId, name, active } = bot.value;
  if (!active) {
    return problem(check, `The bot "${name}" is not active.`, {
      reason: 'No version of the app is published, or an administrator has stopped it.',
      next: `Create and publish a version at ${pages.versions}.`,
      error: 'access_denied',
    });
  }
  if (botOpenId !== undefined && botOpenId !== openId) {
    return problem(check, `The bot is ${openId}, LARK_BOT_OPEN_ID says ${botOpenId}.`, {
      reason: 'In groups it waits for mentions of another id, so it never answers there.',
      next: 'Remove LARK_BOT_OPEN_ID. The bridge finds the id by itself.',
      error: 'config_invalid',
    });
  }
  return ok(check, `The bot "${name}" is active, ${openId}.`);
}
