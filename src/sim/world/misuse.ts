/** Whoever steers the cloud asked for something that can't be: the message says what. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}
