import { expect, test } from 'vitest';
import { accountsBaseUrl, openBaseUrl, verificationPageUrl } from '../../../src/lark/brand.ts';

test('LCM-MODE-05: the brand selects every domain', () => {
  expect(openBaseUrl('feishu')).toBe('https://open.feishu.cn');
  expect(openBaseUrl('lark')).toBe('https://open.larksuite.com');
  expect(accountsBaseUrl('feishu')).toBe('https://accounts.feishu.cn');
  expect(accountsBaseUrl('lark')).toBe('https://accounts.larksuite.com');
  expect(verificationPageUrl('feishu')).toBe('https://open.feishu.cn/page/cli');
  expect(verificationPageUrl('lark')).toBe('https://open.larksuite.com/page/cli');
});

test('an override stands for both brands', () => {
  expect(openBaseUrl('feishu', 'http://127.0.0.1:81/')).toBe('http://127.0.0.1:81');
  expect(openBaseUrl('lark', 'http://127.0.0.1:81')).toBe('http://127.0.0.1:81');
  expect(accountsBaseUrl('lark', 'https://a.example/base//')).toBe('https://a.example/base');
});
