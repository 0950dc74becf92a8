/** The app in Lark: its credentials, its brand and its bot. */
import type { Text } from '../core/language.ts';
import type { AppFacts, LarkResult, BotFact } from '../lark/facts.ts';
import { type Finding, note, ok, problem, warning } from './finding.ts';

interface AppSubject {
  readonly brandName: Text;
  readonly otherBrandName: Text;
  /** As LARK_BRAND takes it. */
  readonly otherBrand: string;
  /** The app's pages in the developer console. */
  readonly pages: Readonly<Record<'app' | 'bot' | 'versions' | 'security', string>>;
  /** Where the app secret comes from: a variable, a file, or what `connect` stored. */
  readonly secretFrom: Text;
  /** The value of LARK_BOT_OPEN_ID, if it is set. */
  readonly botOpenId: string | undefined;
}

export function checkApp(facts: AppFacts, subject: AppSubject): Finding<Text>[] {
  const token = checkToken(facts, subject);
  if (facts.token.kind === 'silent') return [token];
  const endpoint = checkEndpoint(facts, subject);
  return [token, ...endpoint, ...(facts.bot === undefined ? [] : [checkBot(facts.bot, subject)])];
}

function checkToken({ token, tokenElsewhere }: AppFacts, subject: AppSubject): Finding<Text> {
  const { brandName, otherBrandName: other, otherBrand, pages, secretFrom } = subject;
  const check = 'secret';
  switch (token.kind) {
    case 'ok':
      return ok(check, `${brandName.en} accepts app id and secret.`);
    case 'silent':
      return note(check, `Lark gave no answer: ${token.detail}.`);
    case 'refused':
      break;
  }
  if (tokenElsewhere?.kind === 'ok') {
    const finding = {
      en: `The app lives in ${other.en}, not in ${brandName.en}.`,
      zh: `这个应用属于“${other.zh}”，不属于“${brandName.zh}”。`,
    };
    return problem('brand', finding, {
      reason: `${brandName.en} refused the app id and the secret, ${other.en} accepted them.`,
      next: toOtherBrand(otherBrand),
      error: 'wrong_brand',
    });
  }
  if (!token.credentials) return refusedOtherwise(check, token, pages);
  const isTriedThere = tokenElsewhere?.kind === 'refused';
  const finding = {
    en: `${brandName.en} refuses app id and secret${isTriedThere ? `, and so does ${other.en}` : ''}.`,
    zh: `“${brandName.zh}”拒绝了应用 ID 和密钥${isTriedThere ? `，“${other.zh}”也拒绝了` : ''}。`,
  };
  const store = storing(secretFrom);
  return problem(check, finding, {
    reason: token.detail,
    next: {
      en: `Copy the app secret again from ${pages.app} ${store.en}`,
      zh: `请从 ${pages.app} 重新复制应用密钥，${store.zh}`,
    },
    error: 'credentials_refused',
  });
}

function toOtherBrand(brand: string): Text {
  return {
    en: `Set LARK_BRAND=${brand}, or correct tenant_brand in credentials.json.`,
    zh: `请设置 LARK_BRAND=${brand}，或修改 credentials.json 中的 tenant_brand。`,
  };
}

const STORED = /credentials\.json|keyring/;

const STORE = 'lark-bridge connect --app-id ID --app-secret-stdin --force';

function storing(secretFrom: Text): Text {
  return STORED.test(secretFrom.en)
    ? { en: `and store it: ${STORE}`, zh: `并保存：${STORE}` }
    : {
        en: `to where it comes from: ${secretFrom.en}.`,
        zh: `并放到它的来源处：${secretFrom.zh}。`,
      };
}

type Refused = Extract<LarkResult<never>, { kind: 'refused' }>;

/** Lark knows the app, but does not let it in. */
function refusedOtherwise(
  check: string,
  { reason, detail }: Refused,
  pages: AppSubject['pages'],
): Finding<Text> {
  if (reason === 'quota_used_up') {
    const finding = {
      en: 'Lark takes no calls: the quota of this month is used up.',
      zh: 'Lark 不再接受调用：本月的额度已用完。',
    };
    return problem(check, finding, {
      reason: detail,
      next: {
        en: 'Wait for the next month, or ask an administrator to buy a larger plan.',
        zh: '请等到下个月，或请企业管理员购买更大的套餐。',
      },
      error: 'access_denied',
    });
  }
  const isAddress = reason === 'address_not_allowed';
  const finding = { en: 'Lark does not let the app in.', zh: 'Lark 不允许这个应用访问。' };
  return problem(check, finding, {
    reason: detail,
    next: {
      en: isAddress
        ? `Add the address of this machine to the allow-list at ${pages.security}.`
        : `Check the app at ${pages.app}.`,
      zh: isAddress
        ? `请在 ${pages.security} 把这台机器的地址加入白名单。`
        : `请在 ${pages.app} 检查这个应用。`,
    },
    error: 'access_denied',
  });
}

function checkEndpoint({ endpoint, token }: AppFacts, { otherBrand }: AppSubject): Finding<Text>[] {
  const check = 'long_connection';
  switch (endpoint.kind) {
    case 'offered':
      return [ok(check, 'Lark offers the app a long connection.')];
    case 'silent':
      return [
        warning(
          check,
          {
            en: 'Lark offers no long connection at the moment.',
            zh: 'Lark 目前不提供长连接。',
          },
          {
            reason: endpoint.detail,
            next: {
              en: 'Run this again in some minutes. `lark-bridge run` tries again by itself.',
              zh: '请过几分钟再检查一次。`lark-bridge run` 会自动重试。',
            },
          },
        ),
      ];
    case 'refused': {
      const { error, detail, next } = endpoint;
      // The check of the secret has reported it already.
      if (error === 'credentials_refused' && token.kind !== 'ok') return [];
      if (error === 'wrong_brand') {
        return [
          problem(
            'brand',
            { en: 'The app lives in the other cloud.', zh: '这个应用属于另一个云。' },
            { reason: detail, next: toOtherBrand(otherBrand), error },
          ),
        ];
      }
      // Other programs hold the connections, so the settings are not wrong.
      if (error === 'already_running') {
        const none = {
          en: 'Lark has no connection left for the app.',
          zh: 'Lark 没有剩余的连接可供这个应用使用。',
        };
        return [warning(check, none, { reason: detail, next })];
      }
      const refused = { en: 'Lark refuses a long connection.', zh: 'Lark 拒绝了长连接。' };
      return [problem(check, refused, { reason: detail, next, error })];
    }
  }
}

function checkBot(bot: LarkResult<BotFact>, { pages, botOpenId }: AppSubject): Finding<Text> {
  const check = 'bot';
  switch (bot.kind) {
    case 'silent':
      return note(check, `Lark did not say who the bot is: ${bot.detail}.`);
    case 'refused':
      return problem(
        check,
        { en: 'The bot of the app is not switched on.', zh: '这个应用没有启用机器人。' },
        {
          reason: bot.detail,
          next: {
            en: `Switch the bot ability on at ${pages.bot}, then create and publish a version of the app.`,
            zh: `请在 ${pages.bot} 启用机器人能力，然后创建并发布应用的版本。`,
          },
          error: 'access_denied',
        },
      );
    case 'ok':
      break;
  }
  const { openId, name, active } = bot.value;
  if (!active) {
    return problem(
      check,
      { en: `The bot "${name}" is not active.`, zh: `机器人“${name}”没有启用。` },
      {
        reason: 'No version of the app is published, or an administrator has stopped it.',
        next: {
          en: `Create and publish a version at ${pages.versions}.`,
          zh: `请在 ${pages.versions} 创建并发布版本。`,
        },
        error: 'access_denied',
      },
    );
  }
  if (botOpenId !== undefined && botOpenId !== openId) {
    const finding = {
      en: `The bot is ${openId}, LARK_BOT_OPEN_ID says ${botOpenId}.`,
      zh: `机器人是 ${openId}，而 LARK_BOT_OPEN_ID 是 ${botOpenId}。`,
    };
    return problem(check, finding, {
      reason: 'In groups it waits for mentions of another id, so it never answers there.',
      next: {
        en: 'Remove LARK_BOT_OPEN_ID. The bridge finds the id by itself.',
        zh: '请删除 LARK_BOT_OPEN_ID。程序会自己找到这个 ID。',
      },
      error: 'config_invalid',
    });
  }
  return ok(check, `The bot "${name}" is active, ${openId}.`);
}
