/** SQLite would cut a text at U+0000. JSON texts need no care: there it is written as an escape. */
export function storable(text: string): string {
  return text.replaceAll('\0', '\uFFFD');
}
