/** Feishu (China) or Lark (everywhere else): the same product under two sets of domains. */
export type Brand = 'feishu' | 'lark';
export const BRANDS: readonly Brand[] = ['feishu', 'lark'];
