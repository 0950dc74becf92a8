import { expect, test } from 'vitest';
import { appId } from '../../../src/core/ids.ts';
import {
  accountsBaseUrl,
  botChatUrl,
  consolePageUrl,
  grantPageUrl,
  openBaseUrl,
  consentPageUrl,
} from '../../../src/lark/brand.ts';

const APP = appId('cli_00000000000000aa');

test('LCM-MODE-05: the brand selects every domain', () => {
  expect(openBaseUrl('feishu')).toBe('https://open.feishu.cn');
  expect(openBaseUrl('lark')).toBe('https://open.larksuite.com');
  expect(accountsBaseUrl('feishu')).toBe('https://accounts.feishu.cn');
  expect(accountsBaseUrl('lark')).toBe('https://accounts.larksuite.com');
  expect(consentPageUrl('feishu')).toBe('https://open.feishu.cn/page/cli');
  expect(consentPageUrl('lark')).toBe('https://open.larksuite.com/page/cli');
});

test('an override replaces the address of both brands', () => {
  expect(openBaseUrl('feishu', 'http://127.0.0.1:81/')).toBe('http://127.0.0.1:81');
  expect(openBaseUrl('lark', 'http://127.0.0.1:81')).toBe('http://127.0.0.1:81');
  expect(accountsBaseUrl('lark', 'https://a.example/base//')).toBe('https://a.example/base');
});

test('the console is on the open platform, and the chat with the bot has its own link', () => {
  const page = consolePageUrl(openBaseUrl('lark'), APP, 'events');
  expect(page).toBe(`https://open.larksuite.com/app/${APP}/event?tab=event`);
  expect(consolePageUrl('http://127.0.0.1:81', APP, 'app')).toBe(`http://127.0.0.1:81/app/${APP}`);
  expect(grantPageUrl(openBaseUrl('feishu'), APP, ['im:chat', 'im:message'])).toBe(
    `https://open.feishu.cn/app/${APP}/auth?q=im:chat,im:message&op_from=openapi&token_type=tenant`,
  );
  expect(botChatUrl('feishu', APP)).toBe(`https://applink.feishu.cn/client/bot/open?appId=${APP}`);
  expect(botChatUrl('lark', APP)).toBe(
    `https://applink.larksuite.com/client/bot/open?appId=${APP}`,
  );
});
