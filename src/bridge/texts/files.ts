/** What the bridge says about files of answers. */
import type { FileLeftOut } from '../../core/content.ts';
import { notice, type Text } from './text.ts';

const WHY: Readonly<Record<FileLeftOut['why'], Text>> = {
  too_large: { en: 'larger than 30 MB', zh: '大于 30 MB' },
  too_many: { en: 'more than 20 files', zh: '超过 20 个文件' },
  not_a_file: { en: 'not a plain file', zh: '不是普通文件' },
  empty: { en: 'empty', zh: '内容为空' },
};

/** This many files are named. A longer list helps nobody. */
const NAMED_MAX = 20;

export const fileNotices = {
  leftOut: (files: readonly FileLeftOut[]) => {
    const named = files.slice(0, NAMED_MAX);
    const listed = (language: keyof Text) =>
      named.map(({ name, why }) => `${name} (${WHY[why][language]})`);
    const more = files.length - named.length;
    return notice('files_left_out', {
      en: `These files of the answer can't be sent: ${listed('en').join(', ')}${more > 0 ? ` and ${more} more` : ''}`,
      zh: `这个回答的以下文件无法发送：${listed('zh').join('、')}${more > 0 ? `，另有 ${more} 个` : ''}`,
    });
  },
  notSent: (name: string) =>
    notice('file_not_sent', {
      en: `Lark refused a file of the answer: ${name}. The operator can see why in the dead letters.`,
      zh: `Lark 拒绝了这个回答的一个文件：${name}。管理员可以在 dead letters 中查看原因。`,
    }),
} as const;
