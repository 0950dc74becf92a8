/** A test asked for something that is not possible. The message says what. */
export class Misuse extends Error {
  override readonly name = 'Misuse';
}
