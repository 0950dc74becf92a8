/** Lark's names of emoji, with the sign that comes nearest. Of the others the page shows the name. */
const SIGNS: Readonly<Record<string, string>> = {
  OK: '👌',
  THUMBSUP: '👍',
  ThumbsDown: '👎',
  THANKS: '🙏',
  MUSCLE: '💪',
  FINGERHEART: '🫰',
  APPLAUSE: '👏',
  FISTBUMP: '🤜',
  JIAYI: '➕',
  DONE: '✅',
  Yes: '✅',
  CheckMark: '✅',
  No: '❌',
  CrossMark: '❌',
  SMILE: '😊',
  BLUSH: '😊',
  LAUGH: '😄',
  LOL: '😆',
  JOYFUL: '😂',
  WINK: '😉',
  LOVE: '😍',
  HEART: '❤️',
  PARTY: '🎉',
  Fire: '🔥',
  CRY: '😢',
  SOB: '😭',
  ANGRY: '😠',
  WOW: '😮',
  SHOCKED: '😱',
  THINKING: '🤔',
  SWEAT: '😅',
  FACEPALM: '🤦',
  EYES: '👀',
  GLANCE: '👀',
  Typing: '⌨️',
  OneSecond: '⏳',
  Hourglass: '⏳',
  OnIt: '🫡',
  SALUTE: '🫡',
  Get: '🫡',
  LGTM: '👍',
  ROSE: '🌹',
  BEER: '🍺',
  Coffee: '☕',
  CAKE: '🎂',
  Pin: '📌',
  Alarm: '⏰',
  WAVE: '👋',
  HI: '👋',
};

/** What a person can choose under a message. */
export const REACTIONS: readonly string[] = [
  'THUMBSUP',
  'OK',
  'HEART',
  'PARTY',
  'DONE',
  'CRY',
  'LAUGH',
  'THANKS',
  'APPLAUSE',
  'THINKING',
  'EYES',
  'Fire',
];

/** The sign of an emoji; its name, if the page knows no sign for it. */
export function emojiSign(name: string): string {
  return Object.hasOwn(SIGNS, name) ? (SIGNS[name] ?? name) : name;
}

export function isKnownEmoji(name: string): boolean {
  return Object.hasOwn(SIGNS, name);
}
