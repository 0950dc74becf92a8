/** Replaces U+0000, because SQLite would cut the text there. JSON texts don't need this: JSON escapes the character. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}
