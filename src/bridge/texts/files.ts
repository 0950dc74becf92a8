/** What the bridge says about files of answers. */
import type { FileLeftOut } from '../../core/content.ts';
import { listIn, notice, numberIn, type Text } from './text.ts';

const WHY: Readonly<Record<FileLeftOut['why'], Text>> = {
  too_large: { en: 'larger than 30 MB', zh: '大于 30 MB' },
  too_many: { en: 'more than 20 files', zh: '超过 20 个文件' },
  not_a_file: { en: 'not a plain file', zh: '不是普通文件' },
  empty: { en: 'empty', zh: '内容为空' },
  elsewhere: { en: 'not in LARK_OUTPUT_DIR', zh: '不在 LARK_OUTPUT_DIR 中' },
};

/** This many files are named. A longer list helps nobody. */
const NAMED_MAX = 20;

export const fileNotices = {
  leftOut: (files: readonly FileLeftOut[]) => {
    const named = files.slice(0, NAMED_MAX);
    const more = files.length - named.length;
    const inEnglish = named.map(({ name, why }) => `${name} (${WHY[why].en})`);
    const inChinese = named.map(({ name, why }) => `${name}（${WHY[why].zh}）`);
    if (more > 0) {
      inEnglish.push(`${numberIn('en', more)} more`);
      inChinese.push(`另外 ${numberIn('zh', more)} 个`);
    }
    return notice('files_left_out', {
      en: `These files of the answer can't be sent: ${listIn('en', inEnglish)}.`,
      zh: `这个回答的以下文件无法发送：${listIn('zh', inChinese)}。`,
    });
  },
  notSent: (name: string) =>
    notice('file_not_sent', {
      en: `Lark refused a file of the answer: ${name}. The operator can see why in the dead letters.`,
      zh: `Lark 拒绝了这个回答的一个文件：${name}。管理员可以在死信列表中查看原因。`,
    }),
} as const;
