import {
  chmodSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { beforeEach, expect, test } from 'vitest';
import { BridgeError } from '../../../src/core/errors.ts';
import { appId } from '../../../src/core/ids.ts';
import { Secret } from '../../../src/core/secret.ts';
import { createCredentialStore, loadCredentials } from '../../../src/config/credentials.ts';
import { temporaryFolder } from '../../kit/folder.ts';

const BOT = {
  appId: appId('cli_00000000000000aa'),
  appSecret: new Secret('the-secret'),
  brand: 'lark',
} as const;

let root: string;
let stateDir: string;
let file: string;

beforeEach(() => {
  root = temporaryFolder();
  stateDir = join(root, 'state');
  file = join(stateDir, 'credentials.json');
});

function modeOf(path: string): string {
  return (statSync(path).mode & 0o777).toString(8);
}

function failureOf(run: () => unknown): BridgeError {
  try {
    run();
  } catch (error) {
    expect(error).toBeInstanceOf(BridgeError);
    return error as BridgeError;
  }
  throw new Error('nothing was thrown');
}

function write(text: string): void {
  mkdirSync(stateDir, { recursive: true });
  writeFileSync(file, text);
}

test('LCM-CON-03: the three fields are written, for their owner only', () => {
  const store = createCredentialStore(stateDir, { force: false });
  store.admit();
  expect(store.save(BOT)).toEqual({ keptPath: undefined });
  expect(JSON.parse(readFileSync(file, 'utf8'))).toEqual({
    app_id: 'cli_00000000000000aa',
    app_secret: 'the-secret',
    tenant_brand: 'lark',
  });
  expect(modeOf(file)).toBe('600');
  expect(modeOf(stateDir)).toBe('700');
  expect(readdirSync(stateDir)).toEqual(['credentials.json']);
});

test('what was written is read again', () => {
  const store = createCredentialStore(stateDir, { force: false });
  store.admit();
  store.save(BOT);
  const loaded = loadCredentials(stateDir);
  expect(loaded).toMatchObject({ kind: 'found', credentials: { appId: BOT.appId, brand: 'lark' } });
  expect(loaded.kind === 'found' && loaded.credentials.appSecret?.reveal()).toBe('the-secret');
});

test('with a keyring the secret is there, and not in the file', () => {
  const kept = new Map<string, string>();
  const keyring = {
    check() {},
    read: () => undefined,
    keep: (app: string, secret: Secret) => void kept.set(app, secret.reveal()),
    forget: (app: string) => kept.delete(app),
  };
  const store = createCredentialStore(stateDir, { force: false, keyring });
  store.admit();
  store.save(BOT);
  expect(kept).toEqual(new Map([['cli_00000000000000aa', 'the-secret']]));
  expect(readFileSync(file, 'utf8')).not.toContain('the-secret');
  expect(loadCredentials(stateDir)).toEqual({
    kind: 'found',
    credentials: { appId: BOT.appId, appSecret: undefined, brand: 'lark' },
  });
});

test('a keyring that can’t be used is told before anybody is asked for anything', () => {
  const check = () => {
    throw new BridgeError('store_unavailable', 'it is locked');
  };
  const keyring = { check, read: () => undefined, keep() {}, forget: () => false };
  const error = failureOf(() => createCredentialStore(stateDir, { force: false, keyring }).admit());
  expect(error.message).toBe('it is locked');
});

test('a file without a brand is of Feishu', () => {
  write('{"app_id":"cli_00000000000000bb","app_secret":"s"}');
  expect(loadCredentials(stateDir)).toMatchObject({ credentials: { brand: 'feishu' } });
});

test('reading makes nothing', () => {
  expect(loadCredentials(stateDir)).toEqual({ kind: 'none' });
  expect(existsSync(stateDir)).toBe(false);
});

test('a bot that is there is not replaced, and the error says which and what to do', () => {
  createCredentialStore(stateDir, { force: false }).save(BOT);
  const error = failureOf(() => createCredentialStore(stateDir, { force: false }).admit());
  expect(error).toMatchObject({ code: 'usage', exitCode: 2 });
  expect(error.message).toContain('cli_00000000000000aa');
  expect(error.next).toContain('--force');
  expect(JSON.stringify([error.message, error.next])).not.toContain('the-secret');
});

test('with force it is replaced, with the narrow mode even if the old file was open', () => {
  createCredentialStore(stateDir, { force: false }).save(BOT);
  chmodSync(file, 0o644);
  const store = createCredentialStore(stateDir, { force: true });
  store.admit();
  expect(store.save({ ...BOT, appId: appId('cli_00000000000000cc') })).toEqual({
    keptPath: undefined,
  });
  expect(loadCredentials(stateDir)).toMatchObject({
    credentials: { appId: 'cli_00000000000000cc' },
  });
  expect(modeOf(file)).toBe('600');
  expect(readdirSync(stateDir)).toEqual(['credentials.json']);
});

test.each([
  ['no JSON', '{"app_secret":"the-secret"'],
  ['no JSON around the secret', '{"app_secret": the-secret}'],
  ['no object', '["the-secret"]'],
  ['a field missing', '{"app_secret":"the-secret"}'],
  ['a field of another type', '{"app_id":7,"app_secret":"the-secret"}'],
  [
    'an unknown brand',
    '{"app_id":"cli_00000000000000bb","app_secret":"the-secret","tenant_brand":"x"}',
  ],
  ['an app id of another form', '{"app_id":"cli_1","app_secret":"the-secret"}'],
  ['a secret with a line break', '{"app_id":"cli_00000000000000bb","app_secret":"the-secret\\n"}'],
  ['an empty file', ''],
])('a file with %s is kept aside, not deleted, and not quoted', (_name, text) => {
  write(text);
  const loaded = loadCredentials(stateDir);
  expect(loaded).toMatchObject({ kind: 'unusable' });
  expect(JSON.stringify(loaded)).not.toContain('the-secret');

  const store = createCredentialStore(stateDir, { force: false });
  store.admit();
  expect(readFileSync(file, 'utf8')).toBe(text);
  const { keptPath = '' } = store.save(BOT);
  expect(keptPath).toMatch(/credentials\.json\.corrupt-[\dTZ-]+$/);
  expect(readFileSync(keptPath, 'utf8')).toBe(text);
  expect(loadCredentials(stateDir)).toMatchObject({ kind: 'found' });
});

test('something that is no file at all is kept aside too, also with force', () => {
  mkdirSync(file, { recursive: true });
  const store = createCredentialStore(stateDir, { force: true });
  store.admit();
  expect(statSync(store.save(BOT).keptPath ?? '').isDirectory()).toBe(true);
  expect(loadCredentials(stateDir)).toMatchObject({ kind: 'found' });
});

test('what Lark hands out is kept, whatever its form', () => {
  const store = createCredentialStore(stateDir, { force: false });
  store.admit();
  store.save({ ...BOT, appId: appId('cli_short') });
  expect(readFileSync(file, 'utf8')).toContain('cli_short');
});

test('a state directory that was removed meanwhile is made again, for its owner only', () => {
  const store = createCredentialStore(stateDir, { force: false });
  store.admit();
  rmSync(stateDir, { recursive: true });
  store.save(BOT);
  expect(loadCredentials(stateDir)).toMatchObject({ kind: 'found' });
  expect(modeOf(stateDir)).toBe('700');
});

test('a bot that appeared meanwhile is kept aside', () => {
  const store = createCredentialStore(stateDir, { force: false });
  store.admit();
  write('{"app_id":"cli_00000000000000dd","app_secret":"s","tenant_brand":"feishu"}');
  expect(readFileSync(store.save(BOT).keptPath ?? '', 'utf8')).toContain('cli_00000000000000dd');
  expect(loadCredentials(stateDir)).toMatchObject({ credentials: { appId: BOT.appId } });
});

test('a state directory that can’t be made is said before anything else happens', () => {
  writeFileSync(join(root, 'state'), 'a file');
  const error = failureOf(() => createCredentialStore(stateDir, { force: false }).admit());
  expect(error.code).toBe('store_unavailable');
  expect(error.message).toContain(stateDir);
});

test('credentials that can’t be stored: the error names the app and the way to give them again', () => {
  writeFileSync(join(root, 'state'), 'a file');
  const error = failureOf(() => createCredentialStore(stateDir, { force: false }).save(BOT));
  expect(error.code).toBe('store_unavailable');
  expect(error.next).toContain('--app-id cli_00000000000000aa --app-secret-stdin');
  expect(JSON.stringify([error.message, error.next, error.cause])).not.toContain('the-secret');
});
