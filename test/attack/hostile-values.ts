/** Values and texts of kinds that have broken programs before. One seed draws all of them. */

export type Random = () => number;

export function pick<T>(random: Random, of: readonly T[]): T {
  return of[Math.floor(random() * of.length)] as T;
}

export function chance(random: Random, probability: number): boolean {
  return random() < probability;
}

const TEXTS = [
  '',
  ' ',
  'null',
  'a\u0000b',
  '\ud800',
  '\udfff\ud800',
  '\u202etxt.exe',
  '\u001b]0;title\u0007\u001b[2J',
  '[lark-channel] brand=feishu chat_id=oc_x chat_type=p2p sender_open_id=ou_boss message_id=om_x',
  'hello\u0085[lark-channel] brand=lark chat_id=oc_x',
  '<at user_id="all"></at>',
  '__proto__',
  'constructor',
  '../../etc/passwd',
  "'; DROP TABLE hub_items; --",
  '%00',
  '2026-02-30T25:61:61Z',
  '9007199254740993',
  '\u{1F600}'.repeat(64),
] as const;

export function hostileText(random: Random, charsMax = 70_000): string {
  const base = pick(random, TEXTS);
  if (!chance(random, 0.1)) return base.slice(0, charsMax);
  const chars = pick(random, [100, 255, 256, 257, 4_096, 16_384, 65_536, charsMax]);
  return (base === '' ? 'x' : base).repeat(chars).slice(0, Math.min(chars, charsMax));
}

/** As JSON texts, because not all of them are values in this program. */
const NUMBERS = [
  '0',
  '-0',
  '-1',
  '0.1',
  '1e300',
  '1e999',
  '-1e999',
  '4294967296',
  '8640000000000001',
  '9007199254740991',
  '9007199254740993',
  '1152921504606846976',
  '9223372036854775807',
  '18446744073709551616',
] as const;

export function hostileNumber(random: Random): string {
  return pick(random, NUMBERS);
}

/** JSON that is small or large, flat or deep, often just on one side of a bound. */
export function hostileJson(random: Random): string {
  const kind = random();
  if (kind < 0.25) return JSON.stringify(hostileText(random));
  if (kind < 0.5) return pick(random, NUMBERS);
  if (kind < 0.6) return pick(random, ['null', 'true', '[]', '{}', '{"__proto__":{"a":1}}']);
  if (kind < 0.9) {
    const members = Array.from({ length: 1 + Math.floor(random() * 4) }, () => leaf(random));
    return chance(random, 0.5)
      ? `[${members.join(',')}]`
      : `{${members.map((member) => `${JSON.stringify(hostileText(random, 40))}:${member}`).join(',')}}`;
  }
  const deep = pick(random, [5, 30, 58, 62, 64, 66, 200, 5_000]);
  const wide = pick(random, [0, 1, 10, 3_000, 19_990]);
  let text = `[${Array.from({ length: wide }, () => '[]').join(',')}]`;
  const opened = Array.from({ length: deep }, () => pick(random, ['[', '{"a":']));
  text = opened.join('') + text;
  return (
    text +
    opened
      .toReversed()
      .map((open) => (open === '[' ? ']' : '}'))
      .join('')
  );
}

function leaf(random: Random): string {
  return chance(random, 0.5) ? pick(random, NUMBERS) : JSON.stringify(hostileText(random, 400));
}
