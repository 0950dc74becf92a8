/** What people and agents are told about files that the agent does not get. */
import type { Resource } from '../../core/message.ts';
import type { MissingReason } from '../ports/attachments.ts';
import { notice, type Text } from './text.ts';

interface Missing {
  readonly resource: Resource;
  readonly why: MissingReason;
  /** Lark's code for a refusal. */
  readonly code: number | undefined;
}

/** With more than this the notice would be longer than what it is about. */
const NAMED_MAX = 5;

const KINDS: Readonly<Record<Resource['kind'], Text>> = {
  image: { en: 'picture', zh: '图片' },
  file: { en: 'file', zh: '文件' },
  audio: { en: 'voice message', zh: '语音' },
  video: { en: 'video', zh: '视频' },
};

/** `limits`: what the settings and the code allow, as people say it. */
interface AttachmentLimits {
  readonly fileMbMax: number;
  readonly filesMax: number;
}

function reasonOf({ why, code }: Missing, { fileMbMax, filesMax }: AttachmentLimits): Text {
  switch (why) {
    case 'too_large':
      return { en: `larger than ${fileMbMax} MB`, zh: `超过 ${fileMbMax} MB` };
    case 'too_many':
      return {
        en: `only ${filesMax} files of one message are read`,
        zh: `每条消息最多读取 ${filesMax} 个文件`,
      };
    case 'empty':
      return { en: 'it is empty', zh: '内容为空' };
    case 'gone':
      return { en: 'it was deleted', zh: '已被删除' };
    case 'refused':
      return code === undefined
        ? { en: 'Lark did not give it', zh: 'Lark 未提供' }
        : { en: `Lark refused it with code ${code}`, zh: `Lark 拒绝提供，错误码 ${code}` };
    case 'unreachable':
      return { en: 'Lark could not be reached', zh: '无法连接 Lark' };
    case 'no_room':
      return { en: 'there is no room for it here', zh: '存储空间不足' };
    case 'not_stored':
      return { en: 'it could not be stored here', zh: '无法保存' };
  }
}

/** For the agent, beside the line of the file. */
export function missingText(missing: Missing, limits: AttachmentLimits): string {
  return reasonOf(missing, limits).en;
}

/** For the person: one notice for all of them. */
export function attachmentsMissing(all: readonly Missing[], limits: AttachmentLimits) {
  const named = all.slice(0, NAMED_MAX).map((missing) => {
    const { name, kind } = missing.resource;
    const reason = reasonOf(missing, limits);
    return {
      en: `${name ?? KINDS[kind].en} (${reason.en})`,
      zh: `${name ?? KINDS[kind].zh}（${reason.zh}）`,
    };
  });
  const more = all.length - named.length;
  const inEnglish = [...named.map(({ en }) => en), ...(more > 0 ? [`${more} more`] : [])];
  const inChinese = [...named.map(({ zh }) => zh), ...(more > 0 ? [`另外 ${more} 个`] : [])];
  return notice('attachments_missing', {
    en: `I could not read: ${inEnglish.join(', ')}. I go on without.`,
    zh: `无法读取：${inChinese.join('、')}。将继续处理其余内容。`,
  });
}
