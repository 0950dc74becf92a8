/** How a message looks that the bridge names to people: what is no text stands in brackets, as agents get it. */
import type { Text } from './text.ts';

const CHINESE: Readonly<Record<string, string>> = {
  image: '图片',
  file: '文件',
  audio: '语音',
  video: '视频',
  sticker: '表情',
  folder: '文件夹',
  location: '位置',
  todo: '任务',
  vote: '投票',
  system: '系统消息',
  card: '卡片',
  button: '按钮',
  'red packet': '红包',
  'shared chat': '群名片',
  'shared contact': '个人名片',
  'calendar event': '日程',
  'video meeting': '视频会议',
  'forwarded messages': '转发的消息',
  'recalled message': '已撤回的消息',
};

/** The other lines go on with words for agents. */
const LINES: readonly (readonly [RegExp, string])[] = [
  [/\[not here: [^\]\n]{0,200}\]/g, '[未取得]'],
  [/^\[forwarded messages could not be read: [^\]\n]{0,200}\]/gm, '[转发的消息]'],
  [/^\[message of type ([^\]\n]{0,200})\]/gm, '[无法识别的消息：$1]'],
];

/** Longer names come first: `video meeting` begins as `video` does. */
const KINDS = Object.keys(CHINESE).toSorted((one, other) => other.length - one.length);
const NAMED = new RegExp(String.raw`^\[(${KINDS.join('|')})(|[ :,].*)\](?= \[未取得\]$|$)`, 'gm');

/** The text of a message, as people see it in a list or a quote. What the person wrote stays as it is. */
export function asSeen(text: string): Text {
  const known = LINES.reduce((said, [line, zh]) => said.replaceAll(line, zh), text);
  const zh = known.replaceAll(NAMED, (_line, kind: string, rest: string) => {
    const more = rest.replace(/^: /, '：').replace(/, (\d+) s$/, '，$1 秒');
    return `[${CHINESE[kind]}${more}]`;
  });
  return { en: text, zh };
}
