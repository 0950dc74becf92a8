/** The code that a person gets who wants to be let in. People read it out and type it. */
import { randomInt } from 'node:crypto';

/** No characters that look like others (0 and O, 1 and I and L, 2 and Z, 5 and S, 8 and B), and no U, heard as V. */
const ALPHABET = '34679ACDEFGHJKMNPQRTVWXY';
/** With 24 characters that is 36 bits. Only the owner and the operator can try a code. */
const CHARS = 8;

const FORM = new RegExp(`^[${ALPHABET}]{${CHARS}}$`);

export function createPairingCode(): string {
  const chars = Array.from({ length: CHARS }, () => ALPHABET.charAt(randomInt(ALPHABET.length)));
  return chars.join('');
}

/** A code as it was given out, from what a person typed. Undefined if it has another form. */
export function parsePairingCode(typed: string): string | undefined {
  const code = typed.normalize('NFKC').replaceAll(/[\s-]/g, '').toUpperCase();
  return FORM.test(code) ? code : undefined;
}
