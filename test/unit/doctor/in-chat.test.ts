/** What `/doctor` says in a chat: all troubles that its checks can find, in both languages. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { protectionTroubles } from '../../../src/app/hub-protection.ts';
import { diagnosis } from '../../../src/bridge/texts/commands.ts';
import type { Config } from '../../../src/config/load.ts';
import { ERRORS, type ErrorCode } from '../../../src/core/errors.ts';
import { appId } from '../../../src/core/ids.ts';
import { inEveryLanguage, type Text } from '../../../src/core/language.ts';
import { Secret } from '../../../src/core/secret.ts';
import { checkApp } from '../../../src/doctor/app.ts';
import type { Finding } from '../../../src/doctor/finding.ts';
import { checkProtection } from '../../../src/doctor/hub.ts';
import { checkNode, checkStateDirectory } from '../../../src/doctor/machine.ts';
import { checkClock, checkReach, checkRoutes, routeTo } from '../../../src/doctor/network.ts';
import { checkRights } from '../../../src/doctor/rights.ts';
import { checkConnections, checkDaemon } from '../../../src/doctor/running.ts';
import { checkQuota } from '../../../src/doctor/storage.ts';
import type { AppFacts, AppFact, RefusalReason } from '../../../src/lark/facts.ts';
import { APP_NEEDS } from '../../../src/lark/app-needs.ts';
import { requestEndpoint } from '../../../src/lark/inbound/endpoint.ts';
import { createCertificate } from '../../kit/certificate.ts';

/** What is no word of a language: it stands for names, addresses and paths. */
const URL_TEXT = 'https://0/';

const THERE = {
  kind: 'there',
  isWritable: true,
  isOurs: true,
  isOpen: false,
  openFiles: [],
  freeBytes: 5e9,
} as const;

const MACHINE = [
  checkNode('1.0.0', '>=20.0.0'),
  ...checkStateDirectory('/0', { kind: 'missing', canBeMade: false }),
  ...checkStateDirectory('/0', { kind: 'unusable', detail: inEveryLanguage('0') }),
  ...checkStateDirectory('/0', { ...THERE, isWritable: false }),
  ...checkStateDirectory('/0', { ...THERE, isOurs: false, isOpen: true }),
  ...checkStateDirectory('/0', { ...THERE, freeBytes: 1e8 }),
  ...checkStateDirectory('/0', { ...THERE, freeBytes: 1e6 }),
];

const CODES = [
  'ENOTFOUND',
  'ECONNREFUSED',
  'ETIMEDOUT',
  'ENETUNREACH',
  'CERT_HAS_EXPIRED',
  'CERT_NOT_YET_VALID',
  'HOSTNAME_MISMATCH',
  'CERT_UNTRUSTED',
  'EPROTO',
  'UND_ERR_ABORTED',
  'ECONNRESET',
  '0',
];

const unreached = (name: 'open' | 'accounts' | 'socket', code: string, proxy?: string) =>
  checkReach({ name, origin: URL_TEXT, proxy, outcome: { kind: 'failed', code } });
const clock = (hereMs: number) =>
  checkClock([
    {
      name: 'open',
      origin: URL_TEXT,
      proxy: undefined,
      outcome: { kind: 'reached', clocks: { hereMs, thereMs: 1e12 } },
    },
  ]);

const NETWORK = [
  ...CODES.map((code) => unreached('open', code)),
  unreached('accounts', '0', URL_TEXT),
  unreached('socket', '0'),
  ...checkRoutes([routeTo('0', new URL('http://127.0.0.1'), new URL('http://0.0.0.9'))]),
  ...[1e12 + 1e5, 1e12 + 1e6, 1e12 - 1e6].flatMap((hereMs) => clock(hereMs) ?? []),
];

/** What Lark's refusals of a connection lead to. */
const REFUSALS = await Promise.all(
  [403, 514, 1_000_040_350, 1_000_040_351].map((code) => {
    const answer = { kind: 'answered', status: 200, headers: {}, body: { code } } as const;
    const http = { call: () => Promise.resolve(answer), close: () => Promise.resolve() };
    const app = { appId: appId('cli_0'), appSecret: new Secret('0') };
    return requestEndpoint({ http, openBaseUrl: URL_TEXT, ...app });
  }),
);
const NEXTS = REFUSALS.flatMap((one) => ('next' in one ? [one.next] : []));

const SOUND: AppFacts = {
  token: { kind: 'ok', value: true },
  tokenElsewhere: undefined,
  endpoint: { kind: 'offered' },
  bot: { kind: 'ok', value: { openId: '1', name: '2', active: true } },
  connections: undefined,
  console: undefined,
};
const refused = (reason: RefusalReason | undefined, credentials = false) =>
  ({ kind: 'refused', reason, detail: 'words of Lark', credentials }) as const;
const app = (facts: Partial<AppFacts>, secretFrom = inEveryLanguage('0')) =>
  checkApp(
    { ...SOUND, ...facts },
    {
      brandName: inEveryLanguage('Lark'),
      otherBrandName: inEveryLanguage('Lark'),
      otherBrand: 'lark',
      pages: { app: URL_TEXT, bot: URL_TEXT, versions: URL_TEXT, security: URL_TEXT },
      secretFrom,
      botOpenId: '1',
    },
  );
const noEndpoint = (error: ErrorCode) =>
  NEXTS.flatMap((next) =>
    app({ endpoint: { kind: 'refused', error, detail: 'words of Lark', next } }),
  );

const APP = [
  ...app({ token: refused(undefined, true), tokenElsewhere: SOUND.token }),
  ...app({ token: refused(undefined, true), tokenElsewhere: refused(undefined, true) }),
  ...app({ token: refused(undefined, true) }, inEveryLanguage('credentials.json')),
  ...app({ token: refused('quota_used_up') }),
  ...app({ token: refused('address_not_allowed') }),
  ...app({ token: refused('app_disabled') }),
  ...app({ endpoint: { kind: 'silent', detail: 'words of Lark' } }),
  ...(['wrong_brand', 'already_running', 'credentials_refused'] as const).flatMap(noEndpoint),
  ...app({ bot: refused('bot_switched_off') }),
  ...app({ bot: { kind: 'ok', value: { openId: '1', name: '2', active: false } } }),
  ...app({ bot: { kind: 'ok', value: { openId: '3', name: '2', active: true } } }),
];

const rights = (value: Partial<AppFact>) =>
  checkRights(
    {
      kind: 'ok',
      value: { scopes: [], events: [], callbacks: [], callbacksElsewhere: false, ...value },
    },
    APP_NEEDS,
    { permissions: URL_TEXT, grant: () => URL_TEXT, events: URL_TEXT, callbacks: URL_TEXT },
  );

const BRIDGE = [
  ...checkDaemon({
    pid: 7,
    health: {
      live: true,
      ready: false,
      problems: (
        ['storage', 'lost_data', 'lark_connection', 'hub', 'agent', 'process'] as const
      ).map((code) => {
        return { code, since: '2026', text: 'words of a part' };
      }),
      notes: [],
    },
    version: '1',
    ownVersion: '2',
  }),
  checkQuota({ answer: 9_000 }),
  checkConnections({ kind: 'ok', value: 3 }, 1),
  checkConnections({ kind: 'ok', value: 3 }, 0),
  checkConnections({ kind: 'ok', value: 0 }, 1),
];

const PAIR = createCertificate('0');
const FOLDER = mkdtempSync(join(tmpdir(), 'in-chat-'));
afterAll(() => rmSync(FOLDER, { recursive: true }));
const stored = (name: string, text: string) => {
  const path = join(FOLDER, name);
  writeFileSync(path, text);
  return path;
};
const protection = (more: Partial<Config>) =>
  checkProtection(protectionTroubles({ hubHost: '127.0.0.1', ...more } as Config, Date.now()));
const withTls = (certPem: string, keyPem: string) =>
  protection({ tlsCert: stored('1', certPem), tlsKey: stored('2', keyPem) });

const PROTECTION = [
  ...protection({ hubHost: '0.0.0.0', healthAddress: '0.0.0.0:1' }),
  ...protection({ tlsCert: '/0', tlsKey: '/0' }),
  ...withTls('', PAIR.keyPem),
  ...withTls(PAIR.certPem, ''),
  ...withTls(PAIR.certPem, 'ENCRYPTED'),
  ...withTls(PAIR.certPem, createCertificate('0').keyPem),
  ...[createCertificate('0', -9), createCertificate('0', 9)].flatMap(({ certPem, keyPem }) =>
    withTls(certPem, keyPem),
  ),
];

const FOUND: readonly Finding<Text>[] = [
  ...MACHINE,
  ...NETWORK,
  ...APP,
  ...rights({}),
  ...rights({ callbacksElsewhere: true }),
  ...BRIDGE,
  ...PROTECTION,
];
const TROUBLES = FOUND.flatMap((found) =>
  found.level === 'problem' || found.level === 'warning' ? [found] : [],
);

/** What is written the same way in both languages. */
const NAMES =
  /lark-bridge(?: service (?:restart|logs)| run| connect(?: --app-id ID --app-secret-stdin --force| --permissions)?)?|LARK_[A-Z_]+|(?:HTTPS|NO)_PROXY(?:=[\d.]+)?|NODE_EXTRA_CA_CERTS=FILE|--state-dir|chmod go= [/\d ]+|timedatectl set-ntp true|https?:\/\/(?:nodejs\.org|[\d./]*)|\bID\b|Node\.js|(?:tenant_brand|credentials\.json|im\.|im:|card\.|application\.|cardkit:|contact:)[\w.:,]*|storage|lost_data|lark_connection|hub|agent|process|Lark|DNS|NTP|HTTPS|TLS|PEM|MB|hosts|lark|feishu|ENOENT[^）]*|(?<= )\/tmp\/\S+/g;

describe('each trouble that a check can find in a chat', () => {
  test.each(TROUBLES)('$check, $finding.en', ({ finding, next }) => {
    for (const { en, zh } of [finding, next]) {
      expect(en).not.toMatch(/\p{Script=Han}|[，。：；？！（）、]/u);
      expect(zh).toMatch(/\p{Script=Han}/u);
      expect(zh.replaceAll(NAMES, '')).not.toMatch(/[A-Za-z]{2}/);
      expect(zh.replaceAll(NAMES, '')).not.toMatch(/[,;?!()]|\p{Script=Han}[.:]/u);
    }
  });
});

test('every kind of trouble is among them', () => {
  const checks = new Set(TROUBLES.map(({ check }) => check));
  expect([...checks].toSorted()).toEqual([
    'bot',
    'brand',
    'card_callback',
    'clock',
    'connections',
    'daemon',
    'daemon_version',
    'events',
    'long_connection',
    'node',
    'permissions',
    'protection',
    'proxy',
    'quota',
    'reach_accounts',
    'reach_open',
    'reach_socket',
    'secret',
    'state_directory',
  ]);
  expect(NEXTS).toHaveLength(4);
  expect(PROTECTION).toHaveLength(9);
  expect(TROUBLES.every(({ error = 'failed' }) => error in ERRORS)).toBe(true);
});

test('the chat shows the language of the person alone', () => {
  const [node] = TROUBLES;
  if (node === undefined) throw new Error('no trouble');
  const { zh, en } = diagnosis([node]).text;
  expect(zh).toContain('版本太旧');
  expect(zh).not.toContain('too old');
  expect(en).toContain('too old');
});
