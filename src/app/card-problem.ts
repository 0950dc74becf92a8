import { LIMITS } from '../lark/content/limits.ts';

/** Why Lark would not take a card that is this long. */
export function cardProblem(card: string): string | undefined {
  const bytes = Buffer.byteLength(card);
  if (bytes <= LIMITS.cardBodyBytesMax) return undefined;
  return `the card has ${bytes} bytes, and Lark takes 30 KB`;
}
