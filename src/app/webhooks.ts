/** Calls webhooks, and what `webhooks` runs: the addresses that are told what happens, whether a daemon runs or not. */
import { randomBytes } from 'node:crypto';
import { join } from 'node:path';
import type { CallWebhook, Webhook } from '../bridge/ports/webhooks.ts';
import { FOLLOW_KINDS, type FollowKind } from '../bridge/ports/news.ts';
import type { Config } from '../config/load.ts';
import { BridgeError } from '../core/errors.ts';
import { Secret } from '../core/secret.ts';
import { loadOrCreateSecret, WEBHOOK_SECRET_FILE } from '../host/secret-files.ts';
import { HttpClient } from '../net/http.ts';
import type { ProxySettings } from '../net/proxy.ts';
import { addressRefusal } from '../net/public-addresses.ts';
import { SqliteWebhooks } from '../store/sqlite/bridge/webhooks.ts';
import { Db } from '../store/sqlite/db.ts';
import { systemClock } from '../time/clock.ts';
import { closing, type Service } from '../time/service.ts';
import { WEBHOOK_HEADERS, webhookSecret, webhookSignature } from '../wire/webhook.ts';
import type { AppContext } from './context.ts';

/** CG-OUT-13. */
const CONNECT_MS_MAX = 5_000;
const CALL_MS_MAX = 15_000;
/** Nobody reads the answer of a receiver. */
const ANSWER_BYTES_MAX = 64 * 1024;
/** Each of them makes a call of everything that happens. */
const WEBHOOKS_MAX = 20;

type CallerSettings = Pick<Config, 'stateDir'> & ProxySettings;

/** The secret is read at the first call: most state directories have no webhook. */
export function createWebhookCaller(config: CallerSettings): {
  readonly call: CallWebhook;
  readonly service: Service;
} {
  const limits = { connectTimeoutMs: CONNECT_MS_MAX, answerBytesMax: ANSWER_BYTES_MAX };
  const open = { ...limits, proxies: config };
  const clients = {
    public: new HttpClient({ ...open, publicOnly: true }),
    private: new HttpClient(open),
  };
  const call: CallWebhook = async ({ webhook, id, event, body, signal }) => {
    const secret = secretOf(config, webhook.id);
    const atSecs = Math.floor(systemClock.nowMs() / 1000);
    const result = await clients[webhook.isPrivate ? 'private' : 'public'].call({
      method: 'POST',
      url: webhook.url,
      headers: {
        'content-type': 'application/json',
        'user-agent': 'lark-bridge',
        [WEBHOOK_HEADERS.signature]: webhookSignature(secret.reveal(), atSecs, body),
        [WEBHOOK_HEADERS.id]: id,
        [WEBHOOK_HEADERS.event]: event,
      },
      text: body,
      timeoutMs: CALL_MS_MAX,
      signal,
    });
    if (result.kind !== 'answer') return { ok: false, detail: result.detail };
    return { ok: result.status >= 200 && result.status < 300, detail: `HTTP ${result.status}` };
  };
  const close = () => Promise.all(Object.values(clients).map((client) => client.close()));
  return { call, service: closing('webhook_http', async () => void (await close())) };
}

interface NewWebhook {
  readonly url: string;
  /** Words with commas. */
  readonly events: string;
  readonly isPrivate: boolean;
  readonly withText: boolean;
}

export function openWebhooks({ config, log }: Pick<AppContext, 'config' | 'log'>) {
  const db = Db.open(config.dbPath, log);
  const book = new SqliteWebhooks(db);
  return {
    list: () => book.webhooks(),
    /** The secret is known to nobody else, and is not shown again. */
    async add(given: NewWebhook): Promise<{ webhook: Webhook; secret: Secret }> {
      const { isPrivate, withText } = given;
      const url = checkedUrl(given);
      const kinds = kindsIn(given.events);
      const known = book.webhooks();
      const same = known.find((one) => one.url === url);
      if (same !== undefined) throw alreadyThere(same.id);
      if (known.length >= WEBHOOKS_MAX) throw tooMany();
      const id = randomBytes(6).toString('hex');
      const addedAtMs = systemClock.nowMs();
      const webhook = { id, url, kinds, isPrivate, withText, addedAtMs };
      await book.add(webhook);
      return { webhook, secret: secretOf(config, id) };
    },
    async remove(id: string): Promise<void> {
      if (!(await book.remove(id))) throw unknown(id);
    },
    /** Calls it once, with an event that tells of nothing. */
    async test(id: string, signal: AbortSignal) {
      const webhook = book.webhooks().find((one) => one.id === id);
      if (webhook === undefined) throw unknown(id);
      const { call, service } = createWebhookCaller(config);
      const about = { id: `test_${randomBytes(6).toString('hex')}`, event: 'test' };
      const at = new Date(systemClock.nowMs()).toISOString();
      const more = { level: 'info', title: 'A test of lark-bridge', body: '', fields: [] };
      const body = JSON.stringify({ ...about, source: 'lark-bridge', at, ...more });
      try {
        return await call({ webhook, ...about, body, signal });
      } finally {
        await service.stop();
      }
    },
    close: () => db.close(),
  };
}

/** The root is made when it is first needed. Whoever has the database alone can sign nothing. */
function secretOf({ stateDir }: Pick<Config, 'stateDir'>, webhook: string): Secret {
  const root = loadOrCreateSecret(
    join(stateDir, WEBHOOK_SECRET_FILE),
    () => new Secret(randomBytes(32).toString('base64url')),
  );
  return new Secret(webhookSecret(root.reveal(), webhook));
}

function checkedUrl({ url: raw, isPrivate }: Pick<NewWebhook, 'url' | 'isPrivate'>): string {
  const url = URL.canParse(raw) ? new URL(raw) : undefined;
  if (url === undefined || !['http:', 'https:'].includes(url.protocol)) {
    throw new BridgeError('usage', 'the address of a webhook begins with https:// or http://', {
      next: 'Give the whole address, as in `lark-bridge webhooks add https://example.com/hook`.',
    });
  }
  if (url.username !== '' || url.password !== '') {
    throw new BridgeError('usage', 'the address of a webhook has no name and no password in it', {
      next: 'Let the receiver check the signature instead.',
    });
  }
  const isOfMachine = /(?:^|\.)localhost$/.test(url.hostname);
  if (!isPrivate && (isOfMachine || addressRefusal(url.hostname) !== undefined)) {
    throw new BridgeError('usage', `${url.host} is an address of this machine or its network`, {
      next: 'If you mean it, add --private.',
    });
  }
  return url.href;
}

function kindsIn(events: string): FollowKind[] {
  const words = events.split(',').map((word) => word.trim());
  const kinds = FOLLOW_KINDS.filter((kind) => words.includes(kind));
  const unknownWord = words.find((word) => !kinds.some((kind) => kind === word));
  if (unknownWord === undefined) return kinds;
  throw new BridgeError('usage', `--events does not know ${unknownWord}`, {
    next: `Choose among ${FOLLOW_KINDS.join(', ')}, with commas between them.`,
  });
}

function unknown(id: string): BridgeError {
  return new BridgeError('failed', `there is no webhook ${id}`, {
    next: 'See them with `lark-bridge webhooks list`.',
  });
}

function alreadyThere(id: string): BridgeError {
  return new BridgeError('failed', `the webhook ${id} has this address already`, {
    next: `To change it, first remove it with \`lark-bridge webhooks remove ${id}\`.`,
  });
}

function tooMany(): BridgeError {
  return new BridgeError('failed', `there are ${WEBHOOKS_MAX} webhooks already`, {
    next: 'Remove one with `lark-bridge webhooks remove ID`.',
  });
}
